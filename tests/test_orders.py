"""Gaming days in any order and in any pieces, and profiles that come late, make one lake."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from benchmarks.instances import short_lived
from igaming_assets.running import derive_days, in_runs, run_days, underived_days
from lakehouse.contracts import contracts
from lakehouse.pipeline.marts import refresh
from lakehouse.privacy.keys import ensure_key
from lakehouse.regulation.gaming_day import Days, each_day
from lakehouse.settings import Settings, load_settings
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.world import World
from lakehouse.storage import Commit, Lake, stored_schema

NOW = dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
BY = Commit("test", "test", "1")
FIRST = dt.date(2025, 1, 1)
WEEK = (FIRST, FIRST + dt.timedelta(2))
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


def settings_of(root: Path) -> Settings:
    key = root.parent / "pii.key"
    return load_settings(root=str(root), source="landing", start=FIRST, pii_key_file=key)


def stored(lake: Lake, bronze: dict[str, pl.DataFrame], days: Days) -> None:
    for table, rows in bronze.items():
        mine = rows.filter(pl.col("gaming_day").is_between(*days))
        lake.write_days("bronze", table, mine, days, commit=BY)


def made(root: Path, bronze: dict[str, pl.DataFrame], order: Sequence[Days]) -> Lake:
    settings = settings_of(root)
    lake = Lake.open(settings)
    with short_lived() as instance:
        for days in order:
            stored(lake, bronze, days)
            run_days(settings, days, now=NOW, instance=instance)
    return lake


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("orders")


def by_the_library(root: Path, bronze: dict[str, pl.DataFrame], days: Days) -> Lake:
    """The same tables without Dagster, and nothing judged."""
    settings = settings_of(root)
    ensure_key(settings)
    lake = Lake.open(settings)
    stored(lake, bronze, days)
    refresh(lake, settings, days, as_of=NOW, commit=BY)
    return lake


@pytest.fixture(scope="module")
def at_once(folder: Path, bronze: dict[str, pl.DataFrame]) -> Lake:
    return by_the_library(folder / "at-once", bronze, WEEK)


@pytest.mark.slow
def test_pieces_backwards_make_one_lake(
    folder: Path, at_once: Lake, bronze: dict[str, pl.DataFrame]
) -> None:
    """The last day before the others is in tests/test_dagster_flow.py."""
    assert_same(made(folder / "pieces", bronze, [between(1, 2), between(0, 0)]), at_once)
    orphans = at_once.scan("quarantine", "slot_telemetry").collect()
    assert at_once.scan("silver", "slot_telemetry").collect().height > 1_000
    assert orphans.height < 1_000


def assert_same(lake: Lake, at_once: Lake) -> None:
    """But for what checks said, which is of what was there then; tests/test_dagster_flow.py
    compares them."""
    for layer, table in at_once.stored("silver", "quarantine", "duplicates", "gold", "restricted"):
        if table != "check_results":
            right, found = (one.scan(layer, table).collect() for one in (at_once, lake))
            assert_frame_equal(found, right, check_row_order=False), (layer, table)


@pytest.mark.slow
def test_scattered_days_share_a_run_and_make_one_lake(
    folder: Path, at_once: Lake, bronze: dict[str, pl.DataFrame]
) -> None:
    """The day between is there already; it is worked through, and Dagster hears of the others."""
    first, between_them, *last = each_day(WEEK)
    lake = by_the_library(folder / "scattered", bronze, (between_them, between_them))
    stored(lake, bronze, WEEK)
    settings = settings_of(folder / "scattered")
    key = dg.AssetKey(["silver", "slot_telemetry"])
    with short_lived() as instance:
        asked = [first, *last]
        done = derive_days(settings, asked, now=NOW, instance=instance)
        events = instance.get_records_for_run(
            done.run_ids[0], of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
        ).records
        mine = [r.event_log_entry.dagster_event for r in events]
        heard = {e.partition for e in mine if e is not None and e.asset_key == key}
        assert heard == {str(day) for day in asked}
    assert underived_days(settings, lake) == []
    assert_same(lake, at_once)


@pytest.mark.slow
def test_days_that_the_lake_has_not_get_no_rows(
    folder: Path, bronze: dict[str, pl.DataFrame]
) -> None:
    """Two days a week apart that are run together: a mart that has a row for every day has two, as
    where they are run alone, and one without anything to make is written no further."""
    settings = settings_of(folder / "gap")
    lake, last = Lake.open(settings), FIRST + dt.timedelta(7)
    seen = bronze["security_events"].filter(gaming_day=FIRST)
    later = seen.with_columns(pl.lit(last).alias("gaming_day"))
    stored(lake, {"security_events": pl.concat([seen, later])}, (FIRST, last))
    with short_lived() as instance:
        derive_days(settings, [FIRST, last], now=NOW, instance=instance)
    for name in ("property_day", "anomalies"):
        days = lake.scan("gold", name).collect()["gaming_day"].unique()
        assert sorted(days) == [FIRST, last]
    assert lake.version("gold", "player_day") == 0
    assert underived_days(settings, lake) == []


DAY = [FIRST + dt.timedelta(n) for n in range(70)]


@pytest.mark.parametrize(
    ("days", "rows", "most", "sizes"),
    [
        (DAY[:3], {}, 0, [3]),
        (DAY[0:6:2], {}, 0, [1, 1, 1]),
        (DAY[0:6:2], {}, 10, [3]),
        (DAY[0:6:2], {DAY[1]: 5, DAY[3]: 5}, 10, [3]),
        (DAY[0:6:2], {DAY[1]: 5, DAY[3]: 6}, 10, [2, 1]),
        (DAY[0:6:2], {DAY[1]: 11}, 10, [1, 2]),
        (DAY[0:6:2], {DAY[0]: 99, DAY[2]: 99, DAY[4]: 99}, 10, [3]),
        (DAY[0:70:2], {}, 10, [31, 4]),
        (DAY[:70], {}, 0, [31, 31, 8]),
        ([], {}, 10, []),
    ],
)
def test_days_in_between_may_hold_few_rows(
    days: list[dt.date], rows: dict[dt.date, int], most: int, sizes: list[int]
) -> None:
    runs = in_runs(days, rows, most)
    assert [len(run) for run in runs] == sizes
    assert [day for run in runs for day in run] == days


def test_late_profiles_are_late(bronze: dict[str, pl.DataFrame]) -> None:
    """Somebody plays before their first profile, or the test above tests nothing."""
    profiles = bronze["player_profile"]
    first = dict(profiles.group_by("player_id").agg(pl.col("gaming_day").min()).iter_rows())
    play = bronze["slot_telemetry"].filter(pl.col("player_id").is_not_null())
    early = [d < first.get(p, d) for p, d in play.select("player_id", "gaming_day").iter_rows()]
    assert sum(early) > 50
    assert set(bronze) <= set(contracts("source"))
