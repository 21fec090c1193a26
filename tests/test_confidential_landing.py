"""The office's files: SARs go their own way through the door, and nobody reads them back."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg
import polars as pl
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.BetaWarning)
    from igaming_assets.running import run_days
from benchmarks.instances import short_lived
from lakehouse import cli
from lakehouse.ingest.files.conservation import conservation
from lakehouse.ingest.files.land import land
from lakehouse.ingest.files.rejects import retry
from lakehouse.pipeline.silver import refresh_silver
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Lake
from tests.landed import AS_OF, drop, files_correct_each_other, lake_at, quarantined, take_in
from tests.test_landing_assets import look

NOBODY = 65534
DAY = dt.date(2025, 1, 5)
HEADER = (
    "report_id,report_type,report_timestamp,filing_date,due_date,status,player_id,"
    "transaction_date,transaction_amount,compliance_officer_id,property_code"
)


def record(name: str, form: str, amount: str = "12000.00", status: str = "Filed") -> str:
    at, on = "2025-01-05T12:00:00-08:00", "2025-01-05"
    return f"{name},{form},{at},{on},2025-02-04,{status},P1,{on},{amount},EMP-0900,PROP-001"


def office(*records: str) -> str:
    return "\n".join([HEADER, *records]) + "\n"


MIXED = office(
    record("R1", "CTR"),
    record("S1", "sar"),
    record("R2", "w-2g"),
    record("S2", "FinCEN 111", amount="lots"),
    record("R3", "CTR", amount="lots"),
    record("S3", "S.A.R."),
    "S4,SAR",
)


@pytest.fixture
def place(tmp_path: Path) -> tuple[Lake, Settings]:
    return lake_at(tmp_path, pii_key_file=tmp_path / "tokens.key")


def ids(lake: Lake, layer: str, table: str) -> list[str | None]:
    return (
        lake.scan(layer, table).select(pl.col("report_id").sort()).collect().to_series().to_list()
    )


@pytest.mark.slow
def test_a_file_of_the_office_is_told_apart_and_no_row_is_lost(
    place: tuple[Lake, Settings],
) -> None:
    lake, settings = place
    drop(lake, "compliance/january.csv", MIXED)
    for _ in range(2):  # the second time nothing is new
        take_in(lake, settings)
        assert ids(lake, "bronze", "compliance") == ["R1", "R2"]
        assert ids(lake, "bronze", "sar_filings") == ["S1", "S3"]
        assert ids(lake, "quarantine", "compliance") == ["R3"]
        assert ids(lake, "quarantine", "sar_filings") == [None, "S2"]
        found = conservation(lake, "compliance")
        assert found.holds
        assert (found.said_bronze, found.said_quarantine) == (4, 3)
    days = (DAY, DAY)
    for table in ("compliance", "sar_filings"):
        refresh_silver(lake, settings, table, days, Commit("test", "test", "1"))
    rules = lake.scan("quarantine", "sar_filings").filter(pl.col("_stage") == "silver").collect()
    assert set(rules["report_id"]) == {"S1", "S3"}  # nobody has a profile here
    assert {r for row in rules["_rules"] for r in row} == {"player_id|orphan", "report_type|domain"}


def test_a_correction_replaces_a_sar_where_it_is(place: tuple[Lake, Settings]) -> None:
    lake, settings = place
    files_correct_each_other(lake, "compliance")
    drop(lake, "compliance/a.csv", office(record("R1", "CTR"), record("S1", "SAR")))
    take_in(lake, settings)
    drop(lake, "compliance/b.csv", office(record("S1", "SAR", "13000.00"), record("R1", "SAR")))
    take_in(lake, settings)
    assert ids(lake, "bronze", "compliance") == []
    assert ids(lake, "bronze", "sar_filings") == ["R1", "S1"]
    amounts = lake.scan("bronze", "sar_filings").filter(report_id="S1").collect()
    assert str(amounts["transaction_amount"].item()) == "13000.00"
    assert conservation(lake, "compliance").holds


def test_a_retried_row_goes_where_it_belongs(place: tuple[Lake, Settings], tmp_path: Path) -> None:
    lake, settings = place
    text = office(record("S1", "SAR", "9.000,00")).replace("9.000,00", '"9.000,00"')
    drop(lake, "compliance/a.csv", text)
    take_in(lake, settings)
    assert len(quarantined(lake, "report_id", table="compliance")) == 1
    from lakehouse.ingest.files.mapping import mapping_from_text

    mapping = mapping_from_text(
        '{"columns": {"transaction_amount": {"decimal_comma": true}}}', "compliance"
    )
    done = retry(lake, settings, "sar_filings", as_of=AS_OF, mapping=mapping)
    assert (done.tried, done.healed) == (1, 1)
    assert ids(lake, "bronze", "sar_filings") == ["S1"]
    assert ids(lake, "quarantine", "sar_filings") == ids(lake, "bronze", "compliance") == []
    assert conservation(lake, "compliance").holds


def test_nothing_lands_as_sars_alone(place: tuple[Lake, Settings], tmp_path: Path) -> None:
    from lakehouse.errors import BadInput

    lake, _ = place
    (tmp_path / "sars.csv").write_text(MIXED)
    with pytest.raises(BadInput, match="no rows can be landed in 'sar_filings'"):
        land([tmp_path / "sars.csv"], "sar_filings", lake)


def told_of(settings: Settings, table: str) -> list[dict[str, object]]:
    """Metadata of the landed asset and its checks, after a run of its day."""
    with short_lived() as instance:
        run_days(settings, (DAY, DAY), now=AS_OF, select=f'key:"bronze/{table}"', instance=instance)
        key = dg.AssetKey(["bronze", table])
        (made,) = instance.fetch_materializations(key, limit=5).records
        history = instance.event_log_storage.get_asset_check_execution_history
        checks = [
            event.asset_check_evaluation_data.metadata
            for name in ("every_landed_file_was_read", "every_landed_row_is_kept")
            for record in history(dg.AssetCheckKey(key, name), limit=5)
            if record.event and (event := record.event.dagster_event)
            if event.event_type_value == "ASSET_CHECK_EVALUATION"
        ]
    said = (made.asset_materialization.metadata, *checks)
    return [{n: m.value for n, m in one.items()} for one in said]


@pytest.mark.slow
def test_the_asset_and_its_checks_do_not_count_what_the_ledger_has(
    place: tuple[Lake, Settings],
) -> None:
    lake, settings = place
    drop(lake, "compliance/january.csv", MIXED)
    made, files, rows = told_of(settings, "compliance")
    assert made["dagster/row_count"] == 2  # as many as SQL counts
    assert rows == {}
    assert (files["rejected"], files["reasons"]) == (0, "")
    made, files, rows = told_of(settings, "sar_filings")
    assert files == rows == {}
    assert set(made) <= {"dagster/uri", "dagster/table_name"}


@pytest.mark.slow
def test_the_sensor_asks_for_the_same_days_with_and_without_a_sar(
    tmp_path: Path,
) -> None:
    asked = []
    later = record("S1", "SAR").replace("2025-01-05T", "2025-01-09T")
    for name, text in (
        ("with", office(record("R1", "CTR"), later)),
        ("without", office(record("R1", "CTR"))),
    ):
        lake, settings = lake_at(tmp_path / name)
        drop(lake, "compliance/a.csv", text)
        asked.append(look(settings, None)[0])
    assert asked[0] == asked[1]
    assert {asset for _, asset in asked[0]} == {"bronze/compliance", "bronze/sar_filings"}
    assert (asked[0][0][0], asked[0][-1][0]) == ("2025-01-05", "2025-02-01")


@pytest.fixture
def shared() -> Iterator[Path]:
    before = os.umask(0o022)
    with TemporaryDirectory(prefix="shared-") as made:
        Path(made).chmod(0o755)
        yield Path(made)
    os.umask(before)


def as_nobody(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", command],
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize("table", ["compliance", "staff_observations"])
def test_handed_in_files_are_not_read_back(
    shared: Path, table: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(shared)
    monkeypatch.setenv("DAGSTER_HOME", str(shared / "dagster"))
    monkeypatch.setenv("LAKEHOUSE_SOURCE", "landing")
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(shared / "lake"))
    assert cli.run(["init"]) == 0
    (shared / "mine.csv").write_text(MIXED + record("R4", "CTR") + "\n")
    assert cli.run(["land", "mine.csv", "--table", table]) == 0
    box = shared / "lake" / "landing" / table
    assert box.stat().st_mode & 0o777 == 0o700
    assert (box / "mine.csv").stat().st_mode & 0o777 == 0o600
    handed = box / "theirs.csv"
    handed.write_text("secret\n")
    box.parent.chmod(0o775)  # a group let in; not to these folders
    box.chmod(0o775)
    handed.with_name("theirs.csv.done").touch()
    assert cli.run(["ingest", "--bronze-only"]) == 1  # theirs has no columns of ours
    told = capsys.readouterr()
    # Of the file there are 8 rows, 5 in bronze and 3 not; 4 of them are of the open table.
    assert not {"8", "5", "3"} & set(told.err.replace(",", "").split())
    assert box.stat().st_mode & 0o777 == 0o700
    if os.geteuid() == 0:
        assert as_nobody(f"ls {box}").returncode != 0
        assert as_nobody(f"cat {box}/mine.csv").returncode != 0
    rejected = shared / "lake" / "landing" / "_rejected"
    assert rejected.stat().st_mode & 0o777 == 0o700
    if os.geteuid() == 0:
        assert as_nobody(f"cat {rejected}/{table}/theirs.csv").returncode != 0
    ledger = shared / "lake" / "ops" / "ingest_ledger"
    assert ledger.stat().st_mode & 0o777 == 0o700
