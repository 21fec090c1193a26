"""The application: what it is made of comes from outside, so that it holds no state of its own."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import Depends, FastAPI, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import BaseModel
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lakehouse.ingest.streams.topics import Transport
from lakehouse.ingest.streams.transport import folder, topics_in
from lakehouse.locks import locked
from lakehouse.private_files import close_folder
from lakehouse.serve.http.access import Door
from lakehouse.serve.http.documents import page
from lakehouse.serve.http.events import events_router
from lakehouse.serve.http.generated import generate_router
from lakehouse.serve.http.live import View, live_router
from lakehouse.serve.http.numbers import TYPE, Numbers, Signals
from lakehouse.serve.http.refusals import handle_refusals, refused
from lakehouse.serve.http.tokens import Limits, Tokens
from lakehouse.serve.http.writing import Writer
from lakehouse.settings import Settings

LOCK, TAKEN = "serve.lock", "events are taken in"
_DOCUMENTS = (
    "default-src 'none'; style-src 'unsafe-inline'; object-src 'none'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
ABOUT = "Events into the lake, and what is so now out of it. Nothing here needs another service."


@dataclass(frozen=True)
class Bounds:
    """How much is taken."""

    most_bytes: int = 8 * 2**20
    """Of one request, packed or not."""
    events_per_second: float = 100_000
    """Of one sender."""


class Health(BaseModel):
    status: str
    topics: int


def place(settings: Settings) -> Path:
    """The folder beside the lake where tokens and the journal of requests are."""
    topics = folder(settings)
    return topics.with_name(f"{topics.name.removesuffix('.topics')}.serve")


def app(
    settings: Settings,
    transport: Transport,
    *,
    now: Callable[[], int],
    generate: Callable[[int], Path],
    views: Mapping[str, View],
    bounds: Bounds = Bounds(),
    clock: Callable[[], float] = time.monotonic,
    signals: Signals = list,
) -> FastAPI:
    """An application that takes events into the topics of a lake. One process at a time has it:
    it raises LakehouseError on its start where another does. `now`: seconds since 1970."""
    here, numbers = place(settings), Numbers(signals)
    door = Door(Tokens(here / "tokens.json"), is_proxied=bool(settings.page.proxies))
    writer = Writer(transport, here / "requests.sqlite", now, numbers.took)

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        close_folder(here)
        with ExitStack() as stack:
            stack.enter_context(locked(here / LOCK, TAKEN, wait_seconds=0))
            for topic in topics_in(settings):
                if topic not in transport.topics():
                    transport.create(topic, settings.topic_partitions)
            writer.start()
            stack.callback(writer.stop)
            yield

    made = FastAPI(
        title="lakehouse",
        description=ABOUT,
        version="1",
        docs_url=None,
        redoc_url=None,
        lifespan=living,
        redirect_slashes=False,
    )
    handle_refusals(made)
    made.add_middleware(Counted, numbers=numbers, clock=clock)
    limits = Limits(bounds.events_per_second, clock)
    if tables := topics_in(settings):
        made.include_router(events_router(tables, door, writer, limits, bounds.most_bytes))
    made.include_router(live_router(views, door))
    made.include_router(generate_router(generate, door))
    _about(made, transport, door, numbers)
    return made


def _about(made: FastAPI, transport: Transport, door: Door, numbers: Numbers) -> None:
    @made.get("/healthz", tags=["about"], responses=refused(503))
    def healthz() -> Health:
        """Whether the log of events answers."""
        return Health(status="ok", topics=len(transport.topics()))

    @made.get(
        "/metrics",
        tags=["about"],
        response_class=PlainTextResponse,
        responses=refused(401, 403),
        dependencies=[Depends(door.needs(""))],
    )
    def metrics() -> Response:
        """Counters and the monitor's signals, for Prometheus."""
        return Response(numbers.text(), media_type=TYPE)

    @made.get("/docs", include_in_schema=False)
    def documents() -> HTMLResponse:
        return HTMLResponse(
            page(made.openapi()),
            headers={"Content-Security-Policy": _DOCUMENTS},
        )


class Counted:
    """Counts the answers of an application by route and status, and times them up to their
    first byte."""

    def __init__(self, app: ASGIApp, numbers: Numbers, clock: Callable[[], float]) -> None:
        self._app = app
        self._numbers = numbers
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock()

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                seconds = self._clock() - began
                self._numbers.answered(scope["method"], route, message["status"], seconds)
            await send(message)

        await self._app(scope, receive, sent)
