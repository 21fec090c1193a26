"""Requests into the log: one thread takes all that wait, and writes them by one fsync."""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from lakehouse.errors import DiskFull, StorageError, is_disk_full
from lakehouse.ingest.streams.produced import Seen
from lakehouse.ingest.streams.topics import Transport, placed
from lakehouse.serve.http.journal import Claim, Journal, Range
from lakehouse.serve.http.refusals import Refusal

MOST_BYTES = 16 * 2**20
"""Of the events that are written together: they fit into one frame of the log, so that of each
partition either all is there or nothing."""
WAITING = 1_000
"""Requests that may wait; more are told to come again."""


@dataclass
class Entry:
    """A request's events on their way. `done`: whether they had been taken before."""

    topic: str
    messages: pl.DataFrame
    size: int
    claim: Claim | None = None
    done: Future[bool] = field(default_factory=Future)


class Writer:
    """The one that writes. `now`: seconds since 1970; `tell` hears of each group that was written:
    topic and events."""

    def __init__(
        self,
        transport: Transport,
        journal: Path,
        now: Callable[[], int],
        tell: Callable[[str, int], None] = lambda *_: None,
    ) -> None:
        self._transport = transport
        self._place = journal
        self._now = now
        self._tell = tell
        self._queue: queue.Queue[Entry | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._opened: Future[None] = Future()
        self._partitions: dict[str, int] = {}

    def start(self) -> None:
        """Raises what the journal cannot be opened for."""
        self._thread.start()
        self._opened.result()

    def submit(self, entry: Entry) -> Future[bool]:
        """Raises Refusal where too many wait."""
        try:
            self._queue.put_nowait(entry)
        except queue.Full as error:
            raise Refusal(503, "too many requests wait for the log", retry_after=1) from error
        return entry.done

    def stop(self) -> None:
        """After all that waits."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            journal = Journal(self._place)
        except (OSError, sqlite3.Error) as error:
            self._opened.set_exception(error)
            return
        self._opened.set_result(None)
        for group in self._groups():
            for topic in dict.fromkeys(e.topic for e in group):
                mine = [e for e in group if e.topic == topic]
                try:
                    self._write(journal, topic, mine)
                except Exception as error:  # noqa: BLE001 - those who wait are told of any
                    _fail(mine, error)
        journal.close()

    def _groups(self) -> Iterator[list[Entry]]:
        """What waits, up to so many bytes, again and again until the end."""
        left: Entry | None = None
        while (first := left or self._queue.get()) is not None:
            group, size, left = [first], first.size, None
            while size < MOST_BYTES:
                try:
                    entry = self._queue.get_nowait()
                except queue.Empty:
                    break
                if entry is None:
                    yield group
                    return
                if size + entry.size > MOST_BYTES:
                    left = entry
                    break
                group.append(entry)
                size += entry.size
            yield group

    def _write(self, journal: Journal, topic: str, entries: list[Entry]) -> None:
        new: dict[object, Entry] = {}
        later: list[Entry] = []
        for entry in entries:
            if entry.claim is None:
                new[id(entry)] = entry
            elif entry.claim.place in new:
                later.append(entry)
            elif not self._is_known(journal, entry):
                new[entry.claim.place] = entry
        if new:
            self._send(journal, topic, list(new.values()))
        for entry in later:
            self._is_known(journal, entry)

    def _is_known(self, journal: Journal, entry: Entry) -> bool:
        """Answers a request that was made before; one that was never answered is sent as far as
        the log does not have it."""
        claim = entry.claim
        known = None if claim is None else journal.known(claim)
        if known is None or claim is None:
            return False
        if known.digest != claim.digest:
            entry.done.set_exception(
                Refusal(422, f"idempotency-key {claim.key!r} was used for another body")
            )
            return True
        if known.taken is None:
            taken = self._completed(journal, entry, known.ends)
            journal.took(claim, taken)
        entry.done.set_result(True)
        return True

    def _completed(self, journal: Journal, entry: Entry, ends: dict[int, int]) -> dict[int, Range]:
        others = journal.ranges(entry.topic)

        def is_others(partition: int, offset: int) -> bool:
            return any(a <= offset < b for a, b in others.get(partition, ()))

        whole = self._placed(entry.topic, entry.messages)
        begin = dict(ends)
        left = Seen(self._transport, entry.topic, ends, is_others).left(whole)
        if not left.is_empty():
            ends |= self._transport.send(entry.topic, left.select("key", "value"))
        counts = dict(whole.group_by("partition").len().iter_rows())
        return {p: (max(begin[p], ends[p] - n), ends[p]) for p, n in counts.items()}

    def _send(self, journal: Journal, topic: str, entries: list[Entry]) -> None:
        claims = [e.claim for e in entries if e.claim is not None]
        if claims:
            ends = {p: end for p, (_, end) in self._transport.ends(topic).items()}
            journal.claim(claims, ends, self._now())
        after = self._transport.send(topic, pl.concat([e.messages for e in entries]))
        if claims:
            for entry, taken in zip(entries, self._ranges(topic, entries, after), strict=True):
                if entry.claim is not None:
                    journal.took(entry.claim, taken)
        for entry in entries:
            entry.done.set_result(False)
        self._tell(topic, sum(len(e.messages) for e in entries))

    def _ranges(
        self, topic: str, entries: list[Entry], after: dict[int, int]
    ) -> list[dict[int, Range]]:
        """Where each request's events are: they follow each other, the last at the end."""
        ends, found = dict(after), []
        for entry in reversed(entries):
            whole = self._placed(topic, entry.messages)
            counts = dict(whole.group_by("partition").len().iter_rows())
            found.append({p: (ends[p] - n, ends[p]) for p, n in counts.items()})
            ends |= {p: begin for p, (begin, _) in found[-1].items()}
        return found[::-1]

    def _placed(self, topic: str, messages: pl.DataFrame) -> pl.DataFrame:
        if topic not in self._partitions:
            self._partitions = self._transport.topics()
        return placed(messages, self._partitions[topic])


def _fail(entries: list[Entry], error: Exception) -> None:
    """What was claimed and not answered is looked for in the log when it is sent again."""
    if isinstance(error, sqlite3.Error):
        kind = DiskFull if is_disk_full(error) else StorageError
        error = kind(f"the journal of requests could not be written: {error}")
    for entry in entries:
        if not entry.done.done():
            entry.done.set_exception(error)
