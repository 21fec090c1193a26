"""Rows of truth/plants: what was planted where, and which rule should find it."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.contracts import contract


def planted(
    kind: str | pl.Series,
    ids: pl.Series,
    *,
    entity_type: str,
    entity: pl.Series,
    table: str,
    key: pl.Series | None,
    rule: str | pl.Series,
    day: dt.date,
    until: pl.Series | None = None,
) -> pl.DataFrame:
    """One plant per entry of `ids`, on `day` (up to `until`)."""
    shape = contract("plants").bronze_schema()
    given = {
        "plant_id": ids,
        "kind": kind,
        "entity_type": entity_type,
        "entity_id": entity,
        "window_start": day,
        "window_end": day if until is None else until,
        "table_name": table,
        "row_key": key,
        "expected_rule": rule,
        "gaming_day": day,
    }
    return pl.select(
        v.alias(c) if isinstance(v, pl.Series) else pl.repeat(v, len(ids), dtype=shape[c]).alias(c)
        for c, v in given.items()
    ).cast(shape)


def nothing() -> pl.DataFrame:
    return contract("plants").empty()
