"""The books of the online casino: what is staked and won is the same by account, by game and by
day; rounds are settled once; sessions are what a client told."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.money import cents
from lakehouse.quality.findings import entries_of, findings, short, summed, truth, unequal

SILENCE_MINUTES = 30


def _won(clickstream: pl.LazyFrame, subject: str) -> pl.LazyFrame:
    return entries_of(clickstream, subject, expected=cents("bet_amount") - cents("win_amount"))


@truth(
    "silver.clickstream",
    "gold.player_metrics",
    sides=("stakes less wins", "GGR"),
    blocking=True,
)
def online_play_is_its_accounts(
    clickstream: pl.LazyFrame, player_metrics: pl.LazyFrame
) -> pl.LazyFrame:
    """Per account and gaming day, GGR is stakes less wins of the clickstream."""
    accounts = entries_of(player_metrics, "user_id", found=cents("ggr"))
    return unequal(pl.concat([_won(clickstream, "user_id"), accounts]))


@truth("silver.clickstream", "gold.game_day", sides=("stakes less wins", "GGR"), blocking=True)
def online_play_is_its_games(clickstream: pl.LazyFrame, game_day: pl.LazyFrame) -> pl.LazyFrame:
    """Per game and gaming day, GGR is stakes less wins of the clickstream."""
    games = entries_of(game_day, "game_name", found=cents("ggr"))
    return unequal(pl.concat([_won(clickstream, "game_name"), games]))


def _rounds(clickstream: pl.LazyFrame) -> pl.LazyFrame:
    kind = pl.col("event_type")
    rows = clickstream.filter(pl.col("round_id").is_not_null())
    results = (kind == "bet_result").cast(pl.Int64) * 100
    return entries_of(
        rows, "round_id", expected=results, found=(kind == "bet_placed").cast(pl.Int64) * 100
    )


@truth(
    "silver.clickstream",
    sides=("results", "stakes"),
    entries=_rounds,
    hidden_by="round_id",
)
def rounds_are_settled_once(clickstream: pl.LazyFrame) -> pl.LazyFrame:
    """Per gaming day, a round has one stake and one result at the most: a stake may be left
    unsettled, where a client was cut off. (Unit: events.)"""
    sums = summed(_rounds(clickstream))
    twice = sums.filter(pl.col("found") == pl.col("expected"), pl.col("found") > 100)
    again = findings(twice.with_columns(expected=pl.lit(100)))
    return pl.concat([short(_rounds(clickstream)), again]).sort("gaming_day", "subject")


@truth("silver.clickstream", sides=("allowed", "found"))
def told_sessions_hold_together(clickstream: pl.LazyFrame) -> pl.LazyFrame:
    """Per gaming day, a session that a client tells is of one account, and has no silence of
    half an hour. (Unit: accounts, or minutes.)"""
    told = clickstream.filter(pl.col("session_id").is_not_null())
    by = ("gaming_day", "session_id")
    silence = pl.col("timestamp").sort().diff().max().dt.total_minutes().fill_null(0)
    found = told.group_by(by).agg(accounts=pl.col("user_id").n_unique(), minutes=silence)
    shared = found.filter(pl.col("accounts") > 1).select(
        *by, expected=pl.lit(100), found=pl.col("accounts").cast(pl.Int64) * 100
    )
    silent = found.filter(pl.col("minutes") >= SILENCE_MINUTES).select(
        *by, expected=pl.lit(SILENCE_MINUTES * 100), found=pl.col("minutes") * 100
    )
    wrong = pl.concat([shared, silent], how="vertical_relaxed")
    return findings(wrong.with_columns(subject="session_id"))
