"""The application behind a server of its own, in a thread, as clients see it."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from lakehouse.ingest.streams.topics import Transport
from lakehouse.ingest.streams.transport import transport
from lakehouse.serve.http.app import Bounds, app
from lakehouse.serve.http.live import View
from lakehouse.serve.http.numbers import Signals
from lakehouse.settings import Settings, load_settings

BOUNDS = Bounds()
AT = 1_750_000_000


def settings_of(folder: Path, **more: Any) -> Settings:
    named = {"root": str(folder / "lake"), "domains": ("online", "platform", "shop")}
    return load_settings(**named | more)


@contextmanager
def served(
    settings: Settings,
    *,
    log: Transport | None = None,
    views: Mapping[str, View] | None = None,
    generate: Callable[[int], Path] = lambda records: Path(f"clickstream_{records}.csv"),
    bounds: Bounds = BOUNDS,
    now: Callable[[], int] = lambda: AT,
    clock: Callable[[], float] = time.monotonic,
    signals: Signals = list,
) -> Iterator[str]:
    """Its address."""
    made = app(
        settings,
        log or transport(settings),
        now=now,
        generate=generate,
        views=views or {},
        bounds=bounds,
        clock=clock,
        signals=signals,
    )
    config = uvicorn.Config(made, port=0, log_level="critical", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the application did not start"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
