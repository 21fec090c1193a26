"""What each account did in the online casino in a gaming day."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.gold.marts import lookup, mart, silver
from lakehouse.gold.money import as_table
from lakehouse.gold.online.play import (
    SUMS,
    USER,
    events,
    in_sessions,
    lengths,
    seconds,
    summed,
    with_revenue,
)
from lakehouse.regulation.gaming_day import Days
from lakehouse.silver.sessions import high_frequency


@mart(silver("clickstream"), lookup("online_accounts"), days_in_hand=31)
def player_metrics(
    clickstream: pl.LazyFrame,
    online_accounts: pl.LazyFrame,
    *,
    days: Days,
    session_silence_minutes: int,
    high_frequency_seconds: float,
) -> pl.LazyFrame:
    """Mart `player_metrics` of `days`. `online_accounts` is silver's history: whose an account is
    does not change."""
    rows = in_sessions(events(clickstream, days), session_silence_minutes)
    gap = dt.timedelta(seconds=high_frequency_seconds)
    hurried = high_frequency(rows, USER, "timestamp", gap)
    moment = pl.col("timestamp")
    played = hurried.group_by(*USER, "session").agg(
        **summed(),
        seconds=seconds(moment.min(), moment.max()),
        high_frequency_actions=pl.col("is_high_frequency").sum().cast(pl.Int64),
        games=pl.col("game_name").unique(),
        devices=pl.col("device").unique(),
        first_seen=moment.min(),
        last_seen=moment.max(),
    )
    by_day = played.group_by(USER).agg(
        pl.col(*SUMS, "high_frequency_actions").sum(),
        **lengths(),
        games=pl.col("games").explode().unique().sort(),
        devices=pl.col("devices").explode().unique().sort(),
        first_seen=pl.col("first_seen").min(),
        last_seen=pl.col("last_seen").max(),
    )
    linked = by_day.join(_patrons(online_accounts), on="user_id", how="left")
    return as_table(with_revenue(linked), "player_metrics")


def _patrons(online_accounts: pl.LazyFrame) -> pl.LazyFrame:
    """The patron of each account that was ever linked to one."""
    linked = online_accounts.filter(pl.col("player_id").is_not_null())
    return linked.group_by(user_id="account_id").agg(
        pl.col("player_id").sort_by("gaming_day", "player_id").first()
    )
