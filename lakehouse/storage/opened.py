"""Tables that are open: a look for newer commits costs a twentieth of opening one again, and what
a version's log says is worked out once."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from deltalake import DeltaTable

from lakehouse.paths import is_url
from lakehouse.storage.log import naming

LOOK_AGAIN = 5.0
"""Seconds for which an object store is not asked again whether others have committed: each look is
two requests, and a step looks dozens of times. Writers always ask, and what this process writes
it sees at once."""
T = TypeVar("T")
Stamp = tuple[int, int, int] | None
Numbers = Mapping[str, int | None]
Marks = Mapping[dt.date, str]


@dataclass
class _Held:
    delta: DeltaTable
    stamp: Stamp
    facts: dict[str, Any] = field(default_factory=dict)
    seen: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class _Own:
    """What is known of a version without asking its log. `marks`: those that its commit tells,
    where this process made it."""

    version: int
    stamp: Stamp
    numbers: dict[str, int | None] = field(default_factory=dict)
    marks: Marks | None = None


class Opened:
    """The newest version of each table asked for so far. Not for tables that time travels in."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self._own: dict[str, _Own] = {}
        self._absent: dict[str, float] = {}
        self._looking = threading.RLock()
        self._steady: set[str] = set()

    @contextmanager
    def steady(self, uri: str) -> Iterator[None]:
        """Within it the table is seen as at the first look."""
        with self._looking:
            self._held.pop(uri, None)
            self._steady.add(uri)
        try:
            yield
        finally:
            with self._looking:
                self._steady.discard(uri)

    def table(self, uri: str, opened: Callable[[], DeltaTable | None]) -> DeltaTable | None:
        """The table with all commits so far, by `opened` where it is not open; None where there
        is none."""
        if _was_just_seen(uri, self._absent.get(uri)):
            return None
        with naming(uri, "open"), self._looking:
            held = self._held.get(uri)
            if held is not None and (uri in self._steady or _was_just_seen(uri, held.seen)):
                return held.delta
            delta = self._newest(uri)
        if delta is None and (delta := opened()) is not None:
            self.keep(uri, delta)
        elif delta is None:
            self._absent[uri] = time.monotonic()
        return delta

    def _newest(self, uri: str) -> DeltaTable | None:
        """None where it was not opened before, or its log is another one since: removed, made
        anew, damaged or cleaned."""
        held = self._held.get(uri)
        version = -1 if held is None else held.delta.version()
        if held is None or held.stamp is None or held.stamp != _stamp(uri, version):
            self._held.pop(uri, None)
            return None
        if _has_more(uri, version):
            held.delta.update_incremental()
        if held.delta.version() != version:
            self._held[uri] = held = _Held(held.delta, _stamp(uri, held.delta.version()))
        held.seen = time.monotonic()
        return held.delta

    def take(self, uri: str) -> DeltaTable | None:
        """The open table with all commits so far, for a writer alone, who must know which it has
        seen: nobody else has it until it is kept again."""
        with self._looking:
            self._newest(uri)
            held = self._held.pop(uri, None)
        return None if held is None else held.delta

    def keep(self, uri: str, delta: DeltaTable) -> None:
        """For whoever opened a table, or took it."""
        self._absent.pop(uri, None)
        self._held[uri] = _Held(delta, _stamp(uri, delta.version()))

    def remembered(self, uri: str, delta: DeltaTable, what: str, make: Callable[[], T]) -> T:
        """What `make` says of this version of a table, made once while it is the newest."""
        held = self._held.get(uri)
        if held is None or held.delta is not delta:
            return make()
        if what not in held.facts:
            held.facts[what] = make()
        found: T = held.facts[what]
        return found

    def reached(self, uri: str, delta: DeltaTable, ids: Iterable[str]) -> dict[str, int]:
        """Id → the number that its application transactions have come to in this version. The log
        is asked for each once, as long as this process alone goes on from there."""
        own = self._own_of(uri, delta)
        if own is None:
            version = delta.version()
            own = self._own[uri] = _Own(version, _stamp(uri, version))
        asked = list(ids)
        for name in asked:
            if name not in own.numbers:
                own.numbers[name] = delta.transaction_version(name)
        return {n: number for n in asked if (number := own.numbers[n]) is not None}

    def marks(self, uri: str, delta: DeltaTable, look: Callable[[], Marks]) -> Marks:
        """Marks that this version tells: as this process's own commit told them, else by a look."""
        own = self._own_of(uri, delta)
        return look() if own is None or own.marks is None else own.marks

    def went_on(
        self, uri: str, delta: DeltaTable, before: int, numbers: Numbers, marks: Marks
    ) -> None:
        """Version `before` was brought to that of `delta` by a commit with these ids and marks,
        and by others where that is not the next."""
        own = self._own.pop(uri, None)
        after = delta.version()
        if own is not None and own.version == before == after - 1:
            self._own[uri] = _Own(after, _stamp(uri, after), {**own.numbers, **numbers}, marks)

    def _own_of(self, uri: str, delta: DeltaTable) -> _Own | None:
        version = delta.version()
        own, stamp = self._own.get(uri), _stamp(uri, version)
        if own is None or is_url(uri) or stamp is None:
            return None
        return own if (own.version, own.stamp) == (version, stamp) else None


def _commit(uri: str, version: int) -> Path:
    return Path(uri) / "_delta_log" / f"{version:020}.json"


def _stamp(uri: str, version: int) -> Stamp:
    """Which file the commit is, on a local disk; None where it is not there."""
    if is_url(uri):
        return 0, 0, 0
    try:
        found = _commit(uri, version).stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def _was_just_seen(uri: str, at: float | None) -> bool:
    return at is not None and is_url(uri) and time.monotonic() - at < LOOK_AGAIN


def _has_more(uri: str, version: int) -> bool:
    """Whether there may be a later commit; of an object store nobody can say without asking."""
    return is_url(uri) or _commit(uri, version + 1).exists()
