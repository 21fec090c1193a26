"""Alerts: signals for an analyst, of which some never become a case."""

from __future__ import annotations

import polars as pl

from lakehouse.regulation.law import MONEY, Law
from lakehouse.regulation.people import by_person, known_at

ALERT = pl.Schema(
    {
        "kind": pl.String(),
        "gaming_day": pl.Date(),
        "player_ids": pl.List(pl.String()),
        "amount": pl.Decimal(18, 2),
        "evidence": pl.List(pl.String()),
        "detail": pl.String(),
    }
)
ADDRESS = ["address_line1", "city", "state", "zip_code"]


def structuring_alerts(hits: pl.DataFrame) -> pl.DataFrame:
    """One alert per person and gaming day that repeats a near-threshold total."""
    cents, side = pl.col("cents"), pl.col("side")
    most = pl.max_horizontal(*(cents.filter(side == s).sum() for s in ("in", "out")))
    rows = hits.unique(["player_id", "hit_day", "record_id", "side"]).sort("at", "record_id")
    found = rows.group_by("hit_day", "player_id", maintain_order=True).agg(
        (most.cast(pl.Decimal(38, 2)) / 100).cast(MONEY).alias("amount"),
        pl.col("record_id").unique(maintain_order=True).alias("evidence"),
        pl.col("record_day").n_unique().alias("_days"),
    )
    return found.select(
        pl.lit("structuring").alias("kind"),
        pl.col("hit_day").alias("gaming_day"),
        pl.concat_list("player_id").alias("player_ids"),
        "amount",
        "evidence",
        pl.format("near the reporting threshold on {} gaming days, no report", "_days").alias(
            "detail"
        ),
    )


def shared_address(ledger: pl.LazyFrame, player_profile: pl.LazyFrame, law: Law) -> pl.DataFrame:
    """Persons of one address whose totals of a side are each below the report and together
    over it, on one gaming day; one alert of the same persons, whether in, out or both. A link
    to look at: the law does not add them up (1021.313).
    `player_profile`: silver's history; an address is the one known on the day."""
    day = pl.col("gaming_day")
    totals = (
        by_person(ledger)
        .group_by("gaming_day", "side", pl.col("person").alias("player_id"))
        .agg(pl.col("amount").sum(), pl.col("transaction_id"))
        .filter(~law.over("ctr", pl.col("amount"), day))
    )
    located = known_at(totals, player_profile, "gaming_day", ADDRESS)
    single = located.drop_nulls("address_line1")
    together = (
        single.sort("player_id")
        .group_by("gaming_day", "side", *ADDRESS, maintain_order=True)
        .agg(
            pl.col("player_id").alias("player_ids"),
            pl.col("amount").sum().cast(MONEY),
            pl.col("transaction_id").list.explode().unique().sort().alias("evidence"),
        )
        .filter((pl.col("player_ids").list.len() > 1) & law.over("ctr", pl.col("amount"), day))
    )
    alike = (
        together.sort("side")
        .group_by("gaming_day", "player_ids", maintain_order=True)
        .agg("side", pl.col("amount").max(), pl.col("evidence").list.explode().unique().sort())
    )
    worded = alike.with_columns(
        kind=pl.lit("shared_address"),
        detail=pl.format(
            "one address, currency {} together over the threshold",
            pl.col("side").list.join(" and "),
        ),
    )
    return worded.select(pl.col(c).cast(t) for c, t in ALERT.items()).collect()
