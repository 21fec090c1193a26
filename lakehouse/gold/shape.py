"""Marts in the shape of their contract, where money is already in dollars."""

from __future__ import annotations

import polars as pl

from lakehouse.contracts import contract


def shaped(frame: pl.LazyFrame | pl.DataFrame, name: str) -> pl.LazyFrame:
    """`frame` with the columns and types of mart `name`, sorted by its key."""
    schema = contract(name).bronze_schema()
    return (
        frame.lazy().select(pl.col(c).cast(t) for c, t in schema.items()).sort(contract(name).key)
    )
