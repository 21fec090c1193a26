"""The application that `lakehouse serve` builds, with users of a test, under a clock of its own."""

import datetime as dt
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from argon2 import PasswordHasher
from fastapi import FastAPI
from nicegui import core
from requests.adapters import HTTPAdapter

from lakehouse.commands.serve import application, place_of
from lakehouse.ingest.streams.transport import transport
from lakehouse.serve.http.app import Bounds
from lakehouse.serve.signin import users
from lakehouse.serve.signin.journal import Entry, SignInLog
from lakehouse.serve.signin.users import Users
from lakehouse.settings import DOMAINS, Settings
from lakehouse.storage import Lake

MADE = "2025-06-03T20:00:00Z"
SECRETS = {
    "ana": "kettle-anvil-moss-trout",
    "hugo": "plum-gravel-otter-lamp",
    "cora": "tundra-velvet-spoon-fig",
    "pia": "walnut-harbor-quilt-zinc",
    "egon": "magnet-fjord-clover-tap",
}
ROLES = {
    "ana": "analyst",
    "hugo": "host",
    "cora": "compliance",
    "pia": "protection",
    "egon": "engineer",
}


@dataclass
class Clock:
    """The time of a test, which it moves."""

    at: dt.datetime = dt.datetime(2025, 6, 3, 20, 0, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.at

    def wait(self, seconds: float) -> None:
        self.at += dt.timedelta(seconds=seconds)


@dataclass
class House:
    """An application, its settings and its clock."""

    settings: Settings
    clock: Clock = field(default_factory=Clock)
    host: str = "127.0.0.1"

    @property
    def folder(self) -> Path:
        return place_of(self.settings)

    @property
    def users(self) -> Users:
        return Users(self.folder)

    def log(self) -> list[Entry]:
        return SignInLog(self.folder, self.clock).read(1_000)

    def app(self) -> FastAPI:
        core.app.middleware_stack = None  # one process serves one application, but for tests
        core.app.user_middleware.clear()
        return application(
            self.settings,
            Lake.open(self.settings),
            transport(self.settings),
            self.host,
            Path("generated"),
            Bounds(),
            self.clock,
        )

    @contextmanager
    def served(self, app: FastAPI | None = None, **more: Any) -> Iterator[str]:
        """Behind a server as `lakehouse serve` sets it up: host and port."""
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            config = uvicorn.Config(
                app or self.app(),
                log_level="critical",
                proxy_headers=False,
                server_header=False,
                **more,
            )
            server = uvicorn.Server(config)
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            try:
                while not server.started:
                    assert thread.is_alive(), "the application did not start"
                    time.sleep(0.01)
                yield f"127.0.0.1:{listening.getsockname()[1]}"
            finally:
                server.should_exit = True
                thread.join()


class Browser:
    """Asks as a browser does: with cookies, by TLS or not, and the headers by which it says where
    it stands. `peer`: the address of this machine that it comes from."""

    def __init__(
        self,
        at: str,
        *,
        origin: str | None = None,
        host: str = "",
        peer: str = "127.0.0.1",
        tls: Path | None = None,
    ) -> None:
        self.at = at
        self._scheme, self._verify = ("https", str(tls)) if tls else ("http", None)
        self.cookies: dict[str, str] = {}
        self._session = requests.Session()
        self._session.mount(f"{self._scheme}://", _From(peer))
        self._session.headers.update(
            {"Accept": "text/html", "Origin": origin or f"http://{at}", "Host": host or at}
        )
        if tls:  # for a client that goes first, and says no word of TLS, a server waits 30 seconds
            self._session.headers["Connection"] = "close"

    def close(self) -> None:
        """Ends its connections: a server that is told to end waits for those by TLS."""
        self._session.close()

    def get(self, path: str, **headers: str) -> requests.Response:
        return self._ask("GET", path, headers, None)

    def post(self, path: str, data: Any = None, **headers: str) -> requests.Response:
        return self._ask("POST", path, headers, data)

    def sign_in(self, name: str, password: str = "", **more: str) -> requests.Response:
        sent = {"name": name, "password": password or SECRETS.get(name, ""), **more}
        return self.post("/sign-in", sent)

    @property
    def cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def _ask(self, method: str, path: str, headers: dict[str, str], data: Any) -> requests.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = self._session.request(
            method,
            f"{self._scheme}://{self.at}{path}",
            headers={"Cookie": self.cookie, **sent} if self.cookies else sent,
            data=data,
            allow_redirects=False,
            verify=self._verify,
            timeout=60,
        )
        self._session.cookies.clear()
        for name, morsel in SimpleCookie(answer.headers.get("Set-Cookie", "")).items():
            self.cookies[name] = morsel.value
            if morsel["max-age"] == "0":
                del self.cookies[name]
        return answer


class _From(HTTPAdapter):
    def __init__(self, peer: str) -> None:
        self._peer = peer
        super().__init__()

    def init_poolmanager(self, *given: Any, **more: Any) -> None:
        super().init_poolmanager(*given, source_address=(self._peer, 0), **more)


QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def house(folder: Path, *names: str, **page: Any) -> House:
    """A house with these users of the table above, each with the role of theirs. Their passwords
    are hashed for less than the house's own cost, which is a quarter of a second a sign-in:
    `set_password` gives one a hash of that."""
    settings = Settings(root=str(folder / "lake"), domains=DOMAINS, page=page)
    made = House(settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "hashed", QUICK.hash)
        for name in names:
            made.users.add(name, [ROLES[name]], SECRETS[name], MADE)
    return made


def answers(browser: Browser, *paths: str) -> list[requests.Response]:
    return [browser.get(path) for path in paths]


def every_kind(browser: Browser) -> list[requests.Response]:
    """An answer of each kind, before and after signing in."""
    csv = "/figures/today/win.csv?day=2025-01-01&first=2025-01-01&last=2025-01-01"
    asked = ("/", "/today", "/sign-in", csv, "/nowhere", "/account", "/fraud", "/healthz", "/docs")
    before = answers(browser, *asked)
    return [*before, browser.sign_in("ana"), *answers(browser, *asked), browser.post("/nowhere")]


def set_cookie(answer: requests.Response) -> tuple[str, dict[str, str]]:
    (name, morsel), *_ = SimpleCookie(answer.headers["Set-Cookie"]).items()
    return name, {k: v for k, v in morsel.items() if v}
