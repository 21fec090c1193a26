"""Events by hand, a log for them, and a worker over it."""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from lakehouse.ingest.streams.log import Log
from lakehouse.ingest.streams.topics import Transport
from lakehouse.ingest.streams.worker import Limits, Worker
from lakehouse.settings import Settings, load_settings
from lakehouse.storage import Lake

TABLE = TOPIC = "clickstream"
DAY = dt.date(2025, 1, 2)
AT = dt.datetime(2025, 1, 3, 20, tzinfo=dt.UTC)
"""When the log takes messages and the worker works, unless something else is said."""
EVENT = {
    "timestamp": "2025-01-02T20:00:00Z",
    "user_id": "A1",
    "event_type": "game_start",
    "game_name": "slots",
    "bet_amount": 0,
    "win_amount": 0,
    "device": "mobile",
    "country": "US",
    "is_bonus": False,
}


def settings_at(folder: Path, **more: Any) -> Settings:
    given = {"root": str(folder / "lake"), "sources": {TABLE: "stream"}, "wait_seconds": 5}
    given["domains"] = ("online",)
    return load_settings(**given | more)


def log_at(folder: Path, partitions: int = 1, **more: Any) -> Log:
    """The log of the lake in a folder, with the topic."""
    log = Log(folder / "lake.topics", clock=lambda: int(AT.timestamp() * 1000), **more)
    log.create(TOPIC, partitions)
    return log


def event(number: object, **more: object) -> dict[str, object]:
    return EVENT | {"event_id": f"e{number}"} | more


def send(log: Transport, *events: Mapping[str, object] | bytes, key: str = "A1") -> None:
    values = [e if isinstance(e, bytes) else json.dumps(e).encode() for e in events]
    keys = [key.encode()] * len(values)
    log.send(TOPIC, pl.DataFrame({"key": keys, "value": values}))


def worker_at(folder: Path, log: Transport | None = None, **more: Any) -> Worker:
    settings = settings_at(folder)
    given: dict[str, Any] = {"limits": Limits(seconds=0), "now": lambda: AT} | more
    lake = Lake(settings.root)
    return Worker(lake, settings, log or log_at(folder), {TOPIC: TABLE}, **given)


def take_in(folder: Path, log: Transport | None = None, **more: Any) -> Worker:
    """Takes in all there is, by a worker that has seen nothing before."""
    worker = worker_at(folder, log, **more)
    worker.run(never, until_empty=True)
    return worker


def never() -> bool:
    return False


def after(times: int) -> Callable[[], bool]:
    """Whether to stop: no so often, then yes."""
    left = iter([False] * times)
    return lambda: next(left, True)


def stored(folder: Path, layer: str = "bronze") -> pl.DataFrame:
    return Lake(str(folder / "lake")).scan(layer, TABLE).collect()


def sources(folder: Path, layer: str = "bronze") -> list[str]:
    return sorted(stored(folder, layer)["_source"])


def places(first: int, end: int, partition: int = 0) -> list[str]:
    return sorted(f"topic:{TOPIC}/{partition}@{n}" for n in range(first, end))
