"""Simulated casinos in a lake, as far as silver, by the library alone."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.pipeline.bronze import simulated, simulated_portions
from lakehouse.pipeline.marts import in_order_of_reference
from lakehouse.pipeline.silver import refresh_silver
from lakehouse.settings import Settings
from lakehouse.simulate.world import World
from lakehouse.storage import Commit, Days, Lake

AS_OF = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
COMMIT = Commit("bench", "bench", "1")


def filled(lake: Lake, settings: Settings, world: World, days: Days) -> pl.DataFrame:
    """Simulates bronze and truth, and derives silver. Returns what was planted."""
    tables = settings.tables("source")
    for table in tables:
        for piece in simulated_portions(settings, table, days):
            rows = simulated(world.rows, "bronze", table, piece, AS_OF)
            lake.write_days("bronze", table, rows, piece, commit=COMMIT)
    plants = pl.concat([world.plants(d, tables) for d in pl.date_range(*days, eager=True)])
    lake.write_days("truth", "plants", plants, days, commit=COMMIT)
    for table in in_order_of_reference(settings):
        refresh_silver(lake, settings, table, days, COMMIT)
    return plants
