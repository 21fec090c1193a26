"""Users, roles, passwords, sessions, lockout and the log of the door, each by itself."""

import datetime as dt
import json
import re
from pathlib import Path

import pytest

from lakehouse.errors import BadInput, LakehouseError
from lakehouse.serve.signin.journal import SignInLog
from lakehouse.serve.signin.lockout import Lockout
from lakehouse.serve.signin.passwords import accept, hashed, is_common, matches
from lakehouse.serve.signin.roles import ALONE, roles, viewer
from lakehouse.serve.signin.sessions import MOST, Sessions
from lakehouse.serve.signin.users import User, Users
from tests.signing import MADE, Clock

GOOD = "kettle-anvil-moss-trout"
ANA = User("ana", ("analyst",), "x", MADE)


class Seconds:
    def __init__(self) -> None:
        self.at = 1_750_000_000.0

    def __call__(self) -> float:
        return self.at


def test_roles_open_pages_and_what_may_be_done_there() -> None:
    known = roles()
    assert known.keys() == {"analyst", "host", "compliance", "protection", "engineer"}
    ana = viewer("ana", ["analyst"], known)
    assert ana.sees("sql")
    assert ana.may("sql")
    assert not ana.sees("compliance")
    assert not ana.may("names")
    with_sar = {n for n, r in known.items() if "sar" in r.grants}
    assert with_sar == {"compliance"}


def test_roles_add_up_and_one_that_is_no_more_opens_nothing() -> None:
    known = roles()
    both = viewer("x", ["host", "engineer", "gone"], known)
    assert both.pages == known["host"].pages | known["engineer"].pages
    assert both.grants == known["host"].grants | known["engineer"].grants
    nobody = viewer("x", ["gone"], known)
    assert (nobody.pages, nobody.grants) == (frozenset(), frozenset())


def test_alone_at_a_machine_one_sees_all_but_who_people_are() -> None:
    assert ALONE.sees("compliance")
    assert ALONE.may("alerts")
    assert not ALONE.may("names")
    assert not ALONE.may("sar")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[a]\npages = ["vault"]', "role 'a': no page 'vault'; pages: today, floor"),
        ('[a]\ngrants = ["all"]', "role 'a': no grant 'all'; grants: alerts, names"),
        ("[a]\nrights = []", "role 'a': no key 'rights'; keys: about, pages, grants"),
        ('[a]\npages = "today"', "role 'a': pages = 'today' is no list"),
        ('["Pit Boss"]', "role 'Pit Boss': small letters, digits"),
        ("a = 1", "role 'a': write it as a table"),
        ("", "there is none"),
        ("[a", "cannot be read"),
    ],
)
def test_a_file_of_roles_that_cannot_be_is_told(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "roles.toml"
    path.write_text(text)
    with pytest.raises(BadInput) as caught:
        roles(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_roles_of_ones_own_take_the_place_of_the_others(tmp_path: Path) -> None:
    path = tmp_path / "roles.toml"
    path.write_text('[pit]\npages = ["floor"]\n')
    assert roles(path).keys() == {"pit"}


@pytest.mark.parametrize(
    "password", [GOOD, "x7KpQ2mV9sLd", "ein Dackel frisst Kohlrabi", "ü" * 3 + "qvnxtlpzbd"]
)
def test_a_password_of_any_composition_is_taken(password: str) -> None:
    accept(password, "ana")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short-Aq7x!", "11 characters"),
        ("q7" * 200, "400 characters"),
        ("password1234", "many passwords"),
        ("P@ssw0rd2025!", "many passwords"),
        ("qwertyuiop123", "many passwords"),
        ("aaaaaaaaaaaab", "many passwords"),
        ("xkqpxkqpxkqp", "many passwords"),
        ("194837265019", "many passwords"),
        ("hildegard-hildegard", "many passwords"),
        ("lakehouse-casino1", "many passwords"),
    ],
)
def test_a_password_that_many_have_is_refused_and_not_told(password: str, why: str) -> None:
    with pytest.raises(BadInput) as caught:
        accept(password, "hildegard")
    assert why in str(caught.value)
    assert password not in str(caught.value)


def test_a_name_makes_a_password_common_for_its_owner_alone() -> None:
    assert is_common("hildegard77-", "hildegard")
    assert not is_common("hildegard77-", "ana")


