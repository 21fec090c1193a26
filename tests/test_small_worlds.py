"""Worlds with room for little: counts stay exact, and a scenario is whole or not there."""

from __future__ import annotations

import datetime as dt
from functools import cache

import polars as pl
import pytest

from lakehouse.generators import (
    FinancialGenerator,
    SecurityGenerator,
    SlotMachineGenerator,
    TableGameGenerator,
)
from lakehouse.simulate.kernel.config import Faults, WorldConfig
from lakehouse.simulate.world import World

GENERATORS = (FinancialGenerator, SecurityGenerator, SlotMachineGenerator, TableGameGenerator)
CROWDED = Faults(misconduct=4.0)
SMALL = [
    {"financial_txn": 5},
    {"financial_txn": 100},
    {"table_games": 60},
    {"slot_telemetry": 200},
    {"table_games": 300, "financial_txn": 200},
]


@pytest.mark.slow
@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("faults", [True, False])
@pytest.mark.parametrize("days", [1, 3, 30])
def test_any_number_of_rows_is_exact(generator: type, faults: bool, days: int) -> None:
    end = dt.date(2025, 1, 1) + dt.timedelta(days=days)
    made = generator(start_date=dt.date(2025, 1, 1), end_date=end, faults=faults)
    for n in (0, 1, 2, 10, 37, 120) if days < 30 else (2, 37):
        frame = made.generate(n)
        assert frame.height == n
        assert frame.schema == made.schema


@cache
def crowded(*rows: tuple[str, int]) -> World:
    return World(WorldConfig(rows=dict(rows), faults=CROWDED))


@pytest.mark.slow
@pytest.mark.parametrize("rows", SMALL, ids=str)
def test_no_report_is_owed_for_money_that_never_moved(rows: dict[str, int]) -> None:
    world = crowded(*rows.items())
    filed = pl.concat(world.frames("compliance", range(30)))
    assert filed.height > 0 or rows == {"financial_txn": 5}
    assert filed["transaction_amount"].min() is None or filed["transaction_amount"].min() > 0
    for table, n in rows.items():
        assert sum(f.height for f in world.frames(table, range(30))) == n


@pytest.mark.slow
@pytest.mark.parametrize("rows", SMALL, ids=str)
def test_who_is_planted_has_rows_of_the_scenario(rows: dict[str, int]) -> None:
    """The truth names no scenario that the day had no room for: its patrons came, and what
    they bought stands in the table and in the cage."""
    world = crowded(*rows.items())
    kinds = {"structuring", "minimal_play", "chip_walking", "threshold_avoidance"}
    for day in range(21):
        date = world.config.date(day)
        plants = world.plants(date, ["table_games"]).filter(pl.col("kind").is_in(kinds))
        # Who kept chips honestly comes back with them, and buys none.
        plants = plants.filter((pl.col("kind") != "chip_walking") | ~pl.col("is_look_alike"))
        first = plants.unique("plant_id", keep="first", maintain_order=True)
        if first.is_empty():
            continue
        bought = world.clean("financial_txn", date).filter(transaction_type="CHIP_PURCHASE")
        rated = world.clean("table_games", date).filter(event_type="BUY_IN")
        for suspect in first["entity_id"]:
            assert suspect in set(bought["player_id"]), (date, suspect)
            assert suspect in set(rated["player_id"]), (date, suspect)
