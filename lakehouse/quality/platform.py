"""What must hold between the tables of the game platform: events, metrics and purchases tell of
the same sessions, and the marts count each row once."""

from __future__ import annotations

import polars as pl

from lakehouse.contracts.platform.health import PERIODS
from lakehouse.gold.money import cents
from lakehouse.quality.findings import entries_of, findings, truth, unequal
from lakehouse.texts import formatted

SILENCE = pl.duration(minutes=30)
"""A session is over after so long without an event."""
_SESSION = ["gaming_day", "player_id", "session_id"]


def _lost(player_events: pl.LazyFrame, server_metrics: pl.LazyFrame) -> pl.LazyFrame:
    cut = player_events.filter(
        (pl.col("event_type") == "disconnect") & pl.col("server_id").is_not_null()
    )
    measured = server_metrics.filter(pl.col("disconnections").is_not_null())
    return pl.concat(
        [
            entries_of(cut, "server_id", expected=pl.lit(100)),
            entries_of(measured, "server_id", found=pl.col("disconnections") * 100),
        ]
    )


@truth(
    "silver.player_events",
    "silver.server_metrics",
    sides=("disconnect events", "disconnections measured"),
    entries=_lost,
    hidden_by="server_id",
)
def disconnections_are_in_the_metrics(
    player_events: pl.LazyFrame, server_metrics: pl.LazyFrame
) -> pl.LazyFrame:
    """Per gaming day and server, as many sessions end with a disconnect as the server counted.
    (Unit: sessions.)"""
    return unequal(_lost(player_events, server_metrics))


@truth(
    "silver.player_events",
    "silver.purchases",
    sides=("sessions of the player then", "sessions"),
)
def purchases_lie_in_their_session(
    player_events: pl.LazyFrame, purchases: pl.LazyFrame
) -> pl.LazyFrame:
    """A purchase that names its session is of a player who was in it then: within 30 minutes of
    its events. (Unit: sessions.)"""
    moment = pl.col("timestamp")
    sessions = player_events.group_by(_SESSION).agg(since=moment.min(), until=moment.max())
    named = purchases.filter(pl.col("session_id").is_not_null())
    told = named.join(sessions, on=_SESSION, how="left")
    bought = pl.col("purchase_timestamp")
    is_inside = bought.is_between(pl.col("since") - SILENCE, pl.col("until") + SILENCE)
    outside = told.filter(~is_inside.fill_null(value=False))
    return findings(
        outside.with_columns(subject="transaction_id", expected=pl.lit(100), found=pl.lit(0))
    )


@truth("silver.purchases", "gold.item_sales", sides=("purchases", "item_sales"), blocking=True)
def sales_are_the_purchases(purchases: pl.LazyFrame, item_sales: pl.LazyFrame) -> pl.LazyFrame:
    """Per gaming day and item, the revenue is what was paid."""
    paid = entries_of(purchases, "item_id", expected=cents("price"))
    return unequal(pl.concat([paid, entries_of(item_sales, "item_id", found=cents("revenue"))]))


@truth(
    "silver.player_events", "gold.player_levels", sides=("events", "player_levels"), blocking=True
)
def events_are_of_a_level(player_events: pl.LazyFrame, player_levels: pl.LazyFrame) -> pl.LazyFrame:
    """Per gaming day and level, each event is counted once. (Unit: events.)"""
    events = entries_of(player_events, "level_id", expected=pl.lit(100))
    counted = entries_of(player_levels, "level_id", found=pl.col("events") * 100)
    return unequal(pl.concat([events, counted]))


@truth(
    "gold.player_levels",
    "gold.level_engagement",
    sides=("player_levels", "level_engagement"),
    blocking=True,
)
def active_players_are_of_the_day(
    player_levels: pl.LazyFrame, level_engagement: pl.LazyFrame
) -> pl.LazyFrame:
    """Per gaming day, level and map, whoever was there is an active player. (Unit: players.)"""
    place = pl.concat_str("level_id", "map_id", separator="/")
    there = entries_of(player_levels, place, expected=pl.lit(100))
    counted = entries_of(level_engagement, place, found=pl.col("active_players") * 100)
    return unequal(pl.concat([there, counted]))


@truth(
    "silver.server_metrics",
    "gold.server_health",
    sides=("server_metrics", "server_health"),
    blocking=True,
)
def health_is_of_every_minute(
    server_metrics: pl.LazyFrame, server_health: pl.LazyFrame
) -> pl.LazyFrame:
    """Per gaming day and server, five minutes and days hold each measurement once, and what it
    lost. (Unit: measurements and disconnections together.)"""
    measured = 100 + pl.col("disconnections").fill_null(0) * 100
    held = (pl.col("measurements") + pl.col("disconnections")) * 100
    parts = [
        entries_of(server_metrics, formatted(f"{{}} by {p}", "server_id"), expected=measured)
        for p in PERIODS
    ]
    by_period = formatted("{} by {}", "server_id", "period")
    return unequal(pl.concat([*parts, entries_of(server_health, by_period, found=held)]))