def test_a_password_is_kept_by_argon2_with_a_salt_of_its_own() -> None:
    kept = hashed(GOOD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert kept != hashed(GOOD)
    assert matches(GOOD, kept)
    assert not matches(GOOD.upper(), kept)
    assert not matches(GOOD + " ", kept)
    assert not matches(GOOD, None)
    assert not matches(GOOD, "no hash")


def test_a_password_counts_to_its_last_character() -> None:
    long = "".join(chr(0x4E00 + n) for n in range(256))
    assert matches(long, hashed(long))
    assert not matches(long + "x", hashed(long))
    assert not matches(long[:-1], hashed(long))


def test_letters_that_look_alike_in_unicode_are_one() -> None:
    """NIST SP 800-63B-4, 3.1.1.2: ü as one code point or as two, by which keyboard."""
    assert matches("mu\u0308hle-am-rauschen", hashed("m\u00fchle-am-rauschen"))


def test_users_are_kept_for_their_owner_alone_and_found_at_once(tmp_path: Path) -> None:
    here, elsewhere = Users(tmp_path / "s"), Users(tmp_path / "s")
    assert here.all() == []
    elsewhere.add("ana", ["analyst", "analyst"], GOOD, MADE)
    assert [u.name for u in here.all()] == ["ana"]
    assert here.who(" ANA ", GOOD) == here.find("ana")
    assert here.who("ana", "another") is None
    assert here.who("nobody", GOOD) is None
    kept = tmp_path / "s" / "users.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    assert GOOD not in kept.read_text()


def test_what_is_wrong_with_a_user_is_told(tmp_path: Path) -> None:
    users = Users(tmp_path)
    users.add("ana", ["analyst"], GOOD, MADE)
    with pytest.raises(BadInput, match="there is a user 'ana' already"):
        users.add("ana", ["host"], GOOD, MADE)
    for name in ("Ana", "", "-a", "a b", "a" * 64, "a\nb"):
        with pytest.raises(BadInput, match="small letters, digits"):
            users.add(name, ["host"], GOOD, MADE)
    with pytest.raises(BadInput, match="no user 'bob'; users: ana"):
        users.remove("bob")
    (tmp_path / "users.json").write_text("{")
    with pytest.raises(LakehouseError, match=r"the users in .* cannot be read"):
        users.all()


def test_a_link_in_place_of_the_users_is_not_followed(tmp_path: Path) -> None:
    Users(tmp_path / "a").add("ana", ["analyst"], GOOD, MADE)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "users.json").symlink_to(tmp_path / "a" / "users.json")
    with pytest.raises(LakehouseError, match="is a link"):
        Users(tmp_path / "b").all()


def test_any_change_makes_another_of_a_user(tmp_path: Path) -> None:
    users = Users(tmp_path)
    users.add("ana", ["analyst"], GOOD, MADE)
    seen = [users.find("ana")]
    seen.append(users.set_roles("ana", ["host"]))
    seen.append(users.set_password("ana", GOOD))
    seen.append(users.sign_out("ana"))
    users.remove("ana")
    users.add("ana", ["analyst"], GOOD, MADE)
    seen.append(users.find("ana"))
    assert len({repr(u) for u in seen}) == 5


def test_a_session_is_known_by_its_secret_of_which_the_server_has_the_hash() -> None:
    sessions = Sessions(1_800, 43_200, Seconds())
    secrets = {sessions.begin(ANA, "::1") for _ in range(50)}
    assert len(secrets) == 50
    assert {len(s) for s in secrets} == {43}  # 256 bits in base 64
    kept = repr(vars(sessions))
    assert not any(s in kept for s in secrets)
    assert sessions.find("x") is None


def test_a_session_ends_when_it_is_not_used_and_at_last_in_any_case() -> None:
    now = Seconds()
    sessions = Sessions(1_800, 43_200, now)
    found = sessions.find(sessions.begin(ANA, "::1"))
    assert found is not None
    began = now.at
    while now.at < began + 43_200 - 1_700:
        now.at += 1_700
        assert sessions.is_live(found)
        sessions.use(found)
    now.at = began + 43_200
    assert not sessions.is_live(found)
    unused = sessions.find(sessions.begin(ANA, "::1"))
    assert unused is not None
    now.at += 1_799
    assert sessions.is_live(unused)
    now.at += 1
    assert not sessions.is_live(unused)


def test_a_user_has_ten_sessions_at_most_and_the_oldest_makes_room() -> None:
    now = Seconds()
    sessions = Sessions(1_800, 43_200, now)
    secrets = []
    for _ in range(MOST + 1):
        now.at += 1
        secrets.append(sessions.begin(ANA, "::1"))
    assert sessions.find(secrets[0]) is None
    assert all(sessions.find(s) for s in secrets[1:])


