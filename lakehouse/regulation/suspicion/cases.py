"""Review cases out of hits: one per person and run of hits, with its clock and a narrative."""

from __future__ import annotations

import polars as pl

from lakehouse.regulation.gaming_day import local_day
from lakehouse.regulation.law import MONEY, Law
from lakehouse.regulation.suspicion.hits import HIT_KEY, RECORD
from lakehouse.regulation.suspicion.narrative import narrative
from lakehouse.texts import formatted

SUBTYPES = {
    "structuring": ["114"],
    "pooling": ["1204"],
    "marker_cycle": ["1203"],
    "bill_stuffing": ["1202"],
    "minimal_play": ["1202"],
    "chip_walking": ["1201"],
}
ABSORBS = (
    ("marker_cycle", "structuring"),
    ("pooling", "chip_walking"),
    ("pooling", "minimal_play"),
    ("pooling", "structuring"),
    ("bill_stuffing", "minimal_play"),
)
"""The first pattern says all that the second one does, where they rest on the same rows."""
QUIET_DAYS, MOST_DAYS = 7, 30
"""Hits of one person no further apart make one case, which grows until it must be filed."""


def from_hits(hits: pl.DataFrame) -> pl.DataFrame:
    """Hits (shape HIT) with `case_key`, `subtypes` and the case's first day and moment."""
    days = hits.group_by(HIT_KEY).agg(pl.col("completed_at").min()).sort(HIT_KEY)
    gap = pl.col("hit_day").diff().dt.total_days().over("typology", "player_id")
    runs = days.with_columns((gap.is_null() | (gap > QUIET_DAYS)).alias("_new")).with_columns(
        pl.col("_new").cum_sum().over("typology", "player_id").alias("_run")
    )
    run = ["typology", "player_id", "_run"]
    dated = runs.with_columns(
        pl.col("hit_day").min().over(run).alias("first_day"),
        pl.col("completed_at").first().over(run, order_by="hit_day").alias("detected_at"),
    ).filter((pl.col("hit_day") - pl.col("first_day")).dt.total_days() <= MOST_DAYS)
    keyed = hits.join(dated.drop("completed_at", "_new"), on=HIT_KEY)
    return keyed.with_columns(
        formatted("{}-{}-{}", "typology", "first_day", "player_id").alias("case_key"),
        pl.col("typology")
        .replace_strict(SUBTYPES, return_dtype=pl.List(pl.String))
        .alias("subtypes"),
    ).drop("_run")


def from_observations(evidence: pl.DataFrame) -> pl.DataFrame:
    """Observed evidence in the same shape; the cases are already told apart."""
    return evidence.with_columns(
        formatted("{}-{}-{}", "typology", "hit_day", "case_key").alias("case_key"),
        pl.col("hit_day").alias("first_day"),
        pl.col("completed_at").alias("detected_at"),
    )


def review_cases(evidence: pl.DataFrame, law: Law, timezone: str) -> pl.DataFrame:
    """One row per case with the columns of contract `sar_cases`."""
    rows = evidence.unique(["case_key", *RECORD, "side"], keep="first").sort(
        "case_key", "at", "source", "record_id"
    )
    rows = rows.join(absorbed(rows), on="case_key", how="anti")
    cases = rows.group_by("case_key", maintain_order=True).agg(
        pl.col("player_id", "typology", "subtypes", "detected_at").first(),
        pl.col("first_day").first().alias("gaming_day"),
        pl.col("score").max(),
        conducted().alias("amount"),
        pl.col("owner").drop_nulls().unique(maintain_order=True).alias("_owners"),
        pl.col("record_day").min().alias("first_activity_on"),
        pl.col("record_day").max().alias("last_activity_on"),
        _ids("staff_observations", other=True).alias("transaction_ids"),
        _ids("staff_observations", other=False).alias("observation_ids"),
        _evidence().alias("evidence"),
        pl.col("place").drop_nulls().unique().sort().str.join(", ").alias("_where"),
    )
    return _clocked(cases, law, timezone).with_columns(narrative(timezone).alias("narrative"))


def conducted() -> pl.Expr:
    """Dollars of a group of hit rows, each once: what came in and went out again is not added
    up."""
    cents, side = pl.col("cents"), pl.col("side")
    sums = [cents.filter(side == s).sum() for s in ("in", "out")]
    attempted = cents.filter(side == "attempted").max()
    most = pl.max_horizontal(*sums, attempted.fill_null(0))
    return (most.cast(pl.Decimal(38, 2)) / 100).cast(MONEY)


def _ids(source: str, *, other: bool) -> pl.Expr:
    observed = pl.col("source") == source
    records = pl.struct(RECORD).filter(~observed if other else observed)
    return records.unique(maintain_order=True).struct.field("record_id")


def _evidence() -> pl.Expr:
    return pl.struct(
        "source",
        "record_id",
        "at",
        "what",
        (pl.col("cents").cast(pl.Decimal(38, 2)) / 100).cast(MONEY).alias("amount"),
    )


def _clocked(cases: pl.DataFrame, law: Law, timezone: str) -> pl.DataFrame:
    """Adds the clock of 31 CFR 1021.320(b)(3): it runs from detection."""
    day = pl.col("detected_on")
    named = law.dated("sar", lambda p: f"{p.due_days}d", day)
    unnamed = law.dated("sar", lambda p: f"{(p.params or {})['due_days_unknown_suspect']}d", day)
    wait = pl.when(pl.col("player_id").is_null()).then(unnamed).otherwise(named)
    others = pl.col("_owners").list.set_difference(pl.concat_list("player_id"))
    suspect = pl.concat_list(pl.col("player_id")).list.drop_nulls()
    return (
        cases.with_columns(local_day(pl.col("detected_at"), timezone).alias("detected_on"))
        .with_columns(
            day.dt.offset_by(wait).alias("due"),
            law.over("sar", pl.col("amount"), day).alias("mandatory"),
            pl.lit(value=False).alias("filed"),
            pl.concat_list(suspect, others).alias("player_ids"),
        )
        .rename({"case_key": "case_id"})
    )


def absorbed(rows: pl.DataFrame, *within: str) -> pl.DataFrame:
    """Column `case_key`: those whose records all stand in another one, alike in the columns
    `within`, that says more (ABSORBS). `rows`: hit rows with their `case_key`."""
    pairs = pl.DataFrame(ABSORBS, schema=["_fuller", "typology"], orient="row")
    records = rows.select("case_key", "typology", *RECORD, *within).unique()
    size = records.group_by("case_key").len("size")
    fuller = records.rename({"case_key": "_key", "typology": "_fuller"})
    return (
        records.join(pairs, on="typology")
        .join(fuller, on=["_fuller", *RECORD, *within])
        .group_by("case_key", "_key")
        .len("shared")
        .join(size, on="case_key")
        .filter(pl.col("shared") == pl.col("size"))
        .select("case_key")
        .unique()
    )
