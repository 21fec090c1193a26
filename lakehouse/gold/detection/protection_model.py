"""The learned score's models, one for each Monday."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial

import polars as pl

from lakehouse.contracts import contract
from lakehouse.detection.models.forest import Forest
from lakehouse.detection.models.protection import FEATURES, TRAINING, Trained, train
from lakehouse.gold.marts import gold, mart

NODE = ("tree", "feature", "threshold", "left", "right", "path")


@mart(gold("player_markers", back=TRAINING), days_in_hand=62)
def protection_model(player_markers: pl.LazyFrame, *, wanted: Sequence[dt.date]) -> pl.LazyFrame:
    """Mart `protection_model` of `wanted`: of each Monday, the model of the days before it. A
    Monday without history enough has none, and no other day has one."""
    schema = contract("protection_model").bronze_schema()
    mondays = [d for d in wanted if d.weekday() == 0]
    return pl.defer(partial(_models, player_markers, mondays), schema=schema)


def _models(markers: pl.LazyFrame, mondays: list[dt.date]) -> pl.DataFrame:
    known = markers.collect() if mondays else None
    found = [_row(m, train(known, m)) for m in mondays] if known is not None else []
    schema = contract("protection_model").bronze_schema()
    return pl.DataFrame([r for r in found if r], schema=schema, orient="row")


def _row(monday: dt.date, model: Trained | None) -> dict[str, object] | None:
    if model is None:
        return None
    return {
        "gaming_day": monday,
        "version": model.version,
        "features": list(FEATURES),
        "trained_from": model.trained_from,
        "trained_until": model.trained_until,
        "trained_rows": model.rows,
        "quantiles": [{"path": q} for q in model.forest.quantiles],
        "nodes": [dict(zip(NODE, n, strict=True)) for n in model.forest.nodes],
    }


def forests(models: pl.DataFrame) -> dict[dt.date, tuple[str, Forest]]:
    """Monday → version and forest, of rows of `protection_model`."""
    return {
        row["gaming_day"]: (
            row["version"],
            Forest(
                tuple(tuple(n[c] for c in NODE) for n in row["nodes"]),
                tuple(q["path"] for q in row["quantiles"]),
            ),
        )
        for row in models.iter_rows(named=True)
    }
