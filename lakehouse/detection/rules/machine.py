"""Machine integrity: what a machine reports of itself, held against itself."""

from __future__ import annotations

import polars as pl

from lakehouse.detection.registry import Limit, Reads, row_evidence, rule


@rule(
    Reads("slot_performance"),
    family="machine",
    entity="machine",
    action="Take the machine out of play; compare its meters with the accounting system's.",
)
def meter_against_play(slot_performance: pl.LazyFrame, *, limit: Limit) -> pl.LazyFrame:
    """The coin-in meter advanced by another amount than the play that was reported between its
    first and last reading of the day. Score: the difference against coin-in."""
    difference = pl.col("meter_variance").cast(pl.Float64)
    share = difference.abs() / pl.max_horizontal(pl.col("coin_in").cast(pl.Float64), 1.0)
    return (
        slot_performance.filter(difference.abs() >= limit("from_usd"))
        .with_columns(score=share / limit("whole_at"))
        .select(
            "gaming_day",
            pl.col("machine_id").alias("entity_id"),
            pl.col("gaming_day").alias("window_start"),
            pl.col("gaming_day").alias("window_end"),
            "score",
            row_evidence("slot_performance", "machine_id", "gaming_day"),
            pl.format(
                "The meter advanced ${} beside the play reported; coin-in of the day ${}.",
                "meter_variance",
                "coin_in",
            ).alias("said"),
        )
    )
