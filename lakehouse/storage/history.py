"""Versions of slowly changing rows (SCD 2), as a pure function of all good extract rows."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lakehouse.regulation.gaming_day import Days
from lakehouse.storage.shapes import HISTORY, PARTITION, versioned


def history(versions: pl.LazyFrame, *, key: Sequence[str]) -> pl.DataFrame:
    """Grain: one row per key and extract day, in that order. A version holds from its
    gaming day to the day before the key's next version; the last one still holds.

    Depends on the set of rows alone, so days may come late, again, or in any order.
    """
    following = pl.col(PARTITION).shift(-1).over(key)
    return (
        versions.sort(*key, PARTITION)
        .with_columns(valid_from=pl.col(PARTITION), valid_to=following)
        .with_columns(is_current=pl.col("valid_to").is_null())
        .collect()
    )


def upsert_history(
    table: str, existing: pl.LazyFrame, new_rows: pl.LazyFrame | pl.DataFrame, days: Days
) -> pl.DataFrame:
    """The history of a table after the extracts of `days` (inclusive) were replaced by
    `new_rows`, which may hold no row of other days."""
    kept = existing.filter(~pl.col(PARTITION).is_between(*days)).drop(HISTORY)
    rows = new_rows.lazy().filter(pl.col(PARTITION).is_between(*days))
    every = pl.concat([kept, rows.select(kept.collect_schema().names())])
    return history(every, key=versioned(table))
