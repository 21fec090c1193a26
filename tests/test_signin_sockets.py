"""Sockets of pages: who may open one, what may be done through it, and when it ends."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from nicegui import core, ui
from nicegui.client import Client
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.signing import Browser, House, house

pytestmark = pytest.mark.slow
CLICKED: list[str] = []
CLIENT = re.compile(r'"client_id": ?"([0-9a-f-]{36})"|client_id[\'"]?: ?[\'"]([0-9a-f-]{36})')


@pytest.fixture
def home(tmp_path: Path) -> House:
    CLICKED.clear()
    return house(tmp_path, "ana", "hugo", idle_minutes=15)


@pytest.fixture
def at(home: House) -> Iterator[str]:
    app = home.app()

    @ui.page("/today/probe")
    def probe() -> None:
        ui.button("Do it", on_click=lambda: CLICKED.append("did"))

    with home.served(app) as address:
        yield address


@pytest.fixture
def often(at: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pings come twice a second; usually every four."""
    monkeypatch.setattr(core.sio.eio, "ping_interval", 0.5)


class Opened:
    """A page as it was drawn for a browser."""

    def __init__(self, browser: Browser) -> None:
        text = browser.get("/today/probe").text
        found = CLIENT.search(text)
        assert found, text
        self.client = found.group(1) or found.group(2)
        drawn = Client.instances[self.client].elements.values()
        (button,) = (e for e in drawn if e.tag == "q-btn")
        listeners = button._event_listeners.values()
        (self.listener,) = (each.id for each in listeners if each.type == "click")
        self.element = button.id
        self.browser = browser

    @contextmanager
    def socket(
        self,
        *,
        cookie: str | None = None,
        origin: str | None = None,
        transport: str = "websocket",
        client: str | None = None,
    ) -> Iterator[ClientConnection]:
        """As the page's own script opens it, but for what is given. Raises InvalidStatus."""
        asked = {
            "EIO": "4",
            "transport": transport,
            "client_id": client or self.client,
            "tab_id": "t",
            "document_id": "d",
            "next_message_id": "0",
            "implicit_handshake": "true",
        }
        said = self.browser.cookie if cookie is None else cookie
        with connect(
            f"ws://{self.browser.at}/_nicegui_ws/socket.io/?{urlencode(asked)}",
            origin=origin or f"http://{self.browser.at}",  # type: ignore[arg-type]
            additional_headers={"Cookie": said} if said else {},
        ) as found:
            assert str(found.recv(timeout=10)).startswith("0")
            found.send("40")
            yield found

    def click(self, socket: ClientConnection) -> None:
        told = {"id": self.element, "client_id": self.client, "listener_id": self.listener}
        socket.send("42" + json.dumps(["event", {**told, "args": []}]))


def told(socket: ClientConnection, until: str) -> list[str]:
    """Messages up to one that begins so, or to the end."""
    found = []
    ends = time.monotonic() + 30
    try:
        while time.monotonic() < ends:
            message = str(socket.recv(timeout=10))
            found.append(message)
            if message == "2":
                socket.send("3")
            if message.startswith(until):
                return found
    except ConnectionClosed:
        return found
    raise AssertionError(f"nothing that begins with {until!r} was told, and no end: {found}")


def settled(socket: ClientConnection) -> list[str]:
    """Waits until the server has taken all that was sent: it answers what asks for an answer."""
    socket.send('4277["ack",{"client_id":"nobody","next_message_id":0}]')
    return told(socket, until="4377")


def signed(at: str, name: str) -> Browser:
    browser = Browser(at)
    assert browser.sign_in(name).status_code == 303
    return browser


def test_a_page_acts_through_its_own_socket(at: str) -> None:
    page = Opened(signed(at, "ana"))
    with page.socket() as socket:
        assert told(socket, until="40")[-1].startswith("40")
        page.click(socket)
        settled(socket)
    assert CLICKED == ["did"]


def test_4_4_2_a_socket_of_another_site_is_refused(at: str, home: House) -> None:
    page = Opened(signed(at, "ana"))
    for origin in ("https://evil.example", "null", f"https://{at}", f"http://{at}.evil.example"):
        with pytest.raises(InvalidStatus) as refused, page.socket(origin=origin):
            pass
        assert refused.value.response.status_code == 403
    assert home.log()[-1].what == "origin refused"


