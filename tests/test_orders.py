"""Gaming days in any order and in any pieces, and profiles that come late, make one lake."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from igaming_assets.running import run_days
from lakehouse.contracts import contracts
from lakehouse.regulation.gaming_day import Days, each_day
from lakehouse.settings import Settings, load_settings
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.world import World
from lakehouse.storage import Commit, Lake, stored_schema

NOW = dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
BY = Commit("test", "test", "1")
FIRST = dt.date(2025, 1, 1)
WEEK = (FIRST, FIRST + dt.timedelta(3))
LATE = FIRST + dt.timedelta(2)
"""The day on which the profiles of some who played before come in."""


def between(first: int, last: int) -> Days:
    return FIRST + dt.timedelta(first), FIRST + dt.timedelta(last)


@pytest.fixture(scope="module")
def bronze() -> dict[str, pl.DataFrame]:
    """A spoiled world, in which every third patron's first profiles come only on LATE."""
    world = World(WorldConfig(scale=0.05, start=FIRST))
    blank = {t: pl.DataFrame(schema=stored_schema("bronze", t)) for t in contracts("source")}
    found = {
        table: pl.concat([blank[table], *world.rows(table, WEEK)])
        for table in ("player_profile", "slot_telemetry", "table_games", "financial_txn",
                      "gaming_wins", "security_events")
    }  # fmt: skip
    profiles = found["player_profile"].filter(pl.col("player_id").is_not_null())
    is_late = (profiles["player_id"].hash(0) % 3 == 0) & (profiles["gaming_day"] < LATE)
    late = profiles.filter(is_late).unique("player_id", keep="first", maintain_order=True)
    known = profiles.filter(~is_late)
    fresh = late.join(known.filter(gaming_day=LATE), on="player_id", how="anti")
    moved = fresh.with_columns(gaming_day=pl.lit(LATE))
    return found | {"player_profile": pl.concat([known, moved])}


def made(root: Path, bronze: dict[str, pl.DataFrame], order: Sequence[Days]) -> Lake:
    key = root.parent / "pii.key"
    settings: Settings = load_settings(
        root=str(root), source="landing", start=FIRST, pii_key_file=key
    )
    lake = Lake.open(settings)
    with dg.DagsterInstance.ephemeral() as instance:
        for days in order:
            for table, rows in bronze.items():
                mine = rows.filter(pl.col("gaming_day").is_between(*days))
                lake.write_days("bronze", table, mine, days, commit=BY)
            run_days(settings, days, now=NOW, instance=instance)
    return lake


ORDERS = {
    "backwards": [(day, day) for day in reversed(each_day(WEEK))],
    "in pieces": [between(1, 2), between(0, 0), between(3, 3)],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("orders")


@pytest.fixture(scope="module")
def at_once(folder: Path, bronze: dict[str, pl.DataFrame]) -> Lake:
    return made(folder / "at-once", bronze, [WEEK])


@pytest.mark.slow
@pytest.mark.parametrize("name", ORDERS)
def test_any_order_makes_one_lake(
    folder: Path, at_once: Lake, bronze: dict[str, pl.DataFrame], name: str
) -> None:
    lake = made(folder / name.replace(" ", "-"), bronze, ORDERS[name])
    orphans = at_once.scan("quarantine", "slot_telemetry").collect()
    assert at_once.scan("silver", "slot_telemetry").collect().height > 1_000
    assert orphans.height < 1_000
    for layer, table in at_once.stored("silver", "quarantine", "duplicates", "gold", "restricted"):
        right, found = (one.scan(layer, table).collect() for one in (at_once, lake))
        assert_frame_equal(found, right, check_row_order=False), (layer, table)


def test_late_profiles_are_late(bronze: dict[str, pl.DataFrame]) -> None:
    """Somebody plays before their first profile, or the test above tests nothing."""
    profiles = bronze["player_profile"]
    first = dict(profiles.group_by("player_id").agg(pl.col("gaming_day").min()).iter_rows())
    play = bronze["slot_telemetry"].filter(pl.col("player_id").is_not_null())
    early = [d < first.get(p, d) for p, d in play.select("player_id", "gaming_day").iter_rows()]
    assert sum(early) > 50
    assert set(bronze) <= set(contracts("source"))
