"""What follows events as they come into the lake: reads state back, stores results, sends alerts.

Alerts of payments are judged at the end of every micro-batch, the rest every so often. What is
stored in which order lets any engine go on where another was killed: alerts, then what they are
sent by, then sessions, then windows, whose offsets say how far all of it has come.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from lakehouse.errors import Overtaken, StorageError
from lakehouse.ingest.streams.compaction import Compaction, kept
from lakehouse.ingest.streams.topics import Transport
from lakehouse.ingest.streams.transport import OUT, topics_in
from lakehouse.live.alerts import no_news
from lakehouse.live.outbox import send, send_results, unsent
from lakehouse.live.restore import restored
from lakehouse.live.rows import PLACE
from lakehouse.live.storing import alerts_as_stored, sessions_as_stored, windows_as_stored
from lakehouse.live.tokens import Tokens
from lakehouse.live.watch import (
    TABLES,
    State,
    Watch,
    absorbed,
    begun,
    joined,
    told,
    without,
)
from lakehouse.pipeline.silver import token_key
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Lake

TICK = dt.timedelta(seconds=1)
"""Between results of windows and sessions of a topic."""
VERSION = "1"
_AT_ONCE = "shop_orders"
"""The table whose events are judged as they come, and not with results."""


@dataclass
class _Topic:
    """One topic's partitions. `until`: the offset up to which rows were taken; `stored`: that up
    to which results are."""

    name: str
    watch: Watch
    partitions: int
    state: State
    waiting: list[pl.DataFrame] = field(default_factory=list)
    until: dict[int, int] = field(default_factory=dict)
    stored: dict[int, int] = field(default_factory=dict)
    told_at: dt.datetime | None = None

    def is_due(self, now: dt.datetime) -> bool:
        """Whether results are to be told; a clock that was put back holds none up."""
        is_early = self.told_at is not None and dt.timedelta(0) <= now - self.told_at < TICK
        return not is_early and bool(self.moved())

    def moved(self) -> set[int]:
        """Partitions of which something came since results were stored."""
        return {p for p, at in self.until.items() if at > self.stored[p]}


class Engine:
    """Live windows, sessions and alerts of the partitions that a worker has: nothing is known to it
    alone. `name` stands in its commits; `tell` is told what goes wrong beside the work."""

    def __init__(
        self,
        lake: Lake,
        settings: Settings,
        transport: Transport,
        *,
        name: str = "live",
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._lake = lake
        self._settings = settings
        self._transport = transport
        self._name = name
        self._tables = {t: n for t, n in topics_in(settings).items() if n in TABLES}
        self.at_once = frozenset(t for t, n in self._tables.items() if n == _AT_ONCE)
        self._topics: dict[str, _Topic] = {}
        self._tell = tell
        self._lost: set[tuple[str, int]] = set()
        self._compaction = Compaction(lake, tell, kept(settings), layers=("gold",))
        for topic in OUT:
            if topic not in transport.topics():
                transport.create(topic, settings.topic_partitions)

    def assigned(self, topic: str, partition: int) -> None:
        """Reads back the state of a partition, and sends what is stored and was not sent."""
        if topic not in self._tables:
            return
        self.revoked(topic, partition)
        mine = self._topic(topic)
        found = restored(self._lake, mine.watch, topic, partition, mine.partitions, self._tokens)
        mine.state = joined(mine.state, found.state)
        mine.stored[partition], mine.until[partition] = found.told, found.until
        mine.waiting.append(found.rest)
        if found.until:
            self._send_again(topic, partition, found.told)

    def revoked(self, topic: str, partition: int) -> None:
        """Forgets a partition that others have now."""
        self._lost.discard((topic, partition))
        if topic in self._topics:
            mine = self._topics[topic]
            mine.waiting = [w.filter(_partition() != partition) for w in mine.waiting]
            mine.state = without(mine.state, partition)
            mine.until.pop(partition, None)
            mine.stored.pop(partition, None)

    def take(
        self,
        topic: str,
        partition: int,
        rows: pl.DataFrame,
        until: int,
        now: dt.datetime,  # noqa: ARG002 - of the worker's protocol
    ) -> None:
        """Rows of bronze of a partition, in order of offset, up to the offset `until`."""
        if topic not in self._tables or (topic, partition) in self._lost:
            return
        if partition not in self._topic(topic).until:
            self.assigned(topic, partition)
        mine = self._topics[topic]
        known = mine.until[partition]
        if until > known:
            mine.waiting.append(rows.filter(_offset() >= known))
            mine.until[partition] = until

    def flush(self, now: dt.datetime) -> None:
        """Judges payments; where it is time, stores and sends results of all else.

        What cannot be stored, or was by another engine, is not built on: all is read back on the
        next call, and bronze has what comes until then."""
        with self._kept():
            for place in sorted(self._lost):
                self.assigned(*place)
            self._alert(now)
            due = [mine for mine in self._topics.values() if mine.is_due(now)]
            if due:
                self._results(due, now)

    def alert(self, now: dt.datetime) -> None:
        """Judges payments, and says what is to be said at once."""
        with self._kept():
            self._alert(now)

    def _alert(self, now: dt.datetime) -> None:
        for mine in self._topics.values():
            if mine.name in self.at_once:
                self._raise(mine, self._take_in(mine), now)

    @contextmanager
    def _kept(self) -> Iterator[None]:
        lost = set(self._lost)
        try:
            yield
        except StorageError as error:
            self._tell(str(error))
            self._lost |= lost | {
                (name, p) for name, mine in self._topics.items() for p in mine.until
            }
            self._topics.clear()

    def _results(self, topics: Sequence[_Topic], now: dt.datetime) -> None:
        windows, sessions = [], []
        offsets: dict[str, int] = {}
        begins: dict[str, int] = {}
        for mine in topics:
            mine.told_at = now
            moved = mine.moved()
            if not moved:
                continue
            self._raise(mine, self._take_in(mine), now)
            mine.state, results = told(mine.watch, mine.state)
            self._raise(mine, results.alerts, now)
            windows.append(
                windows_as_stored(mine.name, mine.watch, results, mine.until, moved, now)
            )
            if results.sessions is not None and len(results.sessions):
                sessions.append(sessions_as_stored(mine.name, results.sessions, mine.until, now))
            offsets |= {f"{mine.name}/{p}": mine.until[p] for p in moved}
            begins |= {f"{mine.name}/{p}": mine.stored[p] for p in moved}
        if not windows:
            return
        if sessions:
            self._store("live_sessions", pl.concat(sessions), offsets)
        rows = pl.concat(windows)
        self._store("live_windows", rows, offsets, begins)
        send_results(self._transport, rows)
        for mine in topics:
            mine.stored = dict(mine.until)

    def _raise(self, mine: _Topic, alerts: pl.DataFrame, now: dt.datetime) -> None:
        """Stores alerts, and sends those of which nothing was said before."""
        if alerts.is_empty():
            return
        rows = alerts_as_stored(mine.name, alerts, mine.until, now)
        offsets = {f"{mine.name}/{p}": mine.until[p] for p in alerts["partition"].unique()}
        self._store("live_alerts", rows, offsets)
        send(self._transport, rows.filter(alerts["is_first"]))

    def _store(
        self,
        table: str,
        rows: pl.DataFrame,
        offsets: Mapping[str, int],
        begins: Mapping[str, int] | None = None,
    ) -> None:
        """Raises Overtaken where another engine has come further with a partition. Sessions may be
        there already, from before an engine was killed."""
        by = Commit(self._name, f"gold/{table}", VERSION)
        written = self._lake.append_offsets(
            "gold", table, rows, offsets, begin=begins or {}, commit=by
        )
        self._compaction.follow(table)
        if written.rows < len(rows) and table != "live_sessions":
            raise Overtaken(f"another engine has come further than {self._name} with {table}")

    def _take_in(self, mine: _Topic) -> pl.DataFrame:
        """Judges what waits; alerts that are to be said at once."""
        rows = [w for w in mine.waiting if len(w)]
        mine.waiting = []
        if not rows:
            return no_news()
        judged = mine.watch.judged(pl.concat(rows))
        protected = self._tokens.protected(mine.watch.table, judged)
        mine.state, alerts = absorbed(mine.watch, mine.state, protected)
        return alerts

    def _send_again(self, topic: str, partition: int, told: int) -> None:
        """Alerts up to what windows tell were sent before these were stored; of later ones the
        topic knows."""
        mine = self._lake.scan("gold", "live_alerts").filter(topic=topic, partition=partition)
        first = mine.sort("version").unique("alert_id", keep="first", maintain_order=True)
        later = first.filter(pl.col("version") > told).collect()
        send(self._transport, unsent(self._transport, later))

    def _topic(self, topic: str) -> _Topic:
        if topic not in self._topics:
            watch = Watch.of(self._tables[topic], topic, self._settings)
            count = self._transport.topics()[topic]
            self._topics[topic] = _Topic(topic, watch, count, begun(watch))
        return self._topics[topic]

    @cached_property
    def _tokens(self) -> Tokens:
        return Tokens(token_key(self._lake, self._settings))


def _partition() -> pl.Expr:
    return pl.col("_source").str.extract(PLACE, 1).cast(pl.Int64)


def _offset() -> pl.Expr:
    return pl.col("_source").str.extract(PLACE, 2).cast(pl.Int64)
