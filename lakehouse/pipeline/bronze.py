"""Bronze: what the simulator and the landing zone give of a gaming day, and up to when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

import polars as pl

from lakehouse.contracts import contract, door_of, told_apart
from lakehouse.regulation.gaming_day import cut, day_bounds, each_day
from lakehouse.settings import Settings
from lakehouse.storage import ROWS_IN_HAND, Days, Lake, stored_schema
from lakehouse.storage.shapes import PARTITION

TELLING = ("compliance", "financial_txn", "player_profile")
SIMULATOR = "simulator"
"""`_source` of simulated rows; landed rows carry their file instead."""
MONTH_DAYS = 30

Produce = Callable[[str, Days], Iterable[pl.DataFrame]]
"""Table and gaming days → its simulated rows, such as `World.rows`."""


def simulated_portions(settings: Settings, table: str, days: Days) -> list[Days]:
    """The days in ranges whose simulated rows can be in hand together."""
    a_day = (contract(table).monthly_rows or 0) * settings.scale / MONTH_DAYS
    return cut(days, ROWS_IN_HAND, dict.fromkeys(each_day(days), round(a_day)))


def simulated(
    produce: Produce, layer: str, table: str, days: Days, as_of: dt.datetime
) -> pl.DataFrame:
    """Simulated rows of `days`, as far as they were known at `as_of`; of those that come in
    together, the table's own."""
    door, nothing = door_of(table), pl.DataFrame(schema=stored_schema(layer, table))
    made = (told_apart(door, rows)[table] for rows in produce(door, days))
    if "_ingested_at" in nothing.columns:
        is_known = (pl.col("_ingested_at") <= as_of).fill_null(value=True)
        made = (rows.filter(is_known) for rows in made)
    return pl.concat([nothing, *made])


def bronze_rows(
    lake: Lake, settings: Settings, table: str, days: Days, produce: Produce, as_of: dt.datetime
) -> pl.DataFrame:
    """What bronze holds for `days`, by the table's source: simulated rows, rows that came in as
    they are, or both together."""
    landed = lake.scan("bronze", table, days=days).filter(
        pl.col("_source").ne_missing(pl.lit(SIMULATOR))
    )
    if not settings.simulates(table):
        return landed.collect()
    made = simulated(produce, "bronze", table, days, as_of)
    return pl.concat([landed.collect(), made]) if settings.takes_files(table) else made


def known_until(lake: Lake, days: Days, timezone: str, now: dt.datetime) -> dt.datetime:
    """The moment up to which the lake can judge: the close of the newest gaming day that it
    has or is being given, or `now` where that is earlier. What is not filed by a lake that
    ends in March is not missing in April."""
    stored = [lake.partitions("bronze", t)[PARTITION].max() for t in TELLING]
    newest = max([days[1], *(d for d in stored if isinstance(d, dt.date))])
    return min(now, day_bounds(newest, timezone)[1])
