"""Rows of bronze on their way into what is live, and where they are from."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from lakehouse.contracts import contract

TOLD = ("partition", "offset", "key", "content", "time", "gaming_day", "known_at", "is_sound")
PLACE = r"/(\d+)@(\d+)$"
"""Partition and offset of what says where a row is from."""


def place(topic: str, partition: int, offset: int) -> str:
    """How a row says where it is from."""
    return f"topic:{topic}/{partition}@{offset}"


def placed(table: str, rows: pl.LazyFrame, columns: Iterable[str]) -> pl.DataFrame:
    """What `silver.judgement.verdicts` gives, in order of partition and offset: `TOLD`, then
    `columns`. Rows without a key or a time are left out: no rule lets them pass."""
    c = contract(table)
    at = pl.col("_source").str.extract_groups(PLACE).struct
    known = pl.all_horizontal(pl.col(*c.key, str(c.event_time)).is_not_null())
    return (
        rows.filter(known)
        .select(
            at.field("1").cast(pl.Int64).alias("partition"),
            at.field("2").cast(pl.Int64).alias("offset"),
            pl.struct("gaming_day", *c.key).hash().alias("key"),
            "content",
            pl.col(str(c.event_time)).alias("time"),
            "gaming_day",
            pl.col("_ingested_at").alias("known_at"),
            "is_sound",
            *columns,
        )
        .sort("partition", "offset")
        .collect()
    )