def test_failures_cost_ever_more_time_up_to_a_quarter_of_an_hour() -> None:
    now = Seconds()
    lockout = Lockout(now)
    assert [lockout.take("ana", f"10.0.0.{n}") for n in range(5)] == [0.0] * 5
    waits = []
    for n in range(8):
        wait = lockout.take("ana", f"10.0.1.{n}")
        waits.append(wait)
        now.at += wait
        assert lockout.take("ana", f"10.0.1.{n}") == 0
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]


def test_a_name_that_nobody_has_locks_alike_and_others_stay_free() -> None:
    lockout = Lockout(Seconds())
    for n in range(5):
        lockout.take("nobody", f"10.0.0.{n}")
    assert lockout.take("nobody", "10.9.9.9") == 30
    assert lockout.take("ana", "10.9.9.9") == 0


def test_many_names_from_one_address_lock_the_address() -> None:
    lockout = Lockout(Seconds())
    assert {lockout.take(f"user{n}", "2001:db8::1") for n in range(20)} == {0.0}
    assert lockout.take("other", "2001:db8::ffff") == 30  # of the same /64
    assert lockout.take("other", "2001:db8:1::1") == 0


def test_a_success_forgets_the_failures_of_the_name() -> None:
    lockout = Lockout(Seconds())
    for _ in range(4):
        lockout.take("ana", "10.0.0.1")
    assert lockout.take("ana", "10.0.0.1") == 0
    lockout.succeeded("ana", "10.0.0.1")
    assert [lockout.take("ana", "10.0.0.2") for _ in range(5)] == [0.0] * 5


def test_the_log_is_added_to_a_line_at_a_time(tmp_path: Path) -> None:
    """ASVS 16.2.1 and 16.2.2: when in UTC, who, from where, what; 16.4.1: no line makes two."""
    clock = Clock()
    log = SignInLog(tmp_path / "s", clock)
    log.write("ana", "10.0.0.1", "signed in")
    first = log.path.read_bytes()
    log.write('eve"\n{"at": "now"}', "10.0.0.2", "page refused", "x" * 500)
    assert log.path.read_bytes().startswith(first)
    assert log.path.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in log.path.read_text().splitlines()]
    assert lines[0] == {
        "at": "2025-06-03T20:00:00Z", "who": "ana", "where": "10.0.0.1", "what": "signed in",
        "about": "",
    }  # fmt: skip
    assert len(lines) == 2
    assert len(log.read(1)[0].about) == 200


def test_what_anybody_can_repeat_is_written_once_a_minute(tmp_path: Path) -> None:
    clock = Clock()
    log = SignInLog(tmp_path, clock)
    for _ in range(5):
        log.write("ana", "10.0.0.1", "locked")
        log.write("ana", "10.0.0.1", "sign-in failed")
    clock.at += dt.timedelta(minutes=1)
    log.write("ana", "10.0.0.1", "locked")
    assert [e.what for e in log.read(99)].count("locked") == 2
    assert [e.what for e in log.read(99)].count("sign-in failed") == 5


def test_a_log_that_is_a_link_is_not_written(tmp_path: Path) -> None:
    (tmp_path / "signin.jsonl").symlink_to(tmp_path / "other")
    with pytest.raises(LakehouseError, match="cannot be written"):
        SignInLog(tmp_path, Clock()).write("ana", "::1", "signed in")
    assert not (tmp_path / "other").exists()


NUMBER = re.compile(r"(?<![\d.])(\d+\.\d+\.\d+)(?![\d.])")


def test_each_rule_that_is_said_to_be_kept_has_a_test_of_its_number() -> None:
    folder = Path(__file__).parent
    said = (folder.parent / "docs" / "sign-in.md").read_text(encoding="utf-8")
    lines = [line for line in said.splitlines() if re.match(r"\| \d", line)]
    kept = {n for line in lines for n in NUMBER.findall(line.split("|")[1])}
    names = "".join(p.read_text(encoding="utf-8") for p in folder.glob("test_signin_*.py"))
    tested = set()
    for name in re.findall(r"def test_((?:\d+_\d+_\d+_(?:and_)?)+)", names):
        tested |= {n.replace("_", ".") for n in re.findall(r"\d+_\d+_\d+", name)}
    assert len(kept) > 30
    assert kept == tested
