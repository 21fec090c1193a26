"""Patrons on the self-exclusion list: no play, no marketing."""

from __future__ import annotations

import polars as pl

from lakehouse.quality.findings import findings, truth

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


def _each(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.with_columns(subject="player_id", expected=pl.lit(0), found=pl.lit(100))
