"""`lakehouse users`, what `lakehouse serve` refuses to open, and the page where nobody signs in."""

import datetime as dt
import io
import ipaddress
from contextlib import closing
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lakehouse.cli import run
from lakehouse.commands.serve import refuse_open
from lakehouse.errors import BadInput
from lakehouse.serve.http.tokens import Tokens
from lakehouse.serve.signin.demo import demo_users
from lakehouse.serve.signin.roles import roles
from lakehouse.serve.signin.users import Users
from lakehouse.settings import Settings
from tests.signing import MADE, SECRETS, Browser, House, house

HERE = ipaddress.ip_address("127.0.0.1")
SITE = "https://lake.example"
GOOD = "kettle-anvil-moss-trout"


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Users:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    return Users(tmp_path / "lake.serve")


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_user_is_made_changed_and_removed(
    users: Users, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["users", "list"]) == 0
    assert "no users: the page is for this machine alone" in capsys.readouterr().err
    typed(monkeypatch, GOOD + "\n")
    assert run(["users", "add", "ana", "--role", "analyst", "--role", "host"]) == 0
    assert users.who("ana", GOOD) is not None
    assert run(["users", "roles", "ana", "--role", "engineer"]) == 0
    assert [u.roles for u in users.all()] == [("engineer",)]
    typed(monkeypatch, "brick-lotus-pewter-yam\r\n")
    assert run(["users", "password", "ana"]) == 0
    assert users.who("ana", "brick-lotus-pewter-yam") is not None
    assert run(["users", "sign-out", "ana"]) == 0
    assert run(["users", "list"]) == 0
    assert "engineer" in capsys.readouterr().out
    assert run(["users", "remove", "ana"]) == 0
    assert users.all() == []
    capsys.readouterr()
    assert run(["users", "log"]) == 0
    said = capsys.readouterr().out
    assert [line.split("command line")[1].strip() for line in said.splitlines()] == [
        "user added  ana: analyst, host",
        "roles changed  ana: engineer",
        "password changed  ana",
        "sessions ended  ana",
        "user removed  ana",
    ]
    assert GOOD not in said
    assert run(["users", "log", "--last", "1"]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_what_each_role_opens_is_shown(users: Users, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["users", "roles"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in roles())


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (["add", "ana", "--role", "boss"], GOOD, "--role 'boss': roles are analyst, host"),
        (["add", "Ana", "--role", "host"], GOOD, "user 'Ana': small letters"),
        (["add", "ana", "--role", "host"], "short", "has 5 characters; 12 to 256"),
        (["add", "ana", "--role", "host"], "", "has 0 characters"),
        (["add", "ana", "--role", "host"], "password123456", "many passwords"),
        (["add", "ana"], GOOD, "--role"),
        (["password", "bob"], GOOD, "no user 'bob'; users: none"),
        (["roles", "bob", "--role", "host"], "", "no user 'bob'"),
        (["roles", "bob"], "", "name the roles"),
        (["roles", "--role", "host"], "", "goes with the name of a user"),
        (["remove", "bob"], "", "no user 'bob'"),
        (["sign-out", "bob"], "", "no user 'bob'"),
        (["log", "--last", "0"], "", "--last 0: 1 to 1000000"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    users: Users,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    stdin: str,
    said: str,
) -> None:
    typed(monkeypatch, stdin)
    assert run(["users", *arguments]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert users.all() == []


def settings_of(folder: Path, **page: object) -> Settings:
    return Settings(root=str(folder / "lake"), page=page)


def refusal(settings: Settings, host: str) -> str:
    try:
        refuse_open(settings, host)
    except BadInput as error:
        return str(error)
    return ""


def certificate(folder: Path) -> dict[str, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lake.example")])
    day = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(day)
        .not_valid_after(day + dt.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(HERE)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = {"tls_certificate": folder / "cert.pem", "tls_key": folder / "key.pem"}
    files["tls_certificate"].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files["tls_key"].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def test_others_are_let_in_by_tls_and_a_name_alone(tmp_path: Path) -> None:
    bare, tls = settings_of(tmp_path), certificate(tmp_path)
    assert refusal(bare, "127.0.0.1") == ""
    assert "there are neither tokens nor users" in refusal(bare, "0.0.0.0")
    Users(tmp_path / "lake.serve").add("ana", ["analyst"], GOOD, MADE)
    assert refusal(bare, "127.0.0.1") == ""
    assert "passwords would travel in the open; set page.tls_certificate" in refusal(bare, "::")
    assert "set page.origin" in refusal(settings_of(tmp_path, **tls), "0.0.0.0")
    assert refusal(settings_of(tmp_path, **tls, origin=SITE), "0.0.0.0") == ""
    proxied = settings_of(tmp_path, origin=SITE, proxies=["10.0.0.1"])
    assert refusal(proxied, "0.0.0.0") == ""
    assert refusal(proxied, "127.0.0.1") == ""


def test_programs_alone_are_served_to_others_as_before(tmp_path: Path) -> None:
    Tokens(tmp_path / "lake.serve" / "tokens.json").add("a", ["live"], "x", MADE)
    assert refusal(settings_of(tmp_path), "0.0.0.0") == ""


def test_a_certificate_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("x")
    tls = {"tls_certificate": tmp_path / "x.pem", "tls_key": tmp_path / "x.pem"}
    assert "are no certificate and its key in PEM" in refusal(
        settings_of(tmp_path, **tls), "127.0.0.1"
    )


@pytest.mark.parametrize(
    ("host", "page"),
    [("0.0.0.0", {}), ("127.0.0.1", {"proxies": ["10.0.0.1"]})],
)
def test_the_demos_users_are_for_this_machine_alone(
    tmp_path: Path, host: str, page: dict[str, object]
) -> None:
    assert demo_users(Users(tmp_path / "lake.serve"), roles(), MADE)
    tls = {} if page else certificate(tmp_path)
    said = refusal(settings_of(tmp_path, origin=SITE, **page, **tls), host)
    assert "the demo's users are for this machine alone" in said
    assert refusal(settings_of(tmp_path), "127.0.0.1") == ""


def test_the_demo_adds_no_users_to_those_of_a_house(tmp_path: Path) -> None:
    users = Users(tmp_path)
    first = demo_users(users, roles(), MADE)
    assert first
    assert users.who("protection", first) is not None
    second = demo_users(users, roles(), MADE)
    assert second != first
    assert users.who("protection", first) is None
    users.set_password("host", GOOD)  # who gives one a password takes it over
    assert demo_users(users, roles(), MADE) is None
    assert users.who("host", GOOD) is not None


@pytest.mark.slow
def test_without_users_this_machine_sees_all_pages_and_nobody_else_any(tmp_path: Path) -> None:
    with house(tmp_path).served() as address:
        browser = Browser(address)
        assert browser.get("/compliance").status_code == 200
        assert "Sign out" not in browser.get("/today").text
        assert browser.get("/sign-in").status_code == 404
        for host in ("lake.example", "127.0.0.1.evil.example", ""):
            foreign = Browser(address, host=host or "evil.example:80")
            assert foreign.get("/today").status_code == 403
        assert browser.post("/today", Origin="https://evil.example").status_code == 403


@pytest.mark.slow
def test_with_users_this_machine_signs_in_too(tmp_path: Path) -> None:
    with house(tmp_path, "ana").served() as address:
        assert Browser(address).get("/today").status_code == 303
        assert Browser(address).get("/healthz").status_code == 200


@pytest.mark.slow
def test_with_tokens_and_no_users_there_is_no_page(tmp_path: Path) -> None:
    home = house(tmp_path)
    Tokens(home.folder / "tokens.json").add("a", ["live"], "x", MADE)
    with home.served() as address:
        assert Browser(address).get("/today").status_code == 404


@pytest.mark.slow
def test_a_server_with_a_certificate_signs_people_in_by_tls(tmp_path: Path) -> None:
    tls = certificate(tmp_path)
    home: House = house(tmp_path, "ana", origin=SITE, **tls)
    files = {"ssl_certfile": tls["tls_certificate"], "ssl_keyfile": tls["tls_key"]}
    with home.served(**files) as address:
        asked = Browser(address, origin=SITE, host="lake.example", tls=tls["tls_certificate"])
        with closing(asked) as browser:
            answer = browser.sign_in("ana", SECRETS["ana"])
            assert answer.headers["Set-Cookie"].startswith("__Host-lakehouse=")
            assert "Secure" in answer.headers["Set-Cookie"]
            assert browser.get("/today").status_code == 200
