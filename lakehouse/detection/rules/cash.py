"""Cash: what may belong to a report of suspicion is judged in `regulation` and stays restricted."""

from __future__ import annotations

import polars as pl

from lakehouse.contracts.alert_shape import EVIDENCE_TYPE
from lakehouse.detection.registry import rule
from lakehouse.regulation.gaming_day import Days


@rule(
    family="cash",
    entity="property",
    action="With the grant, see restricted.alerts.",
)
def cash_is_reviewed(*, days: Days) -> pl.LazyFrame:
    """Points to the restricted zone, in the same words on every gaming day, so that it tells
    nobody whether there is anything (31 U.S.C. 5318(g)(2))."""
    return pl.LazyFrame({"gaming_day": pl.date_range(*days, eager=True)}).select(
        "gaming_day",
        pl.lit("property").alias("entity_id"),
        pl.col("gaming_day").alias("window_start"),
        pl.col("gaming_day").alias("window_end"),
        pl.lit(0.0).alias("score"),
        pl.lit([], dtype=EVIDENCE_TYPE).alias("evidence"),
        pl.lit("Currency of the day is judged in the restricted zone.").alias("said"),
    )
