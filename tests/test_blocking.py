"""An error of a blocking check stops what is downstream, of one day and of a range; an error of a
check that is not blocking stops nothing and fails the run's result."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

import igaming_assets.silver
from benchmarks.instances import short_lived
from igaming_assets.assembly import assemble
from igaming_assets.resources import Clock, LakeResource
from igaming_assets.running import Outcome, run_days
from lakehouse.errors import LakehouseError
from lakehouse.quality.recorded import HOME
from lakehouse.settings import Settings
from lakehouse.silver.judgement import CleanResult
from lakehouse.storage import Days, Lake, stored_tables

NOW = dt.datetime(2025, 6, 1, 20, tzinfo=dt.UTC)
DAYS: Days = (dt.date(2025, 3, 7), dt.date(2025, 3, 8))
DAMAGED = DAYS[1]
ONE_DAY: Days = (DAMAGED, DAMAGED)
TABLE = "table_games"


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with short_lived() as opened:
        yield opened


def changing(monkeypatch: pytest.MonkeyPatch, change: pl.Expr | None, **values: pl.Expr) -> None:
    """Silver's cleaning of table games as a fault of the code would have it, on one day: rows
    of which `change` is true are lost, or all get other values."""
    sound = igaming_assets.silver.clean_days

    @functools.wraps(sound)
    def faulty(lake: Lake, settings: Settings, table: str, days: Days) -> CleanResult:
        done = sound(lake, settings, table, days)
        if table != TABLE:
            return done
        mine = pl.col("gaming_day") == DAMAGED
        kept = done.good if change is None else done.good.filter(~(mine & change))
        given = [pl.when(mine).then(v).otherwise(n).alias(n) for n, v in values.items()]
        return replace(done, good=kept.with_columns(given))

    monkeypatch.setattr(igaming_assets.silver, "clean_days", faulty)


def run(settings: Settings, days: Days, instance: dg.DagsterInstance) -> Outcome:
    return run_days(settings, days, now=NOW, instance=instance, clock=Clock(at=NOW.isoformat()))


def downstream(settings: Settings, of: str) -> set[str]:
    """Tables that are derived of a table, all the way."""
    graph = assemble(settings, lake=LakeResource.of(settings)).resolve_asset_graph()
    key = dg.AssetKey(["silver", of])
    found = dg.AssetSelection.assets(key).downstream(include_self=False).resolve(graph)
    return {k.to_user_string() for k in found}


def stored(settings: Settings) -> set[str]:
    lake = Lake.open(settings)
    return {f"{layer}/{name}" for layer, name in stored_tables() if lake.exists(layer, name)}


def open_checks(settings: Settings) -> set[tuple[str, dt.date, str]]:
    named = pl.format("{}/{}:{}", "layer", "table_name", "check_name")
    rows = Lake.open(settings).scan(*HOME).filter(pl.col("severity") == "error")
    return set(
        rows.filter(pl.col("status") != "passed")
        .select(named, "gaming_day", "status")
        .collect()
        .iter_rows()
    )


@pytest.mark.slow
@pytest.mark.parametrize("days", [ONE_DAY, DAYS], ids=["a day", "a range"])
def test_a_lost_row_stops_what_is_made_of_its_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance, days: Days
) -> None:
    settings = Settings(root=str(tmp_path / "lake"), scale=0.02, start=days[0], faults=False)
    one_row = pl.col("event_id") == pl.col("event_id").filter(gaming_day=DAMAGED).first()
    changing(monkeypatch, one_row)
    with pytest.raises(LakehouseError, match=f"silver__{TABLE}: .*conservation"):
        run(settings, days, instance)
    after = downstream(settings, TABLE)
    made = stored(settings)
    assert {"gold/table_performance", "gold/player_day", "gold/property_day"} <= after
    assert not made & after
    assert {f"silver/{TABLE}", "silver/slot_telemetry", "gold/slot_performance"} <= made
    assert open_checks(settings) == {(f"silver/{TABLE}:conservation", DAMAGED, "failed")}


@pytest.mark.slow
def test_personal_data_is_an_error_and_stops_no_filing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    """Who the dealer is, by a phone number: the day's books and reports are made, and are due."""
    settings = Settings(root=str(tmp_path / "lake"), scale=0.02, start=DAYS[0], faults=False)
    changing(monkeypatch, None, dealer_id=pl.lit("(702) 555-0143"))
    outcome = run(settings, DAYS, instance)
    assert f"silver/{TABLE}:no_personal_data" in outcome.failed
    assert "gold/property_day" in stored(settings)
    tables = (f"silver/{TABLE}", "gold/dealer_play")
    wrong = {(f"{table}:no_personal_data", DAMAGED, "failed") for table in tables}
    assert open_checks(settings) == wrong
