"""One hour of the shop brought in line with bronze."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import polars as pl

from lakehouse.errors import Damaged
from lakehouse.gold.marts import marts
from lakehouse.pipeline.derivation import marks_of
from lakehouse.pipeline.marts import made, silver_inputs
from lakehouse.pipeline.silver import refresh_silver
from lakehouse.regulation.gaming_day import gaming_day_of
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Lake

SHOP_SOURCES = ("products", "shop_orders", "shop_actions")
_MARTS = ("fraud_alerts", "shop_hours")


def derive_hours(
    lake: Lake, settings: Settings, begins: dt.datetime, *, as_of: dt.datetime, commit: Commit
) -> dict[str, Any] | None:
    """Derives silver of the shop's own tables, `fraud_alerts` and `shop_hours`, of the gaming
    day that the hour is in, from bronze as it stands; marts of the whole day count as not
    derived if bronze has changed. Returns the row of the hour that `begins`
    then; None where nothing happened in it. Raises Damaged for a day that cannot be made."""
    day = gaming_day_of(begins, settings.timezone)
    for table in SHOP_SOURCES:
        known = {given: lake.tokens(*given) for given in silver_inputs(settings, table)}
        marks = marks_of(known, [day])
        refresh_silver(lake, settings, table, (day, day), commit, marks=marks)
    for mart in map(marts().__getitem__, _MARTS):
        mine = replace(commit, asset=f"{mart.layer}/{mart.name}")
        for _, done in made(mart, lake, settings, (day, day), as_of=as_of):
            if isinstance(done, Damaged):
                raise done
            told = mine.deriving(done.marks)
            lake.write_days(mart.layer, mart.name, done.rows, done.days, commit=told)
    stored = lake.scan("gold", "shop_hours", days=(day, day))
    found = stored.filter(pl.col("hour_start") == begins).collect()
    return found.row(0, named=True) if found.height else None
