"""Sessions as they go on: what is folded of the day's events, and events that may yet change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from lakehouse.gold.money import cents
from lakehouse.gold.online.play import with_cents
from lakehouse.gold.online.responsible_gaming import is_night
from lakehouse.live.memory import LONG_AGO, Marks, Memory
from lakehouse.regulation.gaming_day import day_bounds
from lakehouse.silver.sessions import MADE, merged
from lakehouse.texts import formatted

USER = ("partition", "user_id", "gaming_day")
SUMS = ("events", "rounds", "stakes", "wins", "night_rounds")
_SPELL = {
    "partition": pl.Int64(),
    "user_id": pl.String(),
    "gaming_day": pl.Date(),
    "given": pl.String(),
    "first": pl.Datetime("us", "UTC"),
    "last": pl.Datetime("us", "UTC"),
    **dict.fromkeys(SUMS, pl.Int64()),
}
_KEY = (*USER, "session_id")


@dataclass(frozen=True)
class Play:
    """Of which events sessions are: the columns of the table that are read, and what each event
    adds (`SUMS`)."""

    columns: tuple[str, ...]
    user: str
    added: Callable[[pl.LazyFrame, str], pl.LazyFrame]

    @property
    def kept(self) -> tuple[str, ...]:
        """Columns that are remembered."""
        return (self.user, "session_id", *SUMS)


def _bets(rows: pl.LazyFrame, timezone: str) -> pl.LazyFrame:
    """Events of the online casino; money in cents."""
    staked = with_cents(rows)
    zone = pl.when("is_stake").then("time_zone")
    night = is_night(timezone) & pl.col("is_stake")
    return staked.with_columns(time_zone=zone).with_columns(
        events=1, rounds="is_stake", stakes="stake", wins="win", night_rounds=night
    )


def _moves(rows: pl.LazyFrame, timezone: str) -> pl.LazyFrame:  # noqa: ARG001 - as all others
    return rows.with_columns(events=1, **dict.fromkeys(SUMS[1:], pl.lit(0)))


PLAYS = {
    "clickstream": Play(
        ("user_id", "session_id", "event_type", "bet_amount", "win_amount", "is_bonus",
         "time_zone"),
        "user_id",
        _bets,
    ),
    "player_events": Play(("player_id", "session_id"), "player_id", _moves),
}  # fmt: skip
"""Table → how its events make sessions."""


@dataclass(frozen=True)
class Sessions:
    """`folded`: spells of events that no other can take back, of gaming days that are not over.
    `open`: sessions as last told, that are not final."""

    folded: pl.DataFrame
    open: pl.DataFrame


def no_sessions() -> Sessions:
    spells = pl.DataFrame(schema=_SPELL)
    told = {**_SPELL, "session_id": pl.String(), "is_final": pl.Boolean()}
    return Sessions(spells, pl.DataFrame(schema=told))


@dataclass(frozen=True)
class Went:
    """`told`: sessions that changed or ended since they were told last; one that is no more has no
    events. `days`: all sessions of the accounts and gaming days that changed."""

    sessions: Sessions
    told: pl.DataFrame
    days: pl.DataFrame


def went(
    before: Sessions,
    memory: Memory,
    play: Play,
    *,
    silence: dt.timedelta,
    span: dt.timedelta,
    timezone: str,
) -> Went:
    """Sessions after what came since results were asked for last. `span` as in `memory.taken`."""
    rows = memory.rows.filter("is_sound", pl.col("time") > pl.col("mark"))
    mine = rows.lazy().rename({play.user: "user_id"} if play.user != "user_id" else {})
    touched = mine.filter("is_new").select(USER).unique().collect().lazy()
    alive = mine.filter(pl.col("dead_at").is_null())
    near = _spells(alive.join(touched, on=USER, how="semi"))
    known = before.folded.lazy().join(touched, on=USER, how="semi")
    all_ = merged(pl.concat([known, near]), USER, silence, SUMS).collect()
    days = _named(all_, memory.marks, silence, timezone)
    was_open = before.open.join(touched.collect(), on=USER, how="semi")
    gone = was_open.join(days, on=_KEY, how="anti").with_columns(pl.col(*SUMS) * 0, is_final=True)
    others = before.open.join(touched.collect(), on=USER, how="anti")
    still = _finality(others, memory.marks, silence, timezone)
    news = days.join(before.open, on=days.columns, how="anti", nulls_equal=True)
    told = pl.concat([news, gone.select(days.columns), still.filter("is_final")])
    left = pl.concat([days, still.select(days.columns)]).filter(~pl.col("is_final"))
    expired = pl.col("time") + span <= _of(memory.marks)
    folded = pl.concat([before.folded, _spells(alive.filter(expired)).collect()]).filter(
        ~_is_over(memory.marks, before.folded, rows, timezone)
    )
    return Went(Sessions(_compact(folded, before, silence), left), told, days)


def _spells(rows: pl.LazyFrame) -> pl.LazyFrame:
    made = rows.with_columns(given="session_id", first="time", last="time")
    return made.select(pl.col(n).cast(t) for n, t in _SPELL.items())


def _named(
    sessions: pl.DataFrame, marks: Marks, silence: dt.timedelta, timezone: str
) -> pl.DataFrame:
    made = formatted(MADE + "{}", pl.col("first").dt.epoch("us"))
    named = sessions.with_columns(session_id=pl.coalesce("given", made))
    columns = [*_SPELL, "session_id", "is_final"]
    return _finality(named, marks, silence, timezone).select(columns)


def _finality(
    sessions: pl.DataFrame, marks: Marks, silence: dt.timedelta, timezone: str
) -> pl.DataFrame:
    """A client may go on with a session that it named until its gaming day is over."""
    quiet = pl.col("given").is_null() & (pl.col("last") + silence <= _of(marks))
    over = _ends(sessions["gaming_day"], timezone) <= _of(marks)
    return sessions.with_columns(is_final=quiet | over)


def _ends(days: pl.Series, timezone: str) -> pl.Expr:
    named = days.unique().to_list()
    ends = pl.Series([day_bounds(d, timezone)[1] for d in named], dtype=pl.Datetime("us", "UTC"))
    known = pl.Series(named, dtype=pl.Date)
    return pl.col("gaming_day").replace_strict(known, ends, default=None, return_dtype=ends.dtype)


def _is_over(marks: Marks, *frames: pl.DataFrame | str) -> pl.Expr:
    *known, timezone = frames
    days = pl.concat([f["gaming_day"] for f in known if isinstance(f, pl.DataFrame)])
    return _ends(days, str(timezone)) <= _of(marks)


def _compact(folded: pl.DataFrame, before: Sessions, silence: dt.timedelta) -> pl.DataFrame:
    """Spells are joined where there are twice as many as sessions that are open."""
    if len(folded) <= 2 * len(before.open) + 1_000:
        return folded
    return merged(folded.lazy(), USER, silence, SUMS).select(folded.columns).collect()


def _of(marks: Marks) -> pl.Expr:
    moment = pl.Datetime("us", "UTC")
    return pl.col("partition").replace_strict(dict(marks), default=LONG_AGO, return_dtype=moment)


def as_told(sessions: Sessions, stored: pl.DataFrame) -> Sessions:
    """As an engine before told of some, rows of `live_sessions`: whatever is known of them now is
    to be told again, and of those that are no more that they are."""
    named = stored.rename({"started": "first", "last_seen": "last"}).with_columns(
        night_rounds=-1, given=None, stakes=cents("stakes"), wins=cents("wins")
    )
    rows = named.select(pl.col(n).cast(t) for n, t in sessions.open.schema.items())
    others = sessions.open.join(rows, on=_KEY, how="anti")
    return Sessions(sessions.folded, pl.concat([others, rows]))


def joined(one: Sessions, other: Sessions) -> Sessions:
    """Of different partitions, as one."""
    return Sessions(pl.concat([one.folded, other.folded]), pl.concat([one.open, other.open]))


def without(sessions: Sessions, partition: int) -> Sessions:
    """Without a partition, that others have now."""
    kept = pl.col("partition") != partition
    return Sessions(sessions.folded.filter(kept), sessions.open.filter(kept))
