"""Ratings by dealer and player: the partial that pairs are judged from."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.marts import mart, silver
from lakehouse.gold.money import as_table, cents, within
from lakehouse.regulation.games import in_force, table_rates
from lakehouse.regulation.gaming_day import Days

_KEY = ("dealer_id", "player_id", "gaming_day")


@mart(silver("table_games"))
def dealer_play(table_games: pl.LazyFrame, *, days: Days) -> pl.LazyFrame:
    """Mart `dealer_play` of `days`, from closed ratings with decisions. Poker is played among
    patrons and left out."""
    ends = within(table_games, days).filter(
        (pl.col("event_type") == "RATING_END")
        & pl.col("player_id").is_not_null()
        & (pl.col("hands_played") > 0)
        & (pl.col("average_bet") > 0)
        & (pl.col("game_type") != "Poker")
    )
    rated = in_force(ends, table_rates(), on="game_type").with_columns(
        theo=cents("theoretical_win"), player_win=-cents("actual_win_loss")
    )
    spread = cents("average_bet") * pl.col("hands_played").sqrt() * pl.col("deviation")
    luck = (pl.col("player_win") + pl.col("theo")) / spread
    found = (
        rated.with_columns(luck=luck)
        .group_by(_KEY)
        .agg(
            ratings=pl.len(),
            hands_played=pl.col("hands_played").sum(),
            theo=pl.col("theo").sum(),
            player_win=pl.col("player_win").sum(),
            luck=pl.col("luck").sum().round(6),
            luck_squares=pl.col("luck").pow(2).sum().round(6),
        )
    )
    return as_table(found, "dealer_play")
