"""How each game of the online casino did in a gaming day, by device and country."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.marts import lookup, mart, silver
from lakehouse.gold.money import as_table, half_up, ten_thousandths
from lakehouse.gold.online.play import events, summed, with_revenue
from lakehouse.regulation.gaming_day import Days

_KEY = ("game_name", "device", "country", "gaming_day")


@mart(silver("clickstream"), lookup("games"), days_in_hand=31)
def game_day(clickstream: pl.LazyFrame, games: pl.LazyFrame, *, days: Days) -> pl.LazyFrame:
    """Mart `game_day` of `days`. `games` is silver's history: a game returns what was last told
    on the day or before, or, where nothing was yet, what was told first."""
    rows = events(clickstream, days)
    sums = rows.group_by(_KEY).agg(**summed(), players=pl.col("user_id").n_unique().cast(pl.Int64))
    kept = 10_000 - ten_thousandths("return_to_player")
    theo = half_up(pl.col("stakes") * pl.max_horizontal(kept, 0), 10_000)
    found = with_revenue(_with_return(sums, games)).with_columns(
        theo=pl.when(pl.col("return_to_player").is_not_null()).then(theo),
        return_to_player=pl.col("return_to_player").cast(pl.Float64),
    )
    return as_table(found, "game_day")


def _with_return(sums: pl.LazyFrame, games: pl.LazyFrame) -> pl.LazyFrame:
    told = games.select("game_name", "gaming_day", "return_to_player").sort("gaming_day")
    first = told.group_by("game_name").agg(known_first=pl.col("return_to_player").first())
    return (
        sums.sort("gaming_day")
        .join_asof(told, on="gaming_day", by="game_name", check_sortedness=False)
        .join(first, on="game_name", how="left")
        .with_columns(pl.coalesce("return_to_player", "known_first"))
    )
