"""`lakehouse stream run`: events from topics into the lake, each once, until told to stop.

Where to go on from says the table: its commits hold the offsets that their rows came from. What
the group notes is for those who look at its lag.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from lakehouse.errors import Gap, StorageError
from lakehouse.ingest.streams.compaction import Compaction, kept
from lakehouse.ingest.streams.events import Reader
from lakehouse.ingest.streams.storing import Place, Read, name_of, reached, store
from lakehouse.ingest.streams.succession import Acknowledged, acknowledged, continued
from lakehouse.ingest.streams.topics import Batch, Consumer, Transport
from lakehouse.settings import Settings
from lakehouse.storage import Lake

GROUP = "lake"
_IDLE = 0.2
"""Seconds that a look for messages takes where none come."""
_LONGEST_PAUSE = 15.0
_NOTED_EVERY = 5.0
_NAP = 0.05
"""Seconds between looks for more of a micro-batch, where the last brought less than `_FEW`."""
_FEW = 10_000
Tell = Callable[[str], None]
Clock = Callable[[], dt.datetime]


class Live(Protocol):
    """What follows events as they come, such as windows and alerts. `at_once`: topics whose events
    alerts rest on that wait for nothing else."""

    at_once: frozenset[str]

    def assigned(self, topic: str, partition: int) -> None:
        """The worker has the partition from now on: state is read back."""

    def revoked(self, topic: str, partition: int) -> None: ...

    def take(
        self, topic: str, partition: int, rows: pl.DataFrame, until: int, now: dt.datetime
    ) -> None:
        """Rows of the partition that bronze has accepted, in order of offset; `until` is the
        offset after the last message of them."""

    def alert(self, now: dt.datetime) -> None:
        """Rows of a topic of `at_once` were taken; those of other topics may still be on their
        way into bronze."""

    def flush(self, now: dt.datetime) -> None:
        """The end of a micro-batch, and of a while without one."""


class Nothing:
    """No such thing (`Live`)."""

    at_once: frozenset[str] = frozenset()

    def assigned(self, topic: str, partition: int) -> None: ...

    def revoked(self, topic: str, partition: int) -> None: ...

    def take(
        self, topic: str, partition: int, rows: pl.DataFrame, until: int, now: dt.datetime
    ) -> None: ...

    def alert(self, now: dt.datetime) -> None: ...

    def flush(self, now: dt.datetime) -> None: ...


@dataclass(frozen=True)
class Limits:
    """A micro-batch ends with whichever comes first."""

    rows: int = 100_000
    size: int = 64 * 2**20
    """Bytes of messages."""
    seconds: float = 0.5


@dataclass
class Done:
    """What a worker has taken in: messages, rows of bronze and of quarantine, commits."""

    messages: int = 0
    rows: int = 0
    rejects: int = 0
    commits: int = 0


@dataclass
class Worker:
    """A member of the group that brings topics into the lake. `topics`: topic → its table."""

    lake: Lake
    settings: Settings
    transport: Transport
    topics: Mapping[str, str]
    now: Clock
    name: str = "stream"
    live: Live = field(default_factory=Nothing)
    tell: Tell = lambda _: None
    limits: Limits = field(default_factory=Limits)
    accept_loss: bool = False
    """Whether to go on where the log no longer keeps events that the lake lacks."""
    take_new: bool = False
    """Whether to go on with a log that takes the place of the one the lake was filled from."""
    done: Done = field(default_factory=Done)
    _at: dict[Place, int] = field(default_factory=dict)
    _lost: set[Place] = field(default_factory=set)
    _logs: dict[str, Acknowledged] = field(default_factory=dict)
    _pending: dict[Place, list[pl.DataFrame]] = field(default_factory=lambda: defaultdict(list))
    _live: set[Place] = field(default_factory=set)
    _noted: dict[Place, int] = field(default_factory=dict)
    _noted_at: float = 0.0
    _ignored: set[tuple[str, str]] = field(default_factory=set)

    def run(self, stop: Callable[[], bool], *, until_empty: bool = False) -> Done:
        """Takes events in until `stop` says so, or all is read; the batch in hand is finished.

        Raises StorageError where the lake cannot be written through `wait_seconds`, or the log
        lacks what the lake has not, or is another one.
        """
        for topic, table in self.topics.items():
            self._logs[topic] = acknowledged(
                self.lake, self.transport, topic, table, take_new=self.take_new, tell=self.tell
            )
        self._continued = continued(self.lake, self.transport, self.topics)
        self._readers = {t: Reader(self.settings, table) for t, table in self.topics.items()}
        compaction = Compaction(self.lake, self.tell, kept(self.settings))
        with (
            self._continued.consumer(tuple(self.topics), GROUP, self._begin) as consumer,
            compaction,
        ):
            while not stop():
                found = self._gathered(consumer, stop)
                self._follow(consumer)
                for topic in self._due(everything=not found):
                    self._bring(consumer, topic, compaction, stop)
                self.live.flush(self.now())
                self._note(consumer, at_least=_NOTED_EVERY)
                if until_empty and not found and self._is_all_read():
                    break
            for topic in self._due(everything=True):
                self._bring(consumer, topic, compaction, stop)
            self._note(consumer)
        return self.done

    def _due(self, *, everything: bool) -> list[str]:
        """Topics of which something is pending, those that are told of at once first. Of the others
        one at a time, unless much is: each costs a commit, and keeps the former waiting."""
        waiting: dict[str, None] = dict.fromkeys(topic for topic, _ in self._pending)
        first = [topic for topic in waiting if topic in self.live.at_once]
        others = [topic for topic in waiting if topic not in self.live.at_once]
        frames = [frame for frames in self._pending.values() for frame in frames]
        rows = sum(frame.height for frame in frames)
        size = sum(frame.estimated_size() for frame in frames)
        if everything or not self.live.at_once:
            return first + others
        is_much = 2 * rows >= self.limits.rows or 2 * size >= self.limits.size
        return first + (others if is_much else others[:1])

    def _bring(
        self, consumer: Consumer, topic: str, compaction: Compaction, stop: Callable[[], bool]
    ) -> None:
        """What is pending of a topic into the lake, and to who follows."""
        mine = {p for p in consumer.assigned() if p[0] == topic} & self._pending.keys()
        batches = [Batch(*place, pl.concat(self._pending.pop(place))) for place in sorted(mine)]
        if not batches:
            return
        self._refuse_another(topic)
        self._stored(consumer, self.topics[topic], self._read_of(topic, batches), stop)
        if topic in self.live.at_once:
            self.live.alert(self.now())
        if any(batch.partition == 0 for batch in batches):
            compaction.follow(self.topics[topic])

    def _begin(self, topic: str, partition: int) -> int:
        """Where the lake is, for a partition that the worker is given."""
        place, table = (topic, partition), self.topics[topic]
        self._pending.pop(place, None)
        self._lost.discard(place)
        first, end = self._continued.ends(topic)[partition]
        at = reached(self.lake, table, [place]).get(place, first)
        if at > end:
            raise StorageError(
                f"the lake has reached offset {at} of {name_of(place)}, which ends at {end}: this "
                "is another log than the one it was filled from"
            )
        self._lose(place, at, first)
        self._at[place] = max(at, first)
        return self._at[place]

    def _lose(self, place: Place, at: int, first: int) -> None:
        """What is not kept from where the lake is: an error, unless that is accepted."""
        if at >= first:
            return
        if not self.accept_loss:
            raise StorageError(
                f"the lake has reached offset {at} of {name_of(place)}, which is kept from {first} "
                f"on: {first - at} events are lost; --accept-loss goes on without them"
            )
        self.tell(f"{name_of(place)}: {first - at} events are lost, offsets {at} to {first - 1}")
        self._lost.add(place)

    def _follows(self, batch: Batch) -> None:
        """Raises StorageError for messages that are not those after the ones before: a client
        goes on where it can when a topic is made anew, or no longer keeps what comes next."""
        place, begin = (batch.topic, batch.partition), int(batch.messages["offset"][0])
        waiting = self._pending.get(place)
        due = int(waiting[-1]["offset"][-1]) + 1 if waiting else self._at[place]
        if begin < due:
            raise StorageError(
                f"{name_of(place)} goes back from offset {due} to {begin}: it was made anew"
            )
        if begin > due:
            self._lose(place, due, self._continued.ends(batch.topic)[batch.partition][0])

    def _refuse_another(self, topic: str) -> None:
        """Raises StorageError where the topic was made anew since the worker began: messages that
        were read may be the new one's."""
        if self.transport.identity(topic) != self._logs[topic].identity:
            raise StorageError(f"topic {topic} was made anew; start again to go on with it")

    def _gathered(self, consumer: Consumer, stop: Callable[[], bool]) -> int:
        """Messages of a micro-batch, kept by partition until they are stored; how many."""
        rows = size = 0
        until = None
        while rows < self.limits.rows and size < self.limits.size and not stop():
            wait = _IDLE if until is None else max(0.0, until - time.monotonic())
            found = consumer.poll(self.limits.rows - rows, wait)
            for batch in found:
                self._follows(batch)
                self._pending[batch.topic, batch.partition].append(batch.messages)
                rows += batch.messages.height
                size += int(batch.messages.estimated_size())
            if until is None:
                if not found:
                    break
                until = time.monotonic() + self.limits.seconds
            left = until - time.monotonic()
            if left <= 0:
                break
            if sum(batch.messages.height for batch in found) < _FEW:
                time.sleep(min(left, _NAP))
        return rows

    def _follow(self, consumer: Consumer) -> None:
        """Tells which partitions came and went; what was read of those that went is dropped."""
        mine = consumer.assigned()
        for place in self._pending.keys() - mine:
            del self._pending[place]
        for place in sorted(self._live - mine):
            self.live.revoked(*place)
        for place in sorted(mine - self._live):
            self.live.assigned(*place)
        self._live = set(mine)

    def _read_of(self, topic: str, batches: list[Batch]) -> list[Read]:
        found = self._readers[topic].read(batches)
        self._tell_ignored(topic, found[0].ignored)
        begins = {p: None if p in self._lost else at for p, at in self._at.items()}
        return [
            Read(batch, events, begins[topic, batch.partition])
            for batch, events in zip(batches, found, strict=True)
        ]

    def _stored(
        self, consumer: Consumer, table: str, reads: Sequence[Read], stop: Callable[[], bool]
    ) -> None:
        try:
            self._store(table, reads, stop)
        except Gap as gap:
            # Somebody put the table back to what it was.
            self.tell(str(gap))
            for read in reads:
                consumer.seek(*read.place, self._begin(*read.place))
            return
        for read in reads:
            self._at[read.place] = read.batch.next_offset
            self._lost.discard(read.place)
            self._count(read)
            self.live.take(*read.place, read.events.rows, read.batch.next_offset, self.now())
        topic = reads[0].batch.topic
        self._logs[topic] = Acknowledged(self._logs[topic].identity)
        self.done.commits += 1

    def _store(self, table: str, reads: Sequence[Read], stop: Callable[[], bool]) -> None:
        """Tries again, as a disk is not full for ever; nothing more is read meanwhile."""
        to_note = self._logs[reads[0].batch.topic].to_note
        began, pause = time.monotonic(), 0.25
        while True:
            try:
                store(self.lake, table, reads, self.name, to_note)
            except Gap:
                raise
            except StorageError as error:
                if stop() or time.monotonic() - began > self.settings.wait_seconds:
                    raise
                self.tell(f"{error}; tried again in {pause:g} s")
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                return

    def _note(self, consumer: Consumer, *, at_least: float = 0.0) -> None:
        """For those who look at the lag of the group, no more often than every `at_least` seconds:
        no event is lost where it is not noted."""
        if time.monotonic() - self._noted_at < at_least:
            return
        self._noted_at = time.monotonic()
        for place in sorted(consumer.assigned() & self._at.keys()):
            if self._noted.get(place) != self._at[place]:
                try:
                    consumer.commit(*place, self._at[place])
                except StorageError as error:
                    self.tell(str(error))
                self._noted[place] = self._at[place]

    def _count(self, read: Read) -> None:
        self.done.messages += read.batch.messages.height
        self.done.rows += read.events.rows.height
        self.done.rejects += read.events.rejects.height

    def _tell_ignored(self, topic: str, names: frozenset[str]) -> None:
        for name in sorted(names):
            if (topic, name) not in self._ignored:
                self._ignored.add((topic, name))
                self.tell(
                    f"{topic}: events have a field {name[:80]!r} that {self.topics[topic]} has not"
                )

    def _is_all_read(self) -> bool:
        """Whether the lake has all that topics hold, by this worker or others."""
        for topic, table in self.topics.items():
            ends = self._continued.ends(topic)
            known = reached(self.lake, table, [(topic, p) for p in ends])
            if any(known.get((topic, p), first) < end for p, (first, end) in ends.items()):
                return False
        return True
