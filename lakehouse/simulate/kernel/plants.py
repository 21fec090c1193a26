"""Rows of truth/plants: what was planted where, and which rule should find it."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.contracts import contract
from lakehouse.contracts.columns import STRENGTHS

BLATANT, MIDDLING = 2 / 3, 1 / 3
"""Intensities from which a case is called so."""
_SCALE = pl.col("intensity")
STRENGTH = (
    pl.when(_SCALE >= BLATANT)
    .then(pl.lit(STRENGTHS[0]))
    .when(_SCALE >= MIDDLING)
    .then(pl.lit(STRENGTHS[1]))
    .when(_SCALE.is_not_null())
    .then(pl.lit(STRENGTHS[2]))
)


def planted(
    kind: str | pl.Series,
    ids: pl.Series,
    *,
    entity_type: str | pl.Series,
    entity: pl.Series,
    table: str | pl.Series,
    key: pl.Series | None,
    rule: str | pl.Series,
    day: dt.date,
    until: pl.Series | None = None,
    intensity: float | pl.Series | None = None,
    is_look_alike: bool | pl.Series = False,
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
        "intensity": intensity,
        "is_look_alike": is_look_alike,
        "gaming_day": day,
    }
    return pl.select(
        v.alias(c) if isinstance(v, pl.Series) else pl.repeat(v, len(ids), dtype=shape[c]).alias(c)
        for c, v in given.items()
    ).with_columns(strength=STRENGTH).select(shape.names()).cast(shape)  # fmt: skip


def nothing() -> pl.DataFrame:
    return contract("plants").empty()
