"""Who follows events at work beside the worker: while it reads and stores further ones."""

from __future__ import annotations

import datetime as dt
import queue
import threading
from collections.abc import Callable

import polars as pl

from lakehouse.closing import Closing
from lakehouse.ingest.streams.worker import Live

AHEAD = 2
"""Micro-batches that may wait: the worker waits for who follows with a third."""


class Beside(Closing):
    """Another `Live`, which must use nothing that the worker uses, called in its order in a thread
    of its own. What it raises, the next call raises, and the end."""

    def __init__(self, live: Live) -> None:
        self.at_once = live.at_once
        self._live = live
        self._calls = queue.SimpleQueue[Callable[[], None] | None]()
        self._room = threading.Semaphore(AHEAD)
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="live", daemon=True)
        self._thread.start()

    def assigned(self, topic: str, partition: int) -> None:
        self._call(lambda: self._live.assigned(topic, partition))

    def revoked(self, topic: str, partition: int) -> None:
        self._call(lambda: self._live.revoked(topic, partition))

    def take(
        self, topic: str, partition: int, rows: pl.DataFrame, until: int, now: dt.datetime
    ) -> None:
        self._call(lambda: self._live.take(topic, partition, rows, until, now))

    def alert(self, now: dt.datetime) -> None:
        self._call(lambda: self._live.alert(now))

    def flush(self, now: dt.datetime) -> None:
        """Returns while there is room for another micro-batch."""

        def flush() -> None:
            self._room.release()
            self._live.flush(now)

        self._room.acquire()
        self._call(flush)

    def close(self) -> None:
        """After all that was called."""
        self._calls.put(None)
        self._thread.join()
        self._raise()

    def _call(self, call: Callable[[], None]) -> None:
        self._raise()
        self._calls.put(call)

    def _raise(self) -> None:
        if self._failed is not None:
            raise self._failed

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                if self._failed is None:
                    call()
            except BaseException as error:  # noqa: BLE001 - the worker raises it
                self._failed = error
                self._room.release(AHEAD + 1)  # who waits for room is to hear of it
