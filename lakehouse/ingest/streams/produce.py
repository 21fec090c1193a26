"""Events into topics, in the order in which they come, each once whatever is killed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from lakehouse.ingest.streams.messages import messages_of
from lakehouse.ingest.streams.pace import Clock, Moments, Pace
from lakehouse.ingest.streams.produced import Place, Produced, Seen
from lakehouse.ingest.streams.topics import Transport, placed

TICK = 0.05
"""Seconds between looks at what is due."""
NOTED = 0.25
"""Seconds between notes of how far it is."""
SAID = 1.0
"""Seconds between words about it."""
_DAY = dt.timedelta(days=1)
Day = Mapping[str, tuple[pl.Series, pl.DataFrame]]
"""By table: when each row comes, and the rows, in that order."""
_Made = Future[Day]


class Coming(Protocol):
    """What comes on each gaming day, the same whenever it is asked for."""

    def day(self, day: dt.date) -> Day: ...


@dataclass(frozen=True)
class Told:
    """How far it is."""

    events: int
    at: dt.datetime | None
    seconds: float

    @property
    def rate(self) -> float:
        return self.events / self.seconds if self.seconds else 0.0


@dataclass
class Producer:
    """Sends what comes on the days from the places of `produced` on. `on_day` hears of each day
    before its first event is sent, `tell` about once a second how far it is."""

    transport: Transport
    tables: Mapping[str, str]
    """Topic → table."""
    coming: Coming
    produced: Produced
    pace: Pace
    clock: Clock
    sleep: Callable[[float], None]
    on_day: Callable[[dt.date], None] = lambda _: None
    tell: Callable[[Told], None] = lambda _: None
    is_stopped: Callable[[], bool] = lambda: False
    _sent: int = 0
    _seen: dict[str, Seen] = field(default_factory=dict)
    _noted: float = float("-inf")
    _said: float = float("-inf")
    _began: float | None = None

    def run(self, last: dt.date | None, most: int | None) -> Told:
        """Up to the end of a day, so many events, or until it is stopped. The events that were
        sent are in the log and noted on return, and where it raises in the log at the least."""
        self.produced.write()
        places = self.produced.places
        self._seen = {t: Seen(self.transport, t, places[t]) for t in self.tables}
        with ThreadPoolExecutor(1) as ahead:
            for day, made in self._days(last, ahead):
                found = made.result()
                self.on_day(day)
                self._day(day, found, most)
                if self._is_over(most):
                    break
        self.produced.write()
        return self._told(self.clock())

    def _days(self, last: dt.date | None, ahead: Executor) -> Iterator[tuple[dt.date, _Made]]:
        """Each day is made while the one before it is sent."""
        day = min(self.produced.places[t].day for t in self.tables)
        made = ahead.submit(self.coming.day, day)
        while last is None or day <= last:
            done = made
            made = ahead.submit(self.coming.day, day + _DAY)
            yield day, done
            day += _DAY

    def _is_over(self, most: int | None) -> bool:
        return self.is_stopped() or (most is not None and self._sent >= most)

    def _day(self, day: dt.date, made: Day, most: int | None) -> None:
        topics = [t for t in self.tables if self.produced.places[t].day <= day]
        rest = [self._rest(t, day, *made[self.tables[t]]) for t in topics]
        moments, of = _merged([at for at, _ in rest])
        begin, done = 0, np.zeros(len(topics), dtype=np.int64)
        while begin < len(moments) and not self._is_over(most):
            if self._began is None:
                self._began = self.clock()
            room = len(moments) if most is None else most - self._sent
            due = min(self.pace.due(self._sent, moments[begin:]), room)
            if not due:
                self.sleep(TICK)
                continue
            counts = np.bincount(of[begin : begin + due], minlength=len(topics))
            for topic, (_, rows), at, count in zip(topics, rest, done, counts, strict=True):
                self._send(topic, rows[int(at) : int(at + count)])
            begin, done = begin + due, done + counts
            self._sent += due
            self._note(int(moments[begin - 1]))
        if begin == len(moments):
            for topic in topics:
                self.produced.places[topic].moved(day + _DAY)

    def _rest(
        self, topic: str, day: dt.date, at: pl.Series, rows: pl.DataFrame
    ) -> tuple[Moments, pl.DataFrame]:
        """What is left of a topic's day."""
        place = self.produced.places[topic]
        if place.day < day:
            place.moved(day)
        return at.to_physical().to_numpy()[place.sent :], rows[place.sent :]

    def _send(self, topic: str, rows: pl.DataFrame) -> None:
        if rows.is_empty():
            return
        place = self.produced.places[topic]
        messages = messages_of(self.tables[topic], rows)
        new = self._seen[topic].left(placed(messages, len(place.ends)))
        if not new.is_empty():
            place.ends |= self.transport.send(topic, new.select("key", "value"))
        place.sent += len(rows)
        place.total += len(rows)

    def _note(self, at: int) -> None:
        now = self.clock()
        self.produced.at = dt.datetime.fromtimestamp(at / 1e6, dt.UTC)
        if now - self._noted >= NOTED:
            self.produced.write()
            self._noted = now
        if now - self._said >= SAID:
            self.tell(self._told(now))
            self._said = now

    def _told(self, now: float) -> Told:
        return Told(
            self._sent, self.produced.at, now - (now if self._began is None else self._began)
        )


def begun(
    produced: Produced,
    transport: Transport,
    topics: Iterable[str],
    since: dt.date | None,
    first: dt.date,
) -> None:
    """Gives each topic a place: its own, or the beginning of `since` where that is later (what
    was still to come of days before is left out); where it has none, the beginning of `since` or
    else of `first`, after what is in it."""
    for topic in topics:
        place = produced.places.get(topic)
        if place is None:
            begins = since or first
            ends = {p: end for p, (_, end) in transport.ends(topic).items()}
            produced.places[topic] = Place(begins, begins, ends=ends)
        elif since is not None and place.day < since:
            place.moved(since)
            place.since = since


def _merged(parts: list[Moments]) -> tuple[Moments, npt.NDArray[np.int64]]:
    """All moments in order, and of which part each is."""
    whole = np.concatenate(parts)
    of = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    order = np.argsort(whole, kind="stable")
    return whole[order], of[order]
