"""The shop's hours: a job whose partitions are hours, and what it derives."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from benchmarks.instances import short_lived
from igaming_assets.assembly import assemble
from igaming_assets.running import run_days
from igaming_assets.shop_hour import hours_of
from lakehouse.pipeline.derivation import underived
from lakehouse.pipeline.hours import SHOP_SOURCES, derive_hours
from lakehouse.pipeline.marts import derivations
from lakehouse.settings import Settings
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.world import World
from lakehouse.storage import Commit, Lake

DAY = dt.date(2025, 1, 2)
HOUR = dt.datetime(2025, 1, 2, 20, tzinfo=dt.UTC)
COMMIT = Commit("run", "gold/shop_hours", "1")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a lake with a day of the shop in bronze."""
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_DOMAINS", '["floor", "shop"]')
    monkeypatch.setenv("LAKEHOUSE_START", "2025-01-01")
    made = Settings()
    lake, world = Lake.open(made), World(WorldConfig())
    for table in SHOP_SOURCES:
        lake.write_days("bronze", table, world.frame(table, DAY), (DAY, DAY), commit=COMMIT)
    return made


def test_hours_begin_as_the_first_gaming_day_opens() -> None:
    keys = hours_of(Settings(start=dt.date(2025, 7, 1))).get_partition_keys(
        current_time=dt.datetime(2025, 7, 1, 16, 30, tzinfo=dt.UTC)
    )
    assert keys == ["2025-07-01-13:00", "2025-07-01-14:00", "2025-07-01-15:00"]


def test_an_hour_is_derived_from_bronze_and_again_the_same(settings: Settings) -> None:
    lake = Lake.open(settings)
    row = derive_hours(lake, settings, HOUR, as_of=HOUR, commit=COMMIT)
    assert row is not None
    assert row["transactions"] > 0
    assert row == derive_hours(lake, settings, HOUR, as_of=HOUR, commit=COMMIT)
    sold = lake.scan("silver", "shop_orders", days=(DAY, DAY)).filter(
        pl.col("status") == "completed",
        pl.col("timestamp").is_between(HOUR, HOUR + dt.timedelta(hours=1), closed="left"),
    )
    mine = sold.select(pl.len(), pl.col("amount").sum()).collect().row(0)
    assert (row["transactions"], row["sales"]) == mine
    before = dt.datetime(2024, 12, 1, tzinfo=dt.UTC)
    assert derive_hours(lake, settings, before, as_of=HOUR, commit=COMMIT) is None


def test_the_hours_job_runs_by_its_partition(settings: Settings) -> None:
    defs = assemble(settings)
    assert "shop_hour" in {s.name for s in defs.schedules or ()}
    with short_lived() as instance:
        job = defs.resolve_job_def("shop_hour")
        done = job.execute_in_process(partition_key="2025-01-02-20:00", instance=instance)
    assert done.success
    stored = Lake.open(settings).scan("gold", "shop_hours", days=(DAY, DAY)).collect()
    assert HOUR in stored["hour_start"].to_list()


@pytest.mark.slow
def test_an_hour_leaves_its_day_as_derived_as_it_was(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a run has derived stays so; of what has come since, the hour derives the shop's."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    lake, now = Lake.open(settings), HOUR + dt.timedelta(days=30)

    def due() -> list[str]:
        return underived(lake, settings, derivations(settings)).get(DAY, [])

    def hour() -> None:
        derive_hours(lake, settings, HOUR, as_of=HOUR, commit=COMMIT)

    run_days(settings, (DAY, DAY), now=now, select="group:silver or group:shop")
    assert due() == []
    hour()
    assert due() == []
    rows = lake.scan("bronze", "shop_orders", days=(DAY, DAY)).collect()
    lake.write_days("bronze", "shop_orders", rows[:-1], (DAY, DAY), commit=COMMIT)
    assert {"silver.shop_orders", "gold.shop_hours", "gold.kpi"} <= set(due())
    hour()
    made = {"silver.shop_orders", "gold.fraud_alerts", "gold.shop_hours"}
    assert not made & set(due())
    assert "gold.kpi" in due()


def test_a_lake_without_the_shop_has_no_hours(settings: Settings) -> None:
    alone = settings.model_copy(update={"domains": ("floor",)})
    assert "shop_hour" not in {job.name for job in assemble(alone).jobs or ()}
