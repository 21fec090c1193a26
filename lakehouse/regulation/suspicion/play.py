"""How much a person played in a gaming day, from machines, ratings and table wins."""

from __future__ import annotations

import polars as pl


def played(
    slot_telemetry: pl.LazyFrame,
    table_games: pl.LazyFrame,
    gaming_wins: pl.LazyFrame,
    players: pl.LazyFrame,
) -> pl.LazyFrame:
    """Per person of `players` and gaming day: `handle` (all wagers) and `lost_at_tables`, in
    cents. A rating's handle is its average bet times its hands."""
    rated = table_games.filter(pl.col("event_type") == "RATING_END")
    hands = pl.coalesce("hands_played", (pl.col("hours_played") * 60).cast(pl.Int64)).fill_null(0)
    tables = rated.select(
        "player_id",
        "gaming_day",
        (_cents("average_bet") * hands).alias("handle"),
        _cents("actual_win_loss").alias("lost_at_tables"),
    )
    none = pl.lit(0, pl.Int64).alias("lost_at_tables")
    slots = slot_telemetry.filter(pl.col("event_type") == "GAME_PLAY").select(
        "player_id", "gaming_day", _cents("coin_in").alias("handle"), none
    )
    wins = gaming_wins.filter(pl.col("game_type").is_in(["TABLE", "TABLE_SIDE_BET"])).select(
        "player_id", "gaming_day", _cents("wager").alias("handle"), none
    )
    return (
        pl.concat([tables, slots, wins])
        .join(players, on="player_id", how="semi")
        .group_by("player_id", "gaming_day")
        .agg(pl.col("handle", "lost_at_tables").sum())
    )


def _cents(column: str) -> pl.Expr:
    return (pl.col(column).fill_null(0) * 100).cast(pl.Int64)
