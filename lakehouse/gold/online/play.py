"""Events of the online casino with what several marts need of each: its session, and money in
cents."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.gold.money import cents, half_up, within
from lakehouse.regulation.gaming_day import Days
from lakehouse.silver.sessions import sessions

USER = ("user_id", "gaming_day")
"""Whose play is looked at together."""
SUMS = ("rounds", "stakes", "bonus", "wins")


def events(clickstream: pl.LazyFrame, days: Days) -> pl.LazyFrame:
    """Silver `clickstream` of `days` with `is_stake`, `stake`, `bonus` and `win` in cents."""
    return with_cents(within(clickstream, days))


def with_cents(clickstream: pl.LazyFrame) -> pl.LazyFrame:
    """The same of any rows."""
    is_stake = pl.col("event_type") == "bet_placed"
    stake = cents("bet_amount")
    return clickstream.with_columns(
        is_stake=is_stake,
        stake=stake,
        bonus=pl.when("is_bonus").then(stake).otherwise(0),
        win=cents("win_amount"),
    )


def in_sessions(rows: pl.LazyFrame, silence_minutes: int) -> pl.LazyFrame:
    """With the `session` of each event, in order of user and time."""
    return sessions(rows, USER, "timestamp", dt.timedelta(minutes=silence_minutes), "session_id")


def summed() -> dict[str, pl.Expr]:
    """What is added up of events, in cents."""
    return {
        "rounds": pl.col("is_stake").sum().cast(pl.Int64),
        "stakes": pl.col("stake").sum(),
        "bonus": pl.col("bonus").sum(),
        "wins": pl.col("win").sum(),
    }


def seconds(first: pl.Expr, last: pl.Expr) -> pl.Expr:
    """Length of a session from its first to its last event."""
    return (last - first).dt.total_seconds()


def lengths() -> dict[str, pl.Expr]:
    """How many sessions, and how long, of rows with `seconds`, one a session."""
    return {
        "sessions": pl.len().cast(pl.Int64),
        "minutes": half_up(pl.col("seconds").sum(), 60),
        "longest_session_minutes": half_up(pl.col("seconds").max(), 60),
    }


def with_revenue(sums: pl.LazyFrame) -> pl.LazyFrame:
    """`ggr`, `ngr` and `hold` of sums."""
    ggr = pl.col("stakes") - pl.col("wins")
    return sums.with_columns(
        ggr=ggr,
        ngr=ggr - pl.col("bonus"),
        hold=pl.when(pl.col("stakes") > 0).then((ggr / pl.col("stakes")).round(6)),
    )
