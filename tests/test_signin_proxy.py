"""Those who come by a proxy: whom it vouches for, and whom nobody believes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lakehouse.errors import BadInput
from lakehouse.serve.signin.doorman import Doorman
from lakehouse.serve.signin.site import Site
from lakehouse.serve.signin.wanted import PageSettings
from tests.signing import Browser, Clock, House, house

pytestmark = pytest.mark.slow
SITE = "https://lake.example"
VOUCHED = {
    "origin": SITE,
    "proxies": ("127.0.0.1",),
    "user_header": "X-Auth-User",
    "groups_header": "X-Auth-Groups",
    "groups": {"bsa": "compliance", "hosts": "host"},
}


@pytest.fixture
def home(tmp_path: Path) -> House:
    return house(tmp_path, "ana", **VOUCHED)


@pytest.fixture
def at(home: House) -> Iterator[str]:
    with home.served() as address:
        yield address


def proxied(at: str, **more: Any) -> Browser:
    return Browser(at, origin=SITE, host="lake.example", **more)


def test_a_proxy_says_who_it_is_and_groups_give_roles(at: str, home: House) -> None:
    browser = proxied(at)
    cora = {"X_Auth_User": "cora@lake.example", "X_Auth_Groups": "staff, bsa"}
    assert browser.get("/compliance", **cora).status_code == 200
    assert browser.get("/shop", **cora).status_code == 403
    assert "cora@lake.example" in browser.get("/account", **cora).text
    told = [(e.who, e.what, e.about) for e in home.log()]
    assert told == [
        ("cora@lake.example", "signed in", "by X-Auth-User: compliance"),
        ("cora@lake.example", "page refused", "shop"),
    ]


def test_roles_go_with_the_groups_at_once(at: str) -> None:
    browser = proxied(at)
    assert browser.get("/compliance", X_Auth_User="c", X_Auth_Groups="bsa").status_code == 200
    assert browser.get("/compliance", X_Auth_User="c", X_Auth_Groups="hosts").status_code == 403
    nothing = browser.get("/today", X_Auth_User="c", X_Auth_Groups="staff")
    assert nothing.status_code == 403
    assert "No role of yours opens any page." in nothing.text


@pytest.mark.parametrize(
    "sent", [{}, {"X_Auth_User": ""}, {"X_Auth_Groups": "bsa"}, {"X_Forwarded_User": "cora"}]
)
def test_whom_the_proxy_does_not_name_is_nobody(at: str, sent: dict[str, str]) -> None:
    assert proxied(at).get("/compliance", **sent).status_code == 303


def test_a_name_that_is_more_than_a_name_is_refused_and_logged(at: str, home: House) -> None:
    answer = proxied(at).get("/compliance", X_Auth_User="x" * 300, X_Auth_Groups="bsa")
    assert answer.status_code == 303
    assert [(e.who, e.what) for e in home.log()] == [("-", "header refused")]


def test_a_header_that_is_there_twice_is_not_believed(tmp_path: Path) -> None:
    """One of them is what the sender wrote."""
    doorman = Doorman(PageSettings(**VOUCHED), tmp_path, Clock())
    scope = {
        "type": "http",
        "client": ("127.0.0.1", 1),
        "headers": [(b"x-auth-user", b"cora"), (b"x-auth-user", b"eve")],
    }
    assert doorman.visit(scope) is None
    scope["headers"].pop()  # type: ignore[attr-defined]
    assert doorman.visit(scope) is not None


def test_nobody_elses_word_is_taken(at: str, home: House) -> None:
    stranger = proxied(at, peer="127.0.0.2")
    answer = stranger.get("/compliance", X_Auth_User="cora", X_Auth_Groups="bsa")
    assert answer.status_code == 403
    assert "not the way" in answer.text


def test_a_header_by_another_way_that_is_open_is_ignored_and_logged(tmp_path: Path) -> None:
    """A server with TLS of its own takes people without the proxy too, and not their word."""
    pem = tmp_path / "any.pem"
    pem.write_text("")
    page = PageSettings(**VOUCHED, tls_certificate=pem, tls_key=pem)
    doorman = Doorman(page, tmp_path / "s", Clock())
    scope = {
        "type": "http",
        "client": ("203.0.113.9", 1),
        "headers": [(b"x-auth-user", b"cora"), (b"x-auth-groups", b"bsa")],
    }
    assert doorman.visit(scope) is None
    (entry,) = doorman.log.read(9)
    assert (entry.where, entry.what) == ("203.0.113.9", "header refused")


def test_a_vouched_session_ends_with_its_socket_when_it_is_not_used(home: House, at: str) -> None:
    browser, cora = proxied(at), {"X_Auth_User": "cora", "X_Auth_Groups": "bsa"}
    browser.get("/compliance", **cora)
    home.clock.wait(30 * 60)
    browser.get("/compliance", **cora)
    assert [e.what for e in home.log()] == ["signed in", "signed in"]


def test_users_of_ours_sign_in_beside_it(at: str) -> None:
    browser = proxied(at)
    assert browser.sign_in("ana").status_code == 303
    assert browser.get("/floor").status_code == 200


@pytest.mark.parametrize(
    ("said", "sender"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("10.0.0.1, 198.51.100.7", "198.51.100.7"),  # what a sender writes stands first
        ("198.51.100.7, 10.2.0.1", "198.51.100.7"),
        ("", "10.2.0.9"),
        ("nonsense", "nonsense"),
        ("x" * 500, "x" * 64),
    ],
)
def test_the_address_is_the_last_one_that_is_no_proxy_of_ours(said: str, sender: str) -> None:
    site = Site.of(PageSettings(origin=SITE, proxies=("10.2.0.0/16",)))
    headers = [(b"x-forwarded-for", said.encode())] if said else []
    assert site.sender({"type": "http", "client": ("10.2.0.9", 1), "headers": headers}) == sender
    stranger = {"type": "http", "client": ("10.3.0.9", 1), "headers": headers}
    assert site.sender(stranger) == "10.3.0.9"


def test_programs_need_a_token_where_others_come_by_a_proxy(at: str, tmp_path: Path) -> None:
    """A proxy on this machine speaks for anybody, and many call us by our own name."""
    answer = Browser(at).get("/metrics")
    assert answer.status_code == 401
    assert Browser(at).get("/healthz").status_code == 200


def test_a_group_with_a_role_that_there_is_not_is_told(tmp_path: Path) -> None:
    page = PageSettings(**VOUCHED | {"groups": {"bsa": "boss"}})
    with pytest.raises(BadInput, match="'bsa' is given the role 'boss'; roles: analyst, host"):
        Doorman(page, tmp_path, Clock())
