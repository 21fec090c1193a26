"""A lake that somebody looks at, with a machine that does what a test likes."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lakehouse.ingest.streams.topics import Transport
from lakehouse.ingest.streams.transport import transport
from lakehouse.serve.monitor.registry import FailedRun, Look, Reading, readings_of, signals
from lakehouse.settings import DOMAINS, Settings
from lakehouse.storage import Lake

NOON = dt.datetime(2025, 1, 8, 20, tzinfo=dt.UTC)
"""Noon of 8 January at the property."""


@dataclass
class Idle:
    """A machine with nothing to do and 100 GB, 90 of them free."""

    busy: float = 5.0
    used: float = 20.0
    room: tuple[int, int] = (100_000_000_000, 90_000_000_000)

    def cpu(self) -> float:
        return self.busy

    def memory(self) -> float:
        return self.used

    def disk(self, path: str) -> tuple[int, int]:
        return self.room


@dataclass
class Watched:
    """A lake in a folder, and looks at it."""

    folder: Path
    more: dict[str, Any] = field(default_factory=dict)
    host: Any = field(default_factory=Idle)
    runs: Sequence[FailedRun] = ()
    at: dt.datetime = NOON

    @property
    def settings(self) -> Settings:
        return Settings(**{"root": str(self.folder / "lake"), "domains": DOMAINS} | self.more)

    @property
    def lake(self) -> Lake:
        return Lake.open(self.settings)

    def look(self, **more: Any) -> Look:
        ticks = iter(range(100))
        given = {
            "lake": self.lake,
            "settings": self.settings,
            "now": self.at,
            "host": self.host,
            "clock": lambda: float(next(ticks)),
            "transport": self.transport,
            "failed_runs": lambda since: self.runs,
        }
        return Look(**given | more)

    def transport(self) -> Transport:
        return transport(self.settings)

    def read(self, signal: str, **more: Any) -> dict[str, Reading]:
        """The readings of one signal, by subject."""
        return {r.subject: r for r in readings_of(signals()[signal], self.look(**more))}
