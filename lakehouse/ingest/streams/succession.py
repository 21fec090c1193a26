"""A topic that was made anew: which log the lake was filled from, and how it goes on with another.

A log counts its messages from 0. The lake knows each by its identity, in the transactions of the
table that its events go to; offsets of the second log are counted on from where the lake was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from lakehouse.closing import Closing
from lakehouse.contracts import contract
from lakehouse.errors import StorageError
from lakehouse.ingest.files.ledger import CODE_VERSION
from lakehouse.ingest.streams.storing import Place, name_of
from lakehouse.ingest.streams.topics import (
    Batch,
    Begin,
    Consumer,
    Ends,
    Readable,
    Tell,
    Transport,
    as_the_group,
)
from lakehouse.storage import Commit, Lake


@dataclass(frozen=True)
class Acknowledged:
    """The log that a worker found a topic to be. `to_note`: what the next commit of its events is
    to note of it (ids of transactions → their numbers), where the table does not know it."""

    identity: str
    to_note: Mapping[str, int] = field(default_factory=dict)


def acknowledged(
    lake: Lake, transport: Transport, topic: str, table: str, *, take_new: bool, tell: Tell
) -> Acknowledged:
    """The topic's log, as one that the table may be filled from.

    With `take_new` a log that takes the place of another is noted at once, and where it begins for
    the lake. Raises StorageError for such a log without it, and for one that others came after.
    """
    ends, identity = transport.ends(topic), transport.identity(topic)
    if not identity:
        return Acknowledged(identity)
    count, own = f"log:{topic}", f"log:{topic}:{identity}"
    places = {p: name_of((topic, p)) for p in ends}
    known = lake.reached("bronze", table, [count, own, *places.values()])
    if own in known and known[own] == known[count]:
        return Acknowledged(identity)
    if own in known:
        raise StorageError(
            f"topic {topic} is a log that the lake has gone on from to another; put the newest "
            "back where it was, or make the topic anew"
        )
    is_beyond = any(known.get(name, 0) > ends[p][1] for p, name in places.items())
    if count not in known and not is_beyond:
        return Acknowledged(identity, {count: 1, own: 1})
    if not take_new:
        raise StorageError(
            f"topic {topic} is another log than the one that the lake was filled from: its "
            "messages are not those that follow. Put that one back, or take in all of this one "
            "with --new-log; what only the other had is lost then"
        )
    number = known.get(count, 1) + 1
    begins = {_begin_id((topic, p)): known.get(name, 0) for p, name in places.items()}
    noted = {count: number, own: number} | begins
    by = Commit("stream", f"bronze/{table}", CODE_VERSION)
    lake.append_offsets("bronze", table, contract(table).empty(), noted, commit=by)
    tell(f"{topic}: another log than before; its messages are taken in from the first on")
    return Acknowledged(identity)


def continued(lake: Lake, transport: Transport, topics: Mapping[str, str]) -> Readable:
    """The transport, with offsets as the lake counts them. `topics`: topic → its table."""
    counts = transport.topics()
    begins: dict[Place, int] = {}
    for topic, table in topics.items():
        places = {_begin_id((topic, p)): (topic, p) for p in range(counts.get(topic, 0))}
        noted = lake.reached("bronze", table, places)
        begins |= {places[name]: at for name, at in noted.items() if at}
    return Continued(transport, begins) if begins else transport


def _begin_id(place: Place) -> str:
    """The transaction that tells the lake's offset of a log's first message."""
    return f"log:{name_of(place)}"


@dataclass(frozen=True)
class Continued:
    """A transport whose offsets are counted on: `begins` is added to those of each place."""

    transport: Readable
    begins: Mapping[Place, int]

    def ends(self, topic: str) -> Ends:
        ends = self.transport.ends(topic).items()
        begins = {p: self.begin((topic, p)) for p, _ in ends}
        return {p: (first + begins[p], after + begins[p]) for p, (first, after) in ends}

    def read(self, topic: str, partition: int, offset: int, most: int) -> pl.DataFrame:
        begin = self.begin((topic, partition))
        return shifted(self.transport.read(topic, partition, max(0, offset - begin), most), begin)

    def consumer(
        self, topics: tuple[str, ...], group: str, begin: Begin = as_the_group
    ) -> Consumer:
        def begin_there(topic: str, partition: int) -> int | None:
            at = begin(topic, partition)
            return None if at is None else at - self.begin((topic, partition))

        return ContinuedConsumer(self.transport.consumer(topics, group, begin_there), self.begin)

    def begin(self, place: Place) -> int:
        return self.begins.get(place, 0)


class ContinuedConsumer(Closing):
    """A member of a group that counts offsets as the lake does."""

    def __init__(self, consumer: Consumer, begin: Callable[[Place], int]) -> None:
        self._consumer = consumer
        self._begin = begin

    def poll(self, most: int, seconds: float) -> list[Batch]:
        return [
            replace(b, messages=shifted(b.messages, self._begin((b.topic, b.partition))))
            for b in self._consumer.poll(most, seconds)
        ]

    def assigned(self) -> frozenset[Place]:
        return self._consumer.assigned()

    def seek(self, topic: str, partition: int, offset: int) -> None:
        self._consumer.seek(topic, partition, offset - self._begin((topic, partition)))

    def commit(self, topic: str, partition: int, offset: int) -> None:
        self._consumer.commit(topic, partition, offset - self._begin((topic, partition)))

    def close(self) -> None:
        self._consumer.close()


def shifted(messages: pl.DataFrame, begin: int) -> pl.DataFrame:
    """Messages whose offsets are counted on."""
    return messages.with_columns(pl.col("offset") + begin)
