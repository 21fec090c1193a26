"""How far events were produced: a note beside the topics, and what the topics themselves say.

The note is written after the log has the events. A producer that is killed in between reads the
messages that came after its note: events have a definite order, so that what is there already is
known, in each partition, and is not sent again.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from lakehouse.errors import BadInput
from lakehouse.ingest.streams.topics import Transport, stretch
from lakehouse.private_files import entered, put


@dataclass
class Place:
    """How far a topic is produced: so many events of those that come on a day, from `since` on,
    and where its partitions ended then."""

    since: dt.date
    day: dt.date
    sent: int = 0
    total: int = 0
    ends: dict[int, int] = field(default_factory=dict)

    def moved(self, day: dt.date) -> None:
        """To the beginning of a later day."""
        self.day, self.sent = day, 0


@dataclass
class Produced:
    """The note of a lake's producer. `world`: what all of the events follow from."""

    path: Path
    world: Mapping[str, Any]
    places: dict[str, Place] = field(default_factory=dict)
    at: dt.datetime | None = None
    """The clock of the events: when the last one came."""

    def write(self) -> None:
        """On the disk, whole or not at all."""
        told = {
            "world": self.world,
            "at": self.at.isoformat() if self.at else None,
            "topics": {topic: asdict(place) for topic, place in self.places.items()},
        }
        with entered(self.path.parent.resolve(), make=True) as folder:
            put(folder, self.path.name, json.dumps(told, default=str).encode())


def read(path: Path, world: Mapping[str, Any]) -> Produced:
    """The note, or an empty one. Raises BadInput where the topics have events of another world."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Produced(path, world)
    other = [n for n, value in world.items() if told["world"].get(n) != value]
    if other:
        n = other[0]
        raise BadInput(
            f"the topics have events of a world of {n} {told['world'].get(n)}, not {world[n]}: "
            f"name another folder in the setting topics, or remove them with {path}"
        )
    places = {topic: _place(about) for topic, about in told["topics"].items()}
    at = told["at"] and dt.datetime.fromisoformat(told["at"])
    return Produced(path, world, places, at)


def clock(path: Path) -> dt.datetime | None:
    """When the last event that was produced came, by its own clock; None where none was."""
    try:
        at = json.loads(path.read_text(encoding="utf-8"))["at"]
    except FileNotFoundError:
        return None
    return at and dt.datetime.fromisoformat(at)


class Seen:
    """Messages of a topic from the offsets `ends` on: those of a writer who was killed, among
    others'. `ends` moves behind each that is found; offsets in `others` are known to be another's.
    """

    def __init__(
        self,
        transport: Transport,
        topic: str,
        ends: dict[int, int],
        others: Callable[[int, int], bool] = lambda *_: False,
    ) -> None:
        self._ends = ends
        self._others = others
        self._waiting = {}
        for p, (first, end) in transport.ends(topic).items():
            begin = ends.get(p, first)
            if begin > end:
                raise BadInput(
                    f"topic {topic}: partition {p} ends at {end}, and was written to up to "
                    f"{begin}: it is not the same topic; make all topics anew, without the notes "
                    "beside them"
                )
            self._waiting[p] = _read(transport, topic, p, max(begin, first), end)

    def left(self, placed: pl.DataFrame) -> pl.DataFrame:
        """Of the messages that come next, with the `partition` of each, those that the topic
        does not have yet."""
        if not self._waiting:
            return placed
        is_new = [not self._has(p, key, value) for key, value, p in placed.iter_rows()]
        return placed.filter(pl.Series(is_new, dtype=pl.Boolean))

    def _has(self, partition: int, *message: bytes) -> bool:
        """Ours are in order: what follows one that is not there is not there either."""
        for offset, *found in self._waiting.get(partition, ()):
            if found == list(message) and not self._others(partition, offset):
                self._ends[partition] = offset + 1
                return True
        self._waiting.pop(partition, None)
        return False


def _read(
    transport: Transport, topic: str, partition: int, offset: int, end: int
) -> Iterator[tuple[int, bytes, bytes]]:
    for part in stretch(transport, topic, partition, offset, end):
        yield from part.select("offset", "key", "value").iter_rows()


def _place(about: Mapping[str, Any]) -> Place:
    since, day = (dt.date.fromisoformat(about[n]) for n in ("since", "day"))
    ends = {int(p): int(end) for p, end in about["ends"].items()}
    return Place(since, day, about["sent"], about["total"], ends)
