"""Suites as asset checks: a result for each gaming day, in runs of one day and of many; and
nothing of Great Expectations where there are none."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from test_dagster_flow import NOW, WEEK, settings_at
from written_suites import IN_SET, NOT_NULL, expects

from benchmarks.instances import short_lived
from igaming_assets.assembly import assemble
from igaming_assets.running import run_days
from lakehouse.settings import Settings
from lakehouse.storage import Lake

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples" / "expectations"
FIRST, SECOND = WEEK[0], WEEK[0] + dt.timedelta(days=1)
DAYS = (FIRST, SECOND)
JUDGED = "+key:gold/slot_performance"
"""The tables that have suites here, and what they are made of."""
SLOTS = dg.AssetKey(["silver", "slot_telemetry"])


def settings_with(root: Path, suites: dict[str, Any], **more: Any) -> Settings:
    folder = root / "expectations"
    folder.mkdir()
    for name, told in suites.items():
        text = told if isinstance(told, str) else json.dumps({"name": "s", "expectations": told})
        (folder / name).write_text(text)
    given = settings_at(root).model_dump() | {"expectations": folder} | more
    return Settings.model_validate(given)


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with short_lived() as opened:
        yield opened


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance) -> Settings:
    """Two days in one run, with suites that hold, warn, fail, raise and are none."""
    row_count = "expect_table_row_count_to_be_between"
    settings = settings_with(
        tmp_path_factory.mktemp("suites"),
        {
            "silver.slot_telemetry.json": [
                expects(NOT_NULL, column="machine_id"),
                expects(IN_SET, "warning", column="zone", value_set=["North"], mostly=0.99),
            ],
            "silver.slot_telemetry.rows.json": [expects(row_count, min_value=10_000_000)],
            "gold.slot_performance.py": "raise RuntimeError('not today')",
            "silver.slots.json": [],
        },
    )
    run_days(settings, DAYS, now=NOW, select=JUDGED, instance=instance)
    return settings


def results(settings: Settings) -> dict[tuple[str, str], list[str]]:
    rows = (
        Lake.open(settings)
        .scan("gold", "check_results")
        .filter(pl.col("family") == "expectation")
        .sort("gaming_day")
        .collect()
    )
    said: dict[tuple[str, str], list[str]] = {}
    for row in rows.iter_rows(named=True):
        said.setdefault((row["table_name"], row["check_name"]), []).append(row["status"])
    return said


@pytest.mark.slow
def test_each_day_of_a_range_has_its_own_result(
    made: Settings, instance: dg.DagsterInstance
) -> None:
    assert results(made) == {
        ("slot_telemetry", "expectations"): ["passed"] * 2,
        ("slot_telemetry", "expectations_warnings"): ["warned"] * 2,
        ("slot_telemetry", "expectations_rows"): ["failed"] * 2,
        ("slot_performance", "expectations"): ["could_not_run"] * 2,
    }
    key = dg.AssetCheckKey(SLOTS, "expectations_rows")
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=10)
    days = {r.partition: r.evaluation for r in records if r.partition is not None}
    assert set(days) == {str(day) for day in DAYS}
    assert {e.severity for e in days.values() if e} == {dg.AssetCheckSeverity.ERROR}
    pages = Path(f"{Lake.open(made).root}.docs") / "silver.slot_telemetry.rows"
    assert {p.name for p in pages.glob("*.html")} == {f"{day}.html" for day in DAYS}


@pytest.mark.slow
def test_a_run_of_one_day_judges_that_day(made: Settings, instance: dg.DagsterInstance) -> None:
    file = made.expectations / "silver.slot_telemetry.rows.json"
    before = file.read_text()
    told = [expects("expect_table_row_count_to_be_between", min_value=1)]
    file.write_text(json.dumps({"name": "s", "expectations": told}))
    run_days(
        made, (DAYS[1], DAYS[1]), now=NOW, select="key:silver/slot_telemetry", instance=instance
    )
    file.write_text(before)
    assert results(made)["slot_telemetry", "expectations_rows"] == ["failed", "passed"]


def test_a_broken_suite_leaves_every_other_asset_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    none = assemble(settings_at(tmp_path)).resolve_asset_graph()
    broken = {"silver.slots.json": "{", "silver.table_games.json": "{", "x.py": "raise ValueError"}
    some = assemble(settings_with(tmp_path, broken)).resolve_asset_graph()
    assert some.get_all_asset_keys() == none.get_all_asset_keys()
    added = some.asset_check_keys - none.asset_check_keys
    assert {key.to_user_string() for key in added} == {"silver/table_games:expectations"}
    lines = [r.message for r in caplog.records if r.name == "lakehouse.expectations"]
    assert [line.split(": ")[1] for line in lines] == [
        next(line.split(": ")[1] for line in lines if "silver.slots.json" in line),
        "name it <layer>.<table>.json or .py, such as silver.compliance.py",
        "no JSON",
    ]


@pytest.mark.slow
def test_the_examples_hold_on_a_clean_world(tmp_path: Path) -> None:
    """In the style of the POC's suites, which are of release 0.x and its names of columns."""
    settings = settings_at(tmp_path).model_copy(
        update={"faults": False, "expectations": EXAMPLES, "scale": 0.05}
    )
    suites = [path.stem for path in EXAMPLES.iterdir() if path.suffix in (".json", ".py")]
    select = " or ".join(f"+key:{suite.replace('.', '/')}" for suite in suites)
    with short_lived() as own:
        run_days(settings, (WEEK[0], WEEK[0]), now=NOW, select=select, instance=own)
    said = results(settings)
    tables = {table for table, _ in said}
    assert tables == {
        "slot_telemetry",
        "table_games",
        "player_profile",
        "financial_txn",
        "security_events",
        "compliance",
    }
    assert {status for each in said.values() for status in each} == {"passed"}


def in_a_process(folder: Path, code: str, **settings: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DAGSTER_HOME": str(folder / "home")}
    environment |= {"LAKEHOUSE_ROOT": str(folder / "lake"), "LAKEHOUSE_START": str(WEEK[0])}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | settings,
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip().splitlines()[-1]


HEAVY = "print(sorted({'great_expectations', 'pandas'} & set(sys.modules)))"


@pytest.mark.slow
def test_a_code_location_with_suites_loads_without_great_expectations(tmp_path: Path) -> None:
    code = f"import sys; from igaming_assets.definitions import defs; {HEAVY}"
    assert in_a_process(tmp_path, code, LAKEHOUSE_EXPECTATIONS=str(EXAMPLES)) == "[]"


@pytest.mark.slow
def test_a_run_without_suites_never_imports_it(tmp_path: Path) -> None:
    code = (
        "import sys; from lakehouse.cli import run; "
        f"assert run(['run', '--from', '{WEEK[0]}', '--select', '+key:silver/table_games']) == 0; "
    )
    assert in_a_process(tmp_path, code + HEAVY, LAKEHOUSE_SCALE="0.02") == "[]"
