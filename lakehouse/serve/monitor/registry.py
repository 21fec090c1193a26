"""The registry of signals. A module of `signals/` declares its own:

    @signal("topic_lag", unit="events", warning=1_000, critical=10_000, do="Start the stream.")
    def topic_lag(look):
        yield Measure("sales_stream", 12, "12 events wait")

Command, metrics, log, page and sensor follow.
"""

from __future__ import annotations

import datetime as dt
import functools
import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from lakehouse.contracts.operations.signals import LEVELS
from lakehouse.errors import LakehouseError
from lakehouse.serve.monitor.thresholds import Threshold

if TYPE_CHECKING:
    from lakehouse.ingest.streams.topics import Transport
    from lakehouse.settings import Settings
    from lakehouse.storage import Lake

PACKAGE = "lakehouse.serve.monitor.signals"
INFO, WARNING, CRITICAL = LEVELS


class Host(Protocol):
    """The machine: shares in percent, and the room of a volume in bytes."""

    def cpu(self) -> float: ...

    def memory(self) -> float: ...

    def disk(self, path: str) -> tuple[int, int]:
        """All bytes of the volume that `path` is on, and those that are free."""


@dataclass(frozen=True)
class FailedRun:
    """A run of the pipeline that failed, and no later one of the same work succeeded."""

    run_id: str
    said: str


@dataclass(frozen=True)
class Look:
    """What a look is made with. Everything outside the lake comes in here."""

    lake: Lake
    settings: Settings
    now: dt.datetime
    host: Host
    clock: Callable[[], float]
    """Seconds that only grow."""
    transport: Callable[[], Transport]
    failed_runs: Callable[[dt.datetime], Sequence[FailedRun]]
    """Those that ended since a moment."""
    shares: Sequence[tuple[dt.datetime, float]] = ()
    """How full the lake was at earlier looks, in percent, the oldest first."""


@dataclass(frozen=True)
class Measure:
    """What a signal reads of one subject. Without a value, or where it does not `count`, there
    is nothing to be judged."""

    subject: str
    value: float | None
    said: str
    counts: bool = True


@dataclass(frozen=True)
class Signal:
    """One kind of thing that is looked at."""

    name: str
    unit: str
    do: str
    threshold: Threshold
    is_worse_below: bool
    read: Callable[[Look], Iterable[Measure]]

    def level(self, measure: Measure, threshold: Threshold) -> str:
        if measure.value is None or not measure.counts:
            return INFO
        sign = -1 if self.is_worse_below else 1
        for level, bound in ((CRITICAL, threshold.critical), (WARNING, threshold.warning)):
            if bound is not None and sign * measure.value > sign * bound:
                return level
        return INFO


@dataclass(frozen=True)
class Reading:
    """What one look says of a signal and subject."""

    signal: str
    subject: str
    level: str
    value: float | None
    unit: str
    said: str
    to_do: str


_signals: dict[str, Signal] = {}


def signal(
    name: str,
    *,
    unit: str,
    do: str,
    warning: float | None = None,
    critical: float | None = None,
    is_worse_below: bool = False,
) -> Callable[[Callable[[Look], Iterable[Measure]]], Callable[[Look], Iterable[Measure]]]:
    """Declares the signal that the decorated function reads."""

    def declare(read: Callable[[Look], Iterable[Measure]]) -> Callable[[Look], Iterable[Measure]]:
        threshold = Threshold(warning=warning, critical=critical)
        _signals[name] = Signal(name, unit, do, threshold, is_worse_below, read)
        return read

    return declare


def signals() -> Mapping[str, Signal]:
    """All signals by name."""
    _find()
    return dict(sorted(_signals.items()))


def readings(look: Look) -> list[Reading]:
    """One look at everything, the gravest first. What cannot be read is critical, and says why."""
    found = [r for s in signals().values() for r in readings_of(s, look)]
    return sorted(found, key=lambda r: (-LEVELS.index(r.level), r.signal, r.subject))


def worst(levels: Iterable[str]) -> str:
    return max(levels, key=LEVELS.index, default=INFO)


def readings_of(one: Signal, look: Look) -> list[Reading]:
    """One look at one signal."""
    threshold = one.threshold.under(look.settings.monitor.thresholds.get(one.name))
    try:
        measures = list(one.read(look))
    except LakehouseError as error:
        said = f"cannot be read: {error}"
        return [Reading(one.name, "all", CRITICAL, None, one.unit, said, one.do)]
    return [
        Reading(one.name, m.subject, one.level(m, threshold), m.value, one.unit, m.said, one.do)
        for m in measures
    ]


@functools.cache
def _find() -> None:
    package = importlib.import_module(PACKAGE)
    for module in pkgutil.iter_modules(package.__path__, f"{PACKAGE}."):
        importlib.import_module(module.name)
