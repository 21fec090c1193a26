"""Small files put together and old ones removed while events come in, beside the worker that makes
them."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from lakehouse.closing import Closing
from lakehouse.errors import StorageError
from lakehouse.settings import Settings
from lakehouse.storage import Kept, Lake, tend

COMMITS = 64
"""Of a table, after which its files are looked at."""
SECONDS = 1_800
"""After which the same is done at the next commit, however few there were."""


def kept(settings: Settings) -> Kept:
    """As the settings have it."""
    versions = dt.timedelta(minutes=settings.version_minutes)
    return Kept(versions, max(versions, dt.timedelta(hours=settings.reading_hours)))


class Compaction(Closing):
    """At the most one at a time, in a thread of its own, with tables that it opens itself. `kept`
    says how long what is old stays."""

    def __init__(
        self,
        lake: Lake,
        tell: Callable[[str], None],
        kept: Kept,
        layers: tuple[str, ...] = ("bronze", "quarantine"),
    ) -> None:
        self._layers, self._kept = layers, kept
        self._lake = lake.apart()
        self._tell = tell
        self._commits: Counter[str] = Counter()
        self._done: dict[str, float] = {}
        self._threads = ThreadPoolExecutor(1, "compaction")
        self._under_way: Future[None] | None = None

    def follow(self, table: str) -> None:
        """Another commit of a table was made."""
        self._commits[table] += 1
        now = time.monotonic()
        is_long = now - self._done.setdefault(table, now) > SECONDS
        is_free = self._under_way is None or self._under_way.done()
        if is_free and (is_long or self._commits[table] >= COMMITS):
            self._commits[table], self._done[table] = 0, now
            self._under_way = self._threads.submit(self._compact, table)

    def _compact(self, table: str) -> None:
        for layer in self._layers:
            try:
                tend(self._lake, layer, table, self._kept)
            except StorageError as error:
                self._tell(str(error))

    def close(self) -> None:
        """After what is under way."""
        self._threads.shutdown(wait=True)
