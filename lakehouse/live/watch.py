"""All that is live of a topic: state and rows in, state and results out."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass, field, replace

import polars as pl

from lakehouse.contracts import contract
from lakehouse.detection.fraud.measures import ORDERS
from lakehouse.live import fraud, protection
from lakehouse.live.alerts import no_news
from lakehouse.live.fraud import Fraud, judged_again, no_fraud
from lakehouse.live.memory import (
    LONG_AGO,
    Counts,
    Marks,
    Memory,
    nothing,
    settled,
    taken,
)
from lakehouse.live.memory import joined as memory_joined
from lakehouse.live.memory import without as memory_without
from lakehouse.live.protection import Protection, no_protection, watched
from lakehouse.live.rows import TOLD, placed
from lakehouse.live.sessions import PLAYS, Play, Sessions, no_sessions, went
from lakehouse.live.sessions import joined as sessions_joined
from lakehouse.live.sessions import without as sessions_without
from lakehouse.live.windows import KINDS, Kind, changed
from lakehouse.regulation.gaming_day import gaming_day_of
from lakehouse.settings import LATENESS, Settings
from lakehouse.silver.judgement import verdicts

TABLES = ("shop_orders", "shop_actions", "player_events", "purchases", "clickstream")
"""Tables whose events are looked at as they come."""


@dataclass(frozen=True)
class Watch:
    """What is looked at of a table's events. `lateness`: by which an event may be older than the
    newest before it in its partition, and still count."""

    table: str
    timezone: str
    lateness: dt.timedelta
    silence: dt.timedelta

    @classmethod
    def of(cls, table: str, topic: str, settings: Settings) -> Watch:
        """As the settings have it."""
        seconds = settings.lateness_seconds.get(topic, LATENESS)
        silence = dt.timedelta(minutes=settings.session_silence_minutes)
        return cls(table, settings.timezone, dt.timedelta(seconds=seconds), silence)

    @property
    def event_time(self) -> str:
        return str(contract(self.table).event_time)

    @property
    def kind(self) -> Kind | None:
        return KINDS.get(self.table)

    @property
    def play(self) -> Play | None:
        return PLAYS.get(self.table)

    @property
    def span(self) -> dt.timedelta:
        """How long after an event its last window ends."""
        return self.kind.length if self.kind else dt.timedelta(0)

    def judged(self, bronze: pl.DataFrame) -> pl.DataFrame:
        """Rows of bronze as this looks at them; personal data is as it came."""
        rows = verdicts(self.table, bronze, timezone=self.timezone).lazy()
        rows = self.play.added(rows, self.timezone) if self.play else rows
        asked = [*(self.kind.columns if self.kind else ()), *(self.play.kept if self.play else ())]
        asked += ORDERS if self.table == "shop_orders" else ()
        columns = dict.fromkeys(n for n in asked if n not in (*TOLD, "timestamp"))
        return placed(self.table, rows, columns)


@dataclass(frozen=True)
class State:
    """All that is remembered of a topic's partitions."""

    memory: Memory
    sessions: Sessions = field(default_factory=no_sessions)
    fraud: Fraud = field(default_factory=no_fraud)
    protection: Protection = field(default_factory=no_protection)


@dataclass(frozen=True)
class Results:
    """What is to be told: parts of windows, sessions, alerts, and what became of the events of each
    partition."""

    windows: pl.DataFrame | None
    sessions: pl.DataFrame | None
    alerts: pl.DataFrame
    counts: dict[int, Counts]
    marks: Marks


@functools.cache
def begun(watch: Watch) -> State:
    """Before any row."""
    return State(nothing(watch.judged(contract(watch.table).empty())))


def absorbed(watch: Watch, state: State, rows: pl.DataFrame) -> tuple[State, pl.DataFrame]:
    """After judged rows of any partitions, each in order of offset; and alerts that are to be said
    at once."""
    came = taken(state.memory, rows, lateness=watch.lateness, span=watch.span)
    after = replace(state, memory=came.memory)
    if watch.table != "shop_orders" or not len(came.fresh) + len(came.dead):
        return after, no_news()
    payments = (f.with_columns(timestamp="time") for f in (came.fresh, came.dead))
    known, news = judged_again(state.fraud, *payments, timezone=watch.timezone)
    return replace(after, fraud=known), news


def told(watch: Watch, state: State) -> tuple[State, Results]:
    """What changed since results were asked for last, and the state after that."""
    memory = state.memory
    windows = None if watch.kind is None else changed(memory, watch.kind)
    sessions, alerts, after = None, no_news(), state
    if watch.play is not None:
        found = went(
            state.sessions,
            memory,
            watch.play,
            silence=watch.silence,
            span=watch.span,
            timezone=watch.timezone,
        )
        sessions, after = found.told, replace(after, sessions=found.sessions)
        if watch.table == "clickstream" and len(found.days):
            reached = {
                p: gaming_day_of(m, watch.timezone) for p, m in memory.marks.items() if m > LONG_AGO
            }
            known, alerts = watched(state.protection, found.days, _news(memory), reached)
            after = replace(after, protection=known)
    counts, marks = dict(memory.counts), memory.marks
    after = replace(after, memory=settled(memory, watch.span))
    return after, Results(windows, sessions, alerts, counts, marks)


def _news(memory: Memory) -> pl.DataFrame:
    rows = memory.rows.filter("is_new")
    return rows.group_by("partition", "user_id", "gaming_day").agg(pl.col("offset").max())


def joined(one: State, other: State) -> State:
    """Two states of different partitions as one."""
    return State(
        memory_joined(one.memory, other.memory),
        sessions_joined(one.sessions, other.sessions),
        fraud.joined(one.fraud, other.fraud),
        protection.joined(one.protection, other.protection),
    )


def without(state: State, partition: int) -> State:
    """Without a partition, that others have now."""
    return State(
        memory_without(state.memory, partition),
        sessions_without(state.sessions, partition),
        fraud.without(state.fraud, partition),
        protection.without(state.protection, partition),
    )
