"""The embedded transport: an append-only log in a folder, for lakes without a broker.

Nothing has to run for it. Several processes may write and read; each message is on the disk when
`send` returns (`fsync`), and a reader's place is its group's.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from lakehouse.closing import Closing
from lakehouse.errors import StorageError
from lakehouse.ingest.streams.groups import Group, Member, one_at_a_time
from lakehouse.ingest.streams.segments import LARGEST_FRAME, SEGMENT_BYTES, Cursor, Partition
from lakehouse.ingest.streams.topics import (
    Batch,
    Begin,
    Ends,
    Tell,
    as_the_group,
    is_new,
    partitions_of,
    placed,
    refuse_name,
    refuse_others,
)

_ABOUT = "topic.json"
_GROUPS = "groups"
_DAY = 86_400_000
"""Milliseconds."""
_PAUSE = 0.01
"""Seconds between looks at a log that had nothing new."""
Clock = Callable[[], int]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Log:
    """Topics in a folder: a folder each, with one for each partition and each group."""

    def __init__(
        self,
        folder: Path,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        fsync: bool = True,
        keep_days: float | None = None,
        clock: Clock = now_ms,
        tell: Tell = lambda _: None,
    ) -> None:
        self.folder = folder
        self._keep = None if keep_days is None else int(keep_days * _DAY)
        self._segment_bytes = segment_bytes
        self._fsync = fsync
        self._clock = clock
        self._tell = tell
        self._known: dict[tuple[str, int], Partition] = {}

    def create(self, topic: str, partitions: int) -> None:
        if not is_new(topic, partitions, self.topics()):
            return
        for partition in range(partitions):
            (self.folder / topic / str(partition)).mkdir(parents=True, exist_ok=True)
        self._tell_of(topic, {"partitions": partitions, "identity": uuid.uuid4().hex})

    def topics(self) -> dict[str, int]:
        found = sorted(self.folder.glob(f"*/{_ABOUT}"))
        return {p.parent.name: _read(p)["partitions"] for p in found}

    def identity(self, topic: str) -> str:
        """A topic that was made before topics had one gets it now."""
        path = self.folder / topic / _ABOUT
        if not path.exists():
            self._partitions(topic)  # says that there is none
        about = _read(path)
        if "identity" not in about:
            with one_at_a_time(path.with_name(".lock")):
                about = {"identity": uuid.uuid4().hex} | _read(path)
                self._tell_of(topic, about)
        return str(about["identity"])

    def _tell_of(self, topic: str, about: Mapping[str, int | str]) -> None:
        new = self.folder / topic / f"{_ABOUT}.new"
        new.write_text(json.dumps(about), encoding="utf-8")
        new.replace(self.folder / topic / _ABOUT)

    def send(self, topic: str, messages: pl.DataFrame) -> dict[int, int]:
        given, at = placed(messages, self._partitions(topic)), self._clock()
        parts = given.partition_by("partition", include_key=False, as_dict=True)
        return {
            place: self.partition(topic, place).append(part, at) for (place,), part in parts.items()
        }

    def ends(self, topic: str) -> Ends:
        return {p: self.partition(topic, p).ends() for p in range(self._partitions(topic))}

    def read(self, topic: str, partition: int, offset: int, most: int) -> pl.DataFrame:
        return Cursor(self.partition(topic, partition), offset).read(most)

    def positions(self, topic: str, group: str) -> dict[int, int]:
        return self.group(topic, group).positions()

    def consumer(
        self, topics: tuple[str, ...], group: str, begin: Begin = as_the_group
    ) -> LogConsumer:
        refuse_name(group, "group")
        return LogConsumer(self, {t: self._partitions(t) for t in topics}, group, begin)

    def expire(
        self, topic: str, *, before: int | None = None, keep_bytes: int | None = None
    ) -> int:
        """Removes whole segments that are older than `before` (ms since 1970) or, of each
        partition, over `keep_bytes`; how many."""
        every = range(self._partitions(topic))
        return sum(
            self.partition(topic, p).expire(before=before, keep_bytes=keep_bytes) for p in every
        )

    def partition(self, topic: str, partition: int) -> Partition:
        if (topic, partition) not in self._known:
            self._known[topic, partition] = Partition(
                self.folder / topic / str(partition),
                segment_bytes=self._segment_bytes,
                fsync=self._fsync,
                keep=self._keep,
                tell=self._tell,
            )
        return self._known[topic, partition]

    def group(self, topic: str, group: str) -> Group:
        return Group(self.folder / topic / _GROUPS / group)

    def _partitions(self, topic: str) -> int:
        return partitions_of(topic, self.topics())


def _read(path: Path) -> dict[str, Any]:
    about: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return about


class LogConsumer(Closing):
    """A member of a group that reads the log."""

    def __init__(self, log: Log, topics: dict[str, int], group: str, begin: Begin) -> None:
        self._log = log
        self._begin = begin
        self._topics = topics
        self._group = group
        self._members = {t: Member(log.group(t, group).folder) for t in topics}
        self._cursors: dict[tuple[str, int], Cursor] = {}

    def poll(self, most: int, seconds: float) -> list[Batch]:
        until = time.monotonic() + seconds
        while True:
            self._share()
            found = self._read(most)
            if found or time.monotonic() >= until:
                return found
            time.sleep(_PAUSE)

    def assigned(self) -> frozenset[tuple[str, int]]:
        return frozenset(self._cursors)

    def seek(self, topic: str, partition: int, offset: int) -> None:
        refuse_others(topic, partition, self._cursors.keys())
        self._cursors[topic, partition] = Cursor(self._log.partition(topic, partition), offset)

    def commit(self, topic: str, partition: int, offset: int) -> None:
        self._log.group(topic, self._group).commit(partition, offset)

    def close(self) -> None:
        for member in self._members.values():
            member.close()
        self._cursors = {}

    def _share(self) -> None:
        """Partitions that went to others are let go of; new ones begin where the group is."""
        for topic, count in self._topics.items():
            try:
                mine = self._members[topic].share(count)
            except FileNotFoundError as error:
                raise StorageError(
                    f"topic {topic} was removed while it was read; start again to go on"
                ) from error
            for key in [k for k in self._cursors if k[0] == topic and k[1] not in mine]:
                del self._cursors[key]
            fresh = [p for p in sorted(mine) if (topic, p) not in self._cursors]
            done = self._log.positions(topic, self._group) if fresh else {}
            for p in fresh:
                partition = self._log.partition(topic, p)
                begin = self._begin(topic, p)
                if begin is None:
                    begin = done.get(p, partition.ends()[0])
                self._cursors[topic, p] = Cursor(partition, begin)

    def _read(self, most: int) -> list[Batch]:
        """From each partition in turn its part of what is asked, in bytes too."""
        found, left = [], most
        room = max(1, LARGEST_FRAME // max(1, len(self._cursors)))
        for k, (key, cursor) in enumerate(self._cursors.items()):
            messages = cursor.read(-(-left // (len(self._cursors) - k)), room)
            left -= len(messages)
            if len(messages):
                found.append(Batch(*key, messages))
        return found
