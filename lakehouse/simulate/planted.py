"""Rows of truth/plants: what was planted where, and which rule should find it."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.contracts import contract


def planted(
    kind: str,
    ids: pl.Series,
    *,
    entity_type: str,
    entity: pl.Series,
    table: str,
    key: pl.Series | None,
    rule: str,
    day: dt.date,
    until: pl.Series | None = None,
) -> pl.DataFrame:
    """One plant per entry of `ids`, on `day` (up to `until`)."""
    shape = contract("plants").bronze_schema()
    none = pl.Series([None], dtype=pl.String).new_from_index(0, len(ids))
    return (
        pl.DataFrame(
            {"plant_id": ids, "entity_id": entity, "row_key": none if key is None else key}
        )
        .with_columns(
            kind=pl.lit(kind),
            entity_type=pl.lit(entity_type),
            window_start=pl.lit(day),
            window_end=pl.lit(day) if until is None else until,
            table_name=pl.lit(table),
            expected_rule=pl.lit(rule),
            gaming_day=pl.lit(day),
        )
        .select(shape.names())
        .cast(shape)
    )


def numbered_plants(kind: str, table: str, day: dt.date, count: int) -> pl.Series:
    """Plant ids, unique over kinds, tables and days."""
    return pl.Series([f"{kind}:{table}:{day:%Y%m%d}:{k}" for k in range(count)], dtype=pl.String)


def nothing() -> pl.DataFrame:
    return contract("plants").empty()
