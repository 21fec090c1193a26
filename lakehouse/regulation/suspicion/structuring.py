"""Structuring across days: totals of one side near the threshold (31 USC 5324)."""

from __future__ import annotations

import polars as pl

from lakehouse.regulation.law import Law
from lakehouse.regulation.people import by_person, covered
from lakehouse.regulation.suspicion.hits import HIT, as_hits, cents, house, house_cents


def structuring(ledger: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    """Hits: a gaming-day total in the band, another one of the same side in the days before,
    and no report of that side between them. One total in the band is no suspicion
    (FinCEN and agencies' FAQ of 2025-10-09)."""
    rows = by_person(ledger).with_columns(cents("amount"))
    low = house_cents(law, "structuring", "from_usd")
    high = house_cents(law, "structuring", "to_usd")
    is_reported = law.over("ctr", pl.col("amount"), pl.col("gaming_day"))
    totals = (
        rows.group_by("person", "side", "gaming_day")
        .agg(pl.col("cents").sum(), pl.col("amount").sum())
        .filter((pl.col("cents") >= low) | is_reported)
        .collect(engine="streaming")
    )
    near = totals.filter(pl.col("cents").is_between(low, high) & ~is_reported)
    hits = _repeated(near, law)
    broken = _reported_between(hits, totals.filter(is_reported))
    hits = hits.join(broken, on=["person", "side", "hit_day"], how="anti")
    if hits.is_empty():
        return pl.LazyFrame(schema=HIT)
    found = rows.join(hits.lazy(), on=["person", "side", "gaming_day"]).collect(engine="streaming")
    return as_hits(_completed(_of_principals(found).lazy(), law), "structuring")


def _repeated(near: pl.DataFrame, law: Law) -> pl.DataFrame:
    """person, side, hit_day and each gaming_day in the band that the hit rests on."""
    earlier = near.select("person", "side", pl.col("gaming_day").alias("_day"))
    gap = (pl.col("gaming_day") - pl.col("_day")).dt.total_days()
    pairs = near.join(earlier, on=["person", "side"]).filter(
        gap.is_between(0, house(law, "structuring", "days"))
    )
    count = pl.len().over("person", "side", "gaming_day")
    return pairs.filter(count >= house(law, "structuring", "totals")).select(
        "person",
        "side",
        pl.col("gaming_day").alias("hit_day"),
        pl.col("_day").alias("gaming_day"),
        (1 - 1 / count).alias("score"),
    )


def _reported_between(hits: pl.DataFrame, reported: pl.DataFrame) -> pl.DataFrame:
    spans = hits.group_by("person", "side", "hit_day").agg(
        pl.col("gaming_day").min().alias("_from")
    )
    days = reported.select("person", "side", pl.col("gaming_day").alias("_day"))
    inside = pl.col("_day").is_between(pl.col("_from"), pl.col("hit_day"))
    return (
        spans.join(days, on=["person", "side"]).filter(inside).select("person", "side", "hit_day")
    )


def _of_principals(rows: pl.DataFrame) -> pl.DataFrame:
    agents = covered(rows.unique(["hit_day", "person", "transaction_id", "side"]), "hit_day")
    return rows.join(agents, on=["hit_day", "person"], how="anti")


def _completed(found: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    band = house_cents(law, "structuring", "from_usd", "hit_day")
    today = pl.col("gaming_day") == pl.col("hit_day")
    columns = found.rename({"person": "owner", "player_id": "_by"}).with_columns(
        pl.col("owner").alias("player_id"),
        pl.lit("financial_txn").alias("source"),
        pl.col("transaction_id").alias("record_id"),
        pl.col("gaming_day").alias("record_day"),
        pl.format("currency {} (code {})", "side", "code").alias("what"),
    )
    # Both sides may complete on one day; the first of the two is the detection.
    by_side = columns.with_columns(
        pl.col("at")
        .filter(today & (pl.when(today).then(pl.col("cents")).otherwise(0).cum_sum() >= band))
        .min()
        .over("player_id", "side", "hit_day", order_by="at")
        .alias("completed_at")
    )
    return by_side.with_columns(pl.col("completed_at").min().over("player_id", "hit_day"))
