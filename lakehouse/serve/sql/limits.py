"""Time and memory of one question to the lake, and Ctrl-C while it is answered."""

from __future__ import annotations

import resource
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from lakehouse.errors import LakehouseError

if TYPE_CHECKING:
    from lakehouse.settings import Settings

T = TypeVar("T")
Stop = Callable[[], None]

POLL = 0.05
GRACE = 2.0
"""Seconds in which a query that was told to stop does so, or is given up."""


@dataclass(frozen=True)
class Limits:
    """What one question may take: seconds, and a share of the machine's memory."""

    seconds: float = 60.0
    memory: float = 0.25

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        return cls(settings.sql_seconds, settings.sql_memory)

    def too_long(self) -> LakehouseError:
        return LakehouseError(
            f"SQL: stopped after {self.seconds:g} s, which is the setting sql_seconds"
        )

    def too_large(self) -> LakehouseError:
        return LakehouseError(
            f"SQL: stopped, as it needs more than {self.memory:.0%} of the machine's memory, "
            "which is the setting sql_memory"
        )


class Runaway(LakehouseError):  # noqa: N818 - it runs away
    """A question that goes on after it was told to stop: one call of a function of DuckDB's
    cannot be interrupted. Only the end of the process ends it; `why` is why it was stopped."""

    def __init__(self, why: BaseException) -> None:
        super().__init__(str(why))
        self.why = why


def within(limits: Limits, memory: int, stop: Stop, work: Callable[[], T]) -> T:
    """What `work` returns or raises, done in a thread of its own, so that this one can watch:
    DuckDB hears no signal, and does not count what one value or a fetched result takes.

    `memory` is the bytes by which this process may grow; `stop` interrupts the work. Raises
    LakehouseError past a limit, KeyboardInterrupt, or Runaway where the work does not end.
    """
    thread = ThreadPoolExecutor(max_workers=1)
    done = thread.submit(work)
    thread.shutdown(wait=False)
    until, ceiling = time.monotonic() + limits.seconds, _peak() + memory
    try:
        while not _over(done):
            if time.monotonic() > until:
                raise limits.too_long()
            if _peak() > ceiling:
                raise limits.too_large()
    except (LakehouseError, KeyboardInterrupt) as why:
        _end(done, stop, why)
        raise
    return done.result()


@contextmanager
def watched(limits: Limits, stop: Stop) -> Iterator[None]:
    """Interrupts what runs in the block from the limit of time on, and then raises
    LakehouseError. For code that queries by itself."""
    left, late = threading.Event(), threading.Event()

    def watch() -> None:
        if not left.wait(limits.seconds):
            late.set()
        while not left.wait(POLL):
            stop()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    except Exception as error:
        if late.is_set():
            raise limits.too_long() from error
        raise
    finally:
        left.set()
        watcher.join()


def _over(done: Future[T]) -> bool:
    return bool(wait([done], timeout=POLL).done)


def _end(done: Future[T], stop: Stop, why: BaseException) -> None:
    """An interruption between two statements goes unheard, so that it is said again."""
    until = time.monotonic() + GRACE
    while not _over(done):
        if time.monotonic() > until:
            raise Runaway(why) from why
        stop()


def _peak() -> int:
    """The most memory that this process has held so far, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
