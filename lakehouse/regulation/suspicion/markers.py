"""Marker cycles: credit drawn and repaid in currency within the week (FIN-2008-G007)."""

from __future__ import annotations

import polars as pl

from lakehouse.regulation.law import Law
from lakehouse.regulation.suspicion.hits import as_hits, first_reached, house, house_cents


def marker_cycle(cage: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    """Hits: within less than a week, markers over a limit are drawn and currency over a
    limit repays them, no gaming day's payments being over the report's threshold."""
    known = cage.filter(pl.col("player_id").is_not_null())
    repaid = (pl.col("what") == "MARKER_PAYMENT") & (pl.col("payment_method") == "Cash")
    drawn = pl.col("what") == "MARKER_ISSUE"
    rows = known.filter(repaid | drawn).with_columns(
        pl.when(repaid).then(pl.lit("in")).otherwise(pl.lit("out")).alias("side")
    )
    days = rows.filter(pl.col("side") == "in").select("player_id", hit_day="gaming_day").unique()
    gap = (pl.col("hit_day") - pl.col("gaming_day")).dt.total_days()
    week = house(law, "marker_cycle", "days", "hit_day")
    window = days.join(rows, on="player_id").filter((gap >= 0) & (gap < week))
    hits = window.join(_judged(window, law), on=["player_id", "hit_day"])
    limit = house_cents(law, "marker_cycle", "repaid_over_usd", "hit_day")
    done = first_reached(limit, pl.col("side") == "in", strict=True)
    return as_hits(hits.sort("at").with_columns(done.alias("completed_at")), "marker_cycle")


def _judged(window: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    hit = ["player_id", "hit_day"]
    per_day = (
        window.filter(pl.col("side") == "in")
        .group_by(*hit, "gaming_day")
        .agg(pl.col("cents").sum())
        .group_by(hit)
        .agg(repaid=pl.col("cents").sum(), most=pl.col("cents").max())
    )
    drawn = window.filter(pl.col("side") == "out").group_by(hit).agg(drawn=pl.col("cents").sum())
    repaid, drawn_over = (
        house_cents(law, "marker_cycle", name, "hit_day")
        for name in ("repaid_over_usd", "drawn_over_usd")
    )
    whole = house_cents(law, "marker_cycle", "whole_usd", "hit_day")
    a_day = house_cents(law, "marker_cycle", "day_to_usd", "hit_day")
    return (
        per_day.join(drawn, on=hit)
        .filter(
            (pl.col("repaid") > repaid) & (pl.col("drawn") > drawn_over) & (pl.col("most") <= a_day)
        )
        .select(
            *hit,
            (pl.col("repaid") / pl.col("drawn")).clip(0, 1).alias("score"),
            (pl.col("repaid") / whole).clip(0, 1).alias("strength"),
        )
    )
