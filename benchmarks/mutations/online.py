"""Defects of the online casino's tables, for the truths between them."""

from __future__ import annotations

import datetime as dt

import polars as pl

from benchmarks.mutations.defects import Mutation, first
from lakehouse.storage import Lake

_ANY = pl.lit(value=True)


def _result_again(rows: pl.DataFrame, _lake: Lake, _day: dt.date) -> pl.DataFrame:
    """Under a number of its own, and of no win: the books of money stay as they are."""
    lost = (pl.col("event_type") == "bet_result") & (pl.col("win_amount") == 0)
    again = rows.filter(lost).head(1).with_columns(event_id=pl.lit("again"))
    return pl.concat([rows, again])


def _lent(rows: pl.DataFrame, _lake: Lake, _day: dt.date) -> pl.DataFrame:
    """A game that somebody opened in the session of another."""
    told = rows.filter(pl.col("session_id").is_not_null())
    whose = told["user_id"][0]
    other = (pl.col("user_id") != whose) & (pl.col("event_type") == "game_start")
    return first(other, session_id=told["session_id"][0])(rows, _lake, _day)


ONLINE = [
    Mutation(
        "An account has seven dollars of revenue that it never staked",
        "gold",
        "player_metrics",
        first(
            _ANY,
            stakes=pl.col("stakes") + 7,
            ggr=pl.col("ggr") + 7,
            ngr=pl.col("ngr") + 7,
        ),
        ("gold/player_metrics:online_play_is_its_accounts",),
    ),
    Mutation(
        "A game paid seven dollars more than its rounds",
        "gold",
        "game_day",
        first(_ANY, wins=pl.col("wins") + 7, ggr=pl.col("ggr") - 7, ngr=pl.col("ngr") - 7),
        ("gold/game_day:online_play_is_its_games",),
    ),
    Mutation(
        "A round is settled twice",
        "silver",
        "clickstream",
        _result_again,
        ("silver/clickstream:rounds_are_settled_once", "silver/clickstream:conservation"),
    ),
    Mutation(
        "Two accounts share a session",
        "silver",
        "clickstream",
        _lent,
        ("silver/clickstream:told_sessions_hold_together",),
    ),
]
