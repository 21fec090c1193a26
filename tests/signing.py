"""The application that `lakehouse serve` builds, with users of a test, under a clock of its own."""

import datetime as dt
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import uvicorn
from fastapi import FastAPI
from nicegui import core
from requests.adapters import HTTPAdapter

from lakehouse.commands.serve import application, place_of
from lakehouse.ingest.streams.transport import transport
from lakehouse.serve.http.app import Bounds
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
    def users(self) -> Users:
        return Users(place_of(self.settings))

    def log(self) -> list[Entry]:
        return SignInLog(place_of(self.settings), self.clock).read(1_000)

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
    def served(self, **more: Any) -> Iterator[str]:
        """Behind a server as `lakehouse serve` sets it up: host and port."""
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            config = uvicorn.Config(
                self.app(), log_level="critical", proxy_headers=False, server_header=False, **more
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
    """Asks as a browser does: with cookies and the headers by which one says where it stands.
    `peer`: the address of this machine that it comes from."""

    def __init__(
        self, at: str, *, origin: str | None = None, host: str = "", peer: str = "127.0.0.1"
    ) -> None:
        self.at, self.scheme = at, "http"
        self._session = requests.Session()
        self._session.mount("http://", _From(peer))
        self._session.headers.update(
            {"Accept": "text/html", "Origin": origin or f"http://{at}", "Host": host or at}
        )
        self.cookies = self._session.cookies

    def get(self, path: str, **headers: str) -> requests.Response:
        return self._ask("GET", path, headers, None)

    def post(self, path: str, data: Any = None, **headers: str) -> requests.Response:
        return self._ask("POST", path, headers, data)

    def sign_in(self, name: str, password: str = "", **more: str) -> requests.Response:
        sent = {"name": name, "password": password or SECRETS.get(name, ""), **more}
        return self.post("/sign-in", sent)

    def _ask(self, method: str, path: str, headers: dict[str, str], data: Any) -> requests.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._session.request(
            method,
            f"{self.scheme}://{self.at}{path}",
            headers=sent,
            data=data,
            allow_redirects=False,
            timeout=60,
        )


class _From(HTTPAdapter):
    def __init__(self, peer: str) -> None:
        self._peer = peer
        super().__init__()

    def init_poolmanager(self, *given: Any, **more: Any) -> None:
        super().init_poolmanager(*given, source_address=(self._peer, 0), **more)


def house(folder: Path, *names: str, **page: Any) -> House:
    """A house with these users of the table above, each with the role of theirs."""
    settings = Settings(root=str(folder / "lake"), domains=DOMAINS, page=page)
    made = House(settings)
    for name in names:
        made.users.add(name, [ROLES[name]], SECRETS[name], MADE)
    return made
