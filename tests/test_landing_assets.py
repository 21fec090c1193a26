"""Landed files in Dagster: the sensor asks for the days they touch, the asset takes them in."""

import datetime as dt
import json
import warnings
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.BetaWarning)
    from igaming_assets.check_ledger import LEDGER, CheckLedger
    from igaming_assets.checks import declared
    from igaming_assets.io import LakeIO
    from igaming_assets.landing import landed_bronze, landing_sensor
    from igaming_assets.resources import Clock, LakeResource, Simulator
    from igaming_assets.running import run_days
from benchmarks.instances import short_lived
from lakehouse.compliance.filing.intake import read
from lakehouse.compliance.filing.intake import take_in as take_in_identities
from lakehouse.quality.landing_checks import EVERY_FILE, EVERY_ROW, landed_tables
from lakehouse.settings import Settings
from tests.landed import AS_OF, CAGE, HEADER, bronze, cage_csv, cage_row, drop, lake_at

ROWS = [cage_row(1), "t2,2025-01-07T12:00:00-08:00,1.00"]


def resources(settings: Settings) -> dict[str, object]:
    lake = LakeResource.of(settings)
    clock = Clock(at=AS_OF.isoformat())
    ledger = CheckLedger(lake=lake, clock=clock)
    made = {"lake": lake, "lake_io": LakeIO(lake=lake), "clock": clock, LEDGER: ledger}
    return {**made, "simulator": Simulator()}


def look(settings: Settings, cursor: str | None) -> tuple[list[tuple[str, str]], str]:
    """One tick: the requested days and assets, and the cursor."""
    sensor = landing_sensor(settings)
    assert sensor is not None
    given = resources(settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        assets = [landed_bronze(settings, t, declared(settings)) for t in landed_tables(settings)]
    location = dg.Definitions(assets=assets, sensors=[sensor], resources=given)
    with short_lived() as instance:
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
        asset = landed_bronze(settings, CAGE, declared(settings))
    with short_lived() as instance:
        done = dg.materialize(
            [asset],
            partition_key="2025-01-05",
            instance=instance,
            resources=resources(settings),
            raise_on_error=True,
        )
    assert bronze(lake, "transaction_id") == [("t1",), ("t2",)]
    verdicts = {e.check_name: e.passed for e in done.get_asset_check_evaluations()}
    assert verdicts == {EVERY_FILE: False, EVERY_ROW: True, "contract": True}
    (made,) = done.asset_materializations_for_node(asset.node_def.name)
    assert made.metadata["dagster/partition_row_count"].value == 1


DAYS = (dt.date(2025, 1, 4), dt.date(2025, 1, 6))


@pytest.mark.slow
def test_a_run_of_several_days_tells_of_each_day(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/a.csv", cage_csv(*ROWS))
    with short_lived() as instance:
        select = f'key:"bronze/{CAGE}"'
        done = run_days(settings, DAYS, now=AS_OF, select=select, instance=instance)
        storage = instance.event_log_storage
        for check in (EVERY_FILE, EVERY_ROW):
            key = dg.AssetCheckKey(dg.AssetKey(["bronze", CAGE]), check)
            records = storage.get_asset_check_execution_history(key, limit=50)
            told = {
                r.event.dagster_event.asset_check_evaluation_data.partition
                for r in records
                if r.event
            }
            assert told - {None} == {"2025-01-04", "2025-01-05", "2025-01-06"}
    assert (done.checks_passed, done.checks_failed) == (9, 0)


SIMULATED = 'key:"truth/plants" or key:"restricted/identity_vault"'


def made(settings: Settings, layer: str, table: str) -> pl.DataFrame:
    with short_lived() as instance:
        run_days(settings, DAYS, now=AS_OF, select=SIMULATED, instance=instance)
    return LakeResource.of(settings).lake.scan(layer, table).collect()


@pytest.mark.slow
def test_a_lake_of_landed_data_has_nothing_simulated_and_keeps_captured_identities(
    tmp_path: Path,
) -> None:
    lake, settings = lake_at(tmp_path)
    file = tmp_path / "captures.csv"
    file.write_text("player_id,gaming_day,last_name\nP1,2025-01-05,Doe\n")
    take_in_identities(lake, read(file), who="desk", at=AS_OF)
    assert made(settings, "restricted", "identity_vault")["player_id"].to_list() == ["P1"]
    assert made(settings, "truth", "plants").is_empty()


@pytest.mark.slow
def test_plants_are_of_the_tables_that_the_simulator_fills(tmp_path: Path) -> None:
    _, simulated = lake_at(tmp_path / "one", scale=0.05, sources={"slot_telemetry": "simulator"})
    assert set(made(simulated, "truth", "plants")["table_name"]) == {"slot_telemetry"}


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


@pytest.mark.slow
def test_headers_and_values_of_files_reach_no_event_log(tmp_path: Path) -> None:
    """The first line of a file without a header is a row; columns that nobody knows hold notes."""
    lake, settings = lake_at(tmp_path)
    person = ("Zebulon", "Quackenbush", "900-12-3456")
    drop(lake, f"{CAGE}/headerless.csv", f"{','.join(person)}\nAda,Lovelace,1\n")
    unknown = f"{HEADER},{person[0]}\nt1,soon,1.00,{person[1]}\n{cage_row(2)},{person[2]}\n"
    drop(lake, f"{CAGE}/unknown.csv", unknown)
    drop(lake, f"{CAGE}/fields.json", json.dumps({"transaction_id": "t9", person[1]: person[2]}))
    drop(lake, f"{CAGE}/twice.csv", f"{HEADER},{person[0]},{person[0]}\n")
    drop(lake, f"{CAGE}/latin.csv", f"{HEADER},{person[0]}é\n".encode("latin-1"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dg.BetaWarning)
        asset = landed_bronze(settings, CAGE, declared(settings))
    home = tmp_path / "home"
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as instance:
        done = dg.materialize(
            [asset],
            partition_key="2025-01-05",
            instance=instance,
            resources=resources(settings),
        )
        look(settings, None)
    verdicts = {c.check_name: c.passed for c in done.get_asset_check_evaluations()}
    assert verdicts == {EVERY_FILE: False, EVERY_ROW: True, "contract": True}
    files = [p for top in (home, Path(lake.root) / "ops") for p in top.rglob("*") if p.is_file()]
    kept = b"".join(p.read_bytes() for p in files)
    assert b"headerless.csv lacks column" in kept
    assert [word for word in person if word.encode() in kept] == []
