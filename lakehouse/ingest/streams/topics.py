"""What a topic is, and the small interface that both transports have."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import polars as pl

from lakehouse.closing import Closing
from lakehouse.errors import BadInput

MESSAGES = pl.Schema({"key": pl.Binary(), "value": pl.Binary()})
"""What is sent: a message without a key has an empty one."""
READ = pl.Schema({"offset": pl.Int64(), "time": pl.Datetime("ms", "UTC"), **MESSAGES})
"""What is read: its place in the partition, and when the log had it."""
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
MOST_PARTITIONS = 1_024
_AT_ONCE = 50_000
"""Messages of a stretch that are read at a time."""

Ends = Mapping[int, tuple[int, int]]
"""Partition → the first offset that is kept, and the one that comes next."""

Tell = Callable[[str], None]
"""Takes what a person should know, such as a tail that was cut off."""

Begin = Callable[[str, int], int | None]
"""Topic and partition → the offset to begin at; None: where the group is."""


@dataclass(frozen=True)
class Batch:
    """Messages of one partition, in order of offset (`READ`)."""

    topic: str
    partition: int
    messages: pl.DataFrame

    @property
    def next_offset(self) -> int:
        return int(self.messages["offset"][-1]) + 1


class Consumer(Closing, Protocol):
    """One member of a group. Partitions of the topics are shared among its living members."""

    def poll(self, most: int, seconds: float) -> list[Batch]:
        """Messages of the member's partitions, at the most so many of all and fewer where they
        are large, as soon as there is any; none after so many seconds. Partitions may have come
        or gone with the call."""

    def assigned(self) -> frozenset[tuple[str, int]]:
        """(topic, partition) that the member has."""

    def seek(self, topic: str, partition: int, offset: int) -> None:
        """Goes on from an offset of a partition that the member has."""

    def commit(self, topic: str, partition: int, offset: int) -> None:
        """Notes for the group that all before the offset is done."""


def as_the_group(topic: str, partition: int) -> int | None:  # noqa: ARG001
    """Where the group is (`Begin`)."""
    return None


class Readable(Protocol):
    """Topics that are read."""

    def ends(self, topic: str) -> Ends: ...

    def read(self, topic: str, partition: int, offset: int, most: int) -> pl.DataFrame:
        """Messages (`READ`) of a partition from an offset on, at the most so many, for whoever is
        of no group; none where nothing is there. Does not wait for more to come."""

    def consumer(
        self, topics: tuple[str, ...], group: str, begin: Begin = as_the_group
    ) -> Consumer:
        """A member of the group. A partition that it is given begins where `begin` says, else
        where the group is, or at the first message."""


class Transport(Readable, Protocol):
    """Where topics are kept."""

    def create(self, topic: str, partitions: int) -> None:
        """Makes a topic. Raises BadInput for a name that is no topic's, or one with another
        number of partitions; one that is there as asked stays."""

    def topics(self) -> dict[str, int]:
        """Topic → its partitions."""

    def identity(self, topic: str) -> str:
        """What no other topic has, though it were made anew by the same name; empty where the
        transport has no such thing."""

    def send(self, topic: str, messages: pl.DataFrame) -> dict[int, int]:
        """Adds messages (`MESSAGES`), each to the partition of its key, in order. Returns once
        the log has them: partition → the offset after the last."""

    def positions(self, topic: str, group: str) -> dict[int, int]:
        """Partition → offset up to which the group is done; without those that it never did."""


def stretch(
    transport: Readable, topic: str, partition: int, offset: int, end: int
) -> Iterator[pl.DataFrame]:
    """Messages (`READ`) of a partition from an offset up to another, some at a time."""
    while offset < end:
        part = transport.read(topic, partition, offset, min(end - offset, _AT_ONCE))
        if part.is_empty():
            return
        yield part
        offset = int(part["offset"][-1]) + 1


def refuse_name(name: str, what: str) -> None:
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{what} {name[:80]!r}: a small letter, then up to 62 small letters, digits and _"
        )


def refuse_partitions(topic: str, partitions: int) -> None:
    if not 1 <= partitions <= MOST_PARTITIONS:
        raise BadInput(
            f"topic {topic}: {partitions} partitions; 1 to {MOST_PARTITIONS} are allowed"
        )


def is_new(topic: str, partitions: int, known: Mapping[str, int]) -> bool:
    """Whether a topic is to be made. Raises BadInput as `Transport.create` does."""
    refuse_name(topic, "topic")
    refuse_partitions(topic, partitions)
    if known.get(topic, partitions) != partitions:
        raise BadInput(f"topic {topic} has {known[topic]} partitions, not {partitions}")
    return topic not in known


def partitions_of(topic: str, known: Mapping[str, int]) -> int:
    """Raises BadInput for a topic that nobody made."""
    if topic not in known:
        raise BadInput(f"no topic {topic!r}; there are: {', '.join(known) or 'none'}")
    return known[topic]


def placed(messages: pl.DataFrame, partitions: int) -> pl.DataFrame:
    """`MESSAGES`, nulls empty, with the `partition` of each."""
    given = messages.select(pl.col(n).cast(t).fill_null(b"") for n, t in MESSAGES.items())
    return given.with_columns(partition=partition_of(given["key"], partitions))


def refuse_others(topic: str, partition: int, assigned: Collection[tuple[str, int]]) -> None:
    if (topic, partition) not in assigned:
        raise BadInput(f"partition {partition} of {topic} is not this reader's")


def partition_of(keys: pl.Series, partitions: int) -> pl.Series:
    """CRC-32 of the key by the number of partitions, as librdkafka's consistent partitioner has
    it: both transports send all of a person to the same place."""
    known = keys.unique()
    places = [zlib.crc32(key) % partitions for key in known.to_list()]
    return keys.replace_strict(known, pl.Series(places, dtype=pl.Int64), return_dtype=pl.Int64)
