"""The door under settings, users and clocks of each test's own: sessions that end, locks, TLS by a
proxy. One server at a time is alive in a process."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from nicegui import core

from lakehouse.serve.signin.gate import page_of
from tests.signing import MADE, SECRETS, Browser, every_kind, house, set_cookie

pytestmark = pytest.mark.slow
SITE = "https://lake.example"
PROXIED = {"origin": SITE, "proxies": ("127.0.0.1",)}


@pytest.fixture
def behind_tls(tmp_path: Path) -> Iterator[Browser]:
    """One who comes by a proxy that sees to TLS."""
    with house(tmp_path, "ana", **PROXIED).served() as address:
        yield Browser(address, origin=SITE, host="lake.example")


def test_3_3_1_and_3_3_3_the_cookie_is_secure_and_of_this_host_alone(behind_tls: Browser) -> None:
    name, about = set_cookie(behind_tls.sign_in("ana"))
    assert name == "__Host-lakehouse"
    assert about["secure"] is True
    assert about["path"] == "/"
    assert "domain" not in about
    assert behind_tls.get("/today").status_code == 200


def test_3_4_1_tls_is_asked_for_a_year_with_subdomains(behind_tls: Browser) -> None:
    for answer in every_kind(behind_tls):
        said = answer.headers["Strict-Transport-Security"]
        assert said == "max-age=31536000; includeSubDomains", answer.url


def test_6_2_2_and_6_2_3_one_changes_ones_password_with_the_one_before(tmp_path: Path) -> None:
    new = "brick-lotus-pewter-yam"
    home = house(tmp_path, "ana")
    with home.served() as address:
        browser = Browser(address)
        browser.sign_in("ana")
        wrong = browser.post("/account/password", {"password": new, "new": new})
        assert wrong.status_code == 422
        assert "The password that you have now is another." in wrong.text
        short = browser.post("/account/password", {"password": SECRETS["ana"], "new": "short"})
        assert "5 characters; 12 to 256 are allowed" in short.text
        changed = browser.post("/account/password", {"password": SECRETS["ana"], "new": new})
        assert changed.status_code == 303
        assert browser.get("/today").status_code == 200
        assert Browser(address).sign_in("ana").status_code == 403
        assert Browser(address).sign_in("ana", new).status_code == 303
    assert [e.what for e in home.log() if e.what == "password changed"] == ["password changed"]


def test_6_3_1_guessing_is_slowed_and_the_right_password_waits_too(tmp_path: Path) -> None:
    home = house(tmp_path, "ana")
    with home.served() as address:
        browser = Browser(address)
        assert {browser.sign_in("ana", "wrong").status_code for _ in range(5)} == {403}
        locked = browser.sign_in("ana")
        assert locked.status_code == 429
        assert locked.headers["Retry-After"] == "30"
        assert "Try again in 1 minute." in locked.text
        home.clock.wait(30)
        assert browser.sign_in("ana").status_code == 303
    assert [e.what for e in home.log()] == ["sign-in failed"] * 5 + ["locked", "signed in"]


def test_6_3_1_many_at_once_are_counted_as_many(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    home = house(tmp_path, "ana")
    home.users.set_password("ana", SECRETS["ana"])  # so that each takes its time
    with home.served() as address, ThreadPoolExecutor(12) as pool:
        tries = pool.map(lambda _: Browser(address).sign_in("ana", "x").status_code, range(12))
    assert sorted(tries) == [403] * 5 + [429] * 7


def test_6_3_2_no_user_is_there_of_itself(tmp_path: Path) -> None:
    assert house(tmp_path).users.all() == []


def test_6_3_8_a_name_that_nobody_has_is_locked_alike(tmp_path: Path) -> None:
    with house(tmp_path, "ana").served() as address:
        said = []
        for name in ("ana", "nobody"):
            answers = [Browser(address).sign_in(name, "wrong") for _ in range(6)]
            said.append([(a.status_code, a.headers.get("Retry-After"), a.text) for a in answers])
    assert said[0] == said[1]


def test_7_3_1_and_7_3_2_a_session_ends_unused_and_at_last(tmp_path: Path) -> None:
    home = house(tmp_path, "ana", idle_minutes=15, hours=1)
    with home.served() as address:
        browser = Browser(address)
        browser.sign_in("ana")
        home.clock.wait(899)
        assert browser.get("/today").status_code == 200
        home.clock.wait(900)
        assert browser.get("/today").status_code == 303
        browser.sign_in("ana")
        for _ in range(5):
            home.clock.wait(600)
            assert browser.get("/today").status_code == 200
        home.clock.wait(600)
        assert browser.get("/today").status_code == 303


def test_7_4_2_and_7_4_5_an_operator_ends_sessions_from_outside(tmp_path: Path) -> None:
    home = house(tmp_path, "ana", "hugo", "cora", "pia")
    with home.served() as address:
        open_pages = {name: Browser(address) for name in ("ana", "hugo", "cora", "pia")}
        for name, browser in open_pages.items():
            browser.sign_in(name)
        home.users.remove("ana")
        home.users.set_password("hugo", "brick-lotus-pewter-yam")
        home.users.sign_out("cora")
        seen = {name: b.get("/today").status_code for name, b in open_pages.items()}
    assert seen == {"ana": 303, "hugo": 303, "cora": 303, "pia": 200}


def test_7_4_3_a_new_password_ends_the_other_sessions(tmp_path: Path) -> None:
    with house(tmp_path, "ana").served() as address:
        here, there = Browser(address), Browser(address)
        here.sign_in("ana")
        there.sign_in("ana")
        new = {"password": SECRETS["ana"], "new": "brick-lotus-pewter-yam"}
        here.post("/account/password", new)
        assert here.get("/today").status_code == 200
        assert there.get("/today").status_code == 303


def test_7_5_2_one_sees_ones_sessions_and_ends_them_with_the_password(tmp_path: Path) -> None:
    with house(tmp_path, "ana").served() as address:
        here, there = Browser(address), Browser(address)
        here.sign_in("ana")
        there.sign_in("ana")
        assert here.get("/account").text.count("<td>127.0.0.1</td>") == 2
        assert here.post("/account/others", {"password": "wrong"}).status_code == 422
        assert there.get("/today").status_code == 200
        assert here.post("/account/others", {"password": SECRETS["ana"]}).status_code == 303
        assert here.get("/today").status_code == 200
        assert there.get("/today").status_code == 303


def test_8_2_1_roles_that_changed_hold_at_once(tmp_path: Path) -> None:
    home = house(tmp_path, "ana")
    with home.served() as address:
        browser = Browser(address)
        browser.sign_in("ana")
        home.users.set_roles("ana", ["host"])
        assert browser.get("/sql").status_code == 303
        browser.sign_in("ana")
        assert browser.get("/data").status_code == 403


def test_16_3_1_and_16_3_2_what_happens_at_the_door_is_in_the_log(tmp_path: Path) -> None:
    home = house(tmp_path, "ana")
    with home.served() as address:
        browser = Browser(address)
        browser.sign_in("ana", "wrong")
        browser.sign_in("ana")
        browser.get("/compliance")
        browser.post("/sign-out")
    assert [(e.at, e.who, e.where, e.what) for e in home.log()] == [
        (MADE, "ana", "127.0.0.1", "sign-in failed"),
        (MADE, "ana", "127.0.0.1", "signed in"),
        (MADE, "ana", "127.0.0.1", "page refused"),
        (MADE, "ana", "127.0.0.1", "signed out"),
    ]


def test_16_5_3_what_cannot_be_written_down_does_not_happen(tmp_path: Path) -> None:
    home = house(tmp_path, "ana")
    with home.served() as address:
        (home.folder / "signin.jsonl").mkdir()
        browser = Browser(address)
        answer = browser.sign_in("ana")
        assert answer.status_code == 503
        assert "Set-Cookie" not in answer.headers
        assert browser.get("/today").status_code == 303


def test_3_4_1_without_tls_nothing_is_said_of_it(tmp_path: Path) -> None:
    with house(tmp_path, "ana").served() as address:
        for answer in every_kind(Browser(address)):
            assert "Strict-Transport-Security" not in answer.headers, answer.url


def test_8_3_1_every_address_is_of_a_page_of_the_door_or_of_programs(tmp_path: Path) -> None:
    """Who adds an address elsewhere opens it to whoever is signed in, with any role."""
    home = house(tmp_path, "ana")
    app = home.app()
    programs = {"/openapi.json", "/docs", "/healthz", "/metrics", "/generate"}
    known = {"", "/", "/sign-in", "/sign-out", "/figures/{page}/{name}.csv", *programs}
    door = ("/account", "/live", "/events", "/_nicegui")
    paths = {getattr(r, "path", "") for r in (*app.routes, *core.app.routes)}
    left = {p for p in paths - known if page_of(p) is None and not p.startswith(door)}
    assert left <= {"/favicon.ico"}
    assert len(paths) > 20
