"""Landed files in Dagster: the sensor asks for the days they touch, the asset takes them in."""

import warnings
from pathlib import Path

import dagster as dg
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.BetaWarning)
    from igaming_assets.io import LakeIO
    from igaming_assets.landing import (
        EVERY_FILE,
        EVERY_ROW,
        landed_bronze,
        landed_tables,
        landing_sensor,
    )
    from igaming_assets.resources import Clock, LakeResource, Simulator
from lakehouse.settings import Settings
from tests.landed import AS_OF, CAGE, bronze, cage_csv, cage_row, drop, lake_at

ROWS = [cage_row(1), "t2,2025-01-07T12:00:00-08:00,1.00"]


def resources(settings: Settings) -> dict[str, object]:
    lake = LakeResource.of(settings)
    clock = Clock(at=AS_OF.isoformat())
    return {"lake": lake, "lake_io": LakeIO(lake=lake), "clock": clock, "simulator": Simulator()}


def look(settings: Settings, cursor: str | None) -> tuple[list[tuple[str, str]], str]:
    """One tick: the requested days and assets, and the cursor."""
    sensor = landing_sensor(settings)
    assert sensor is not None
    given = resources(settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        assets = [landed_bronze(settings, t) for t in landed_tables(settings)]
    location = dg.Definitions(assets=assets, sensors=[sensor], resources=given)
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(
            instance=instance,
            cursor=cursor,
            definitions=location,
            resources={"lake": given["lake"], "clock": given["clock"]},
        )
        found = sensor.evaluate_tick(context)
    requests = found.run_requests or []
    asked = [(r.partition_key, k.to_user_string()) for r in requests for k in r.asset_selection]
    return asked, found.cursor or ""


def test_the_sensor_requests_just_the_days_that_new_files_touch(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    assert look(settings, None) == ([], "{}")
    path = drop(lake, f"{CAGE}/a.csv", cage_csv(*ROWS))
    asked, cursor = look(settings, "{}")
    days = ["2025-01-05", "2025-01-07"]
    assert asked == [(d, f"bronze/{CAGE}") for d in days]
    assert look(settings, cursor)[0] == []  # asked for once
    path.write_text(cage_csv(cage_row(1, "bad")))
    path.with_name("a.csv.done").touch()
    assert look(settings, cursor)[0] == [("2025-01-05", f"bronze/{CAGE}")]  # changed


def test_an_unreadable_file_asks_for_the_day_it_landed_on(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/a.csv.gz", "no gzip")
    assert look(settings, None)[0] == [("2025-02-01", f"bronze/{CAGE}")]


def test_the_asset_takes_files_in_and_its_checks_tell_of_rejected_ones(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/a.csv", cage_csv(*ROWS))
    drop(lake, f"{CAGE}/b.csv", "x\n1\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        asset = landed_bronze(settings, CAGE)
    with dg.DagsterInstance.ephemeral() as instance:
        done = dg.materialize(
            [asset],
            partition_key="2025-01-05",
            instance=instance,
            resources=resources(settings),
            raise_on_error=True,
        )
    assert bronze(lake, "transaction_id") == [("t1",), ("t2",)]
    verdicts = {e.check_name: e.passed for e in done.get_asset_check_evaluations()}
    assert verdicts == {EVERY_FILE: False, EVERY_ROW: True}
    (made,) = done.asset_materializations_for_node(asset.node_def.name)
    assert made.metadata["dagster/partition_row_count"].value == 1


@pytest.mark.parametrize(
    ("settings", "tables"),
    [
        ({"source": "simulator"}, []),
        ({"source": "simulator", "sources": {CAGE: "both"}}, [CAGE]),
        ({"source": "landing", "sources": {CAGE: "simulator"}}, None),
    ],
)
def test_only_tables_whose_source_is_the_landing_zone_take_files(
    settings: dict[str, object], tables: list[str] | None
) -> None:
    chosen = Settings(**settings)
    found = landed_tables(chosen)
    assert found == tables if tables is not None else CAGE not in found
    assert (landing_sensor(chosen) is None) == (found == [])
