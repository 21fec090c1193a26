"""Rows of bronze on their way into what is live: judged by themselves, and where they are from."""

from __future__ import annotations

import polars as pl

from lakehouse.contracts import contract
from lakehouse.silver.judgement import verdicts

TOLD = ("partition", "offset", "key", "content", "time", "gaming_day", "known_at", "is_sound")
PLACE = r"/(\d+)@(\d+)$"
"""Partition and offset of what says where a row is from."""


def place(topic: str, partition: int, offset: int) -> str:
    """How a row says where it is from."""
    return f"topic:{topic}/{partition}@{offset}"


def judged(
    table: str, bronze: pl.DataFrame, columns: tuple[str, ...], *, timezone: str
) -> pl.DataFrame:
    """Rows of a topic, in order of partition and offset: `TOLD`, then `columns` of the table. Those
    without a key or a time are left out: no rule lets them pass."""
    c = contract(table)
    rows = verdicts(table, bronze, timezone=timezone)
    at = pl.col("_source").str.extract_groups(PLACE).struct
    key = pl.struct("gaming_day", *c.key).hash()
    known = pl.all_horizontal(pl.col(*c.key, str(c.event_time)).is_not_null())
    return (
        rows.lazy()
        .filter(known)
        .select(
            at.field("1").cast(pl.Int64).alias("partition"),
            at.field("2").cast(pl.Int64).alias("offset"),
            key.alias("key"),
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
