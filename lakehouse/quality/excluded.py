"""Patrons on the self-exclusion list: no play, no marketing. Patrons who may need protection: no
budget, no marketing, judged from play that is the day's."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.money import cents
from lakehouse.quality.findings import entries_of, findings, truth, unequal

_KEY = ["gaming_day", "player_id"]


@truth("gold.player_value", "gold.player_day", sides=("trips allowed", "trips"))
def excluded_do_not_play(player_value: pl.LazyFrame, player_day: pl.LazyFrame) -> pl.LazyFrame:
    """Nobody who is on the self-exclusion list on a gaming day has a trip that day. (Unit:
    trips.)"""
    excluded = player_value.filter("is_excluded").select(_KEY)
    trips = player_day.filter(pl.col("visits") > 0).select(_KEY)
    return findings(_each(trips.join(excluded, on=_KEY, how="semi")))


@truth("silver.player_profile", sides=("channels allowed", "channels"))
def excluded_are_not_marketed_to(player_profile: pl.LazyFrame) -> pl.LazyFrame:
    """No profile of a gaming day that is on the self-exclusion list may be marketed to or has a
    channel for it. (Unit: profiles.)"""
    reached = pl.col("marketing_opt_in") | (pl.col("marketing_channel") != "None")
    return findings(_each(player_profile.filter("self_excluded").filter(reached)))


@truth(
    "gold.player_protection",
    "gold.player_value",
    sides=("raised and protected", "raised"),
    blocking=True,
)
def raised_are_protected(
    player_protection: pl.LazyFrame, player_value: pl.LazyFrame
) -> pl.LazyFrame:
    """Whoever is raised or high in player_protection on a gaming day has no budget and is not
    marketed to that day. (Unit: patrons.)"""
    raised = player_protection.filter("is_marketing_suppressed").select(_KEY)
    reached = pl.col("may_be_marketed_to") | (pl.col("reinvestment_budget") != 0)
    given = player_value.filter(reached | ~pl.col("is_protected")).select(_KEY)
    return findings(_each(raised.join(given, on=_KEY, how="semi")))


@truth(
    "gold.player_day",
    "gold.player_behaviour",
    sides=("player_day", "player_behaviour"),
    blocking=True,
)
def behaviour_is_of_the_day(
    player_day: pl.LazyFrame, player_behaviour: pl.LazyFrame
) -> pl.LazyFrame:
    """Per gaming day, what patrons bet at machines and lost is the same in both. (Unit: dollars,
    coin-in and loss together.)"""
    subject = pl.lit("coin-in and loss")
    day = entries_of(player_day, subject, expected=cents("coin_in") + cents("actual"))
    played = entries_of(player_behaviour, subject, found=cents("coin_in") + cents("loss"))
    return unequal(pl.concat([day, played]))


def _each(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.with_columns(subject="player_id", expected=pl.lit(0), found=pl.lit(100))
