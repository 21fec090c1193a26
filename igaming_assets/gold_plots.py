"""One small picture for a mart's metadata."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from igaming_assets.plots import bars

_BANDS = (0, 25, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)


def hold_by_denomination(machines: pl.LazyFrame) -> dict[str, Any]:
    """Actual hold of the run's days: the share of coin-in that stayed."""
    held = (
        machines.group_by("denomination")
        .agg(pl.col("coin_in").sum(), pl.col("win").sum())
        .filter(pl.col("coin_in") > 0)
        .sort("denomination")
        .select(
            pl.col("denomination").cast(pl.String),
            hold=pl.col("win").cast(pl.Float64) / pl.col("coin_in").cast(pl.Float64),
        )
        .collect()
    )
    rows = [(f"${name}", hold, f"{hold:.2%}") for name, hold in held.iter_rows()]
    return {"hold_by_denomination": bars("Hold by denomination", rows)}


def value_distribution(players: pl.LazyFrame) -> dict[str, Any]:
    """Patrons by expected value of the next twelve months, on the last day of the run."""
    newest = players.filter(pl.col("gaming_day") == pl.col("gaming_day").max())
    expected = newest.select(pl.col("expected_value_12m").cast(pl.Float64)).collect()
    value = expected.to_series().drop_nulls()
    ends = [*_BANDS[1:], float("inf")]
    rows = []
    for low, high in zip(_BANDS, ends, strict=True):
        count = int(((value >= low) & (value < high)).sum())
        label = f"${low:,} and over" if high == ends[-1] else f"${low:,} to ${high:,.0f}"
        rows.append((label, float(count), f"{count:,}"))
    return {"value_distribution": bars("Patrons by value of 12 months", rows)}


PLOTS: dict[str, Callable[[pl.LazyFrame], dict[str, Any]]] = {
    "slot_performance": hold_by_denomination,
    "player_value": value_distribution,
}
"""The picture of a mart's rows, for marts that have one."""