def test_4_4_3_a_socket_of_nobody_is_refused(at: str) -> None:
    page = Opened(signed(at, "ana"))
    for cookie in ("", "lakehouse=x", "other=1"):
        with pytest.raises(InvalidStatus) as refused, page.socket(cookie=cookie):
            pass
        assert refused.value.response.status_code == 401


def test_a_page_of_somebody_else_is_not_entered(at: str) -> None:
    page, hugo = Opened(signed(at, "ana")), signed(at, "hugo")
    with page.socket(cookie=hugo.cookie) as socket:
        assert told(socket, until="4")[-1].startswith("44")  # socket.io: connection refused
    other = Browser(at)
    other.sign_in("ana")
    with page.socket(cookie=other.cookie) as socket:  # another session of the same user
        assert told(socket, until="4")[-1].startswith("44")


def test_nothing_is_done_through_a_page_of_somebody_else(at: str) -> None:
    page, own = Opened(signed(at, "ana")), Opened(signed(at, "hugo"))
    with page.socket() as open_page, own.socket() as socket:
        told(open_page, until="40")
        told(socket, until="40")
        page.click(socket)  # ana's client, over hugo's socket
        for kind in ("handshake", "javascript_response", "ack", "log"):
            sent = {"client_id": page.client, "level": "error", "message": "x", "tab_id": "t"}
            socket.send(f"42{json.dumps([kind, {**sent, 'next_message_id': 0}])}")
        settled(socket)
        assert CLICKED == []
        own.click(socket)
        settled(socket)
    assert CLICKED == ["did"]


def ended_by_sign_out(page: Opened, home: House) -> None:
    assert page.browser.post("/sign-out").status_code == 303


def ended_by_time(page: Opened, home: House) -> None:
    home.clock.wait(15 * 60)


def ended_by_roles(page: Opened, home: House) -> None:
    home.users.set_roles("ana", ["host"])


def ended_by_removal(page: Opened, home: House) -> None:
    home.users.remove("ana")


@pytest.mark.parametrize(
    "end", [ended_by_sign_out, ended_by_time, ended_by_roles, ended_by_removal]
)
def test_7_4_1_an_open_page_stops_when_the_session_ends(at: str, home: House, end: object) -> None:
    page = Opened(signed(at, "ana"))
    with page.socket() as socket:
        told(socket, until="40")
        end(page, home)  # type: ignore[operator]
        page.click(socket)
        said = told(socket, until="nothing")
        assert '42["open", {"path": "/sign-in", "new_tab": false}]' in said
        assert socket.close_code == 1008
    assert CLICKED == []


@pytest.mark.usefixtures("often")
def test_7_4_1_a_page_that_does_nothing_is_told_too(at: str, home: House) -> None:
    """With the server's next ping."""
    page = Opened(signed(at, "ana"))
    with page.socket() as socket:
        told(socket, until="40")
        home.users.sign_out("ana")
        assert told(socket, until="42")[-1].startswith('42["open"')


@pytest.mark.usefixtures("often")
def test_7_3_1_a_click_is_use_of_the_session_and_an_answered_ping_is_none(
    at: str, home: House
) -> None:
    page = Opened(signed(at, "ana"))
    with page.socket() as socket:
        told(socket, until="40")
        home.clock.wait(14 * 60)
        page.click(socket)
        settled(socket)
        home.clock.wait(14 * 60)
        for _ in range(2):  # the first may have come before the clock went on
            told(socket, until="2")
        assert page.browser.get("/account").status_code == 200
        home.clock.wait(2 * 60)
        assert page.browser.get("/account").status_code == 303
    assert CLICKED == ["did"]


def test_pages_are_kept_up_by_websocket_alone(at: str) -> None:
    page = Opened(signed(at, "ana"))
    answer = page.browser.get(
        f"/_nicegui_ws/socket.io/?EIO=4&transport=polling&client_id={page.client}"
    )
    assert answer.status_code == 403


def test_a_page_is_not_told_where_it_was_asked_for(at: str) -> None:
    """NiceGUI writes this header into addresses of scripts."""
    answer = signed(at, "ana").get("/today/probe", X_Forwarded_Prefix="//evil.example")
    assert answer.status_code == 200
    assert "evil.example" not in answer.text
