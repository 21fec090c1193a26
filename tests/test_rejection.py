"""Rejection does not look like success: it is counted, named, and ends with status 1."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import dagster as dg
import pytest
from small_lake import FIRST, LAST, rows

from benchmarks.instances import short_lived
from igaming_assets.running import run_days
from lakehouse import cli
from lakehouse.commands.rejection import over_the_share
from lakehouse.commands.run import prepare
from lakehouse.quality.rejection import findings, shares
from lakehouse.quality.rejection_checks import judge
from lakehouse.settings import load_settings
from lakehouse.storage import Commit, Lake
from tests.landed import (
    AS_OF,
    CAGE,
    LANDING_DAY,
    cage_csv,
    cage_row,
    drop,
    lake_at,
    mapped,
    take_in,
    up_to_silver,
)

COMMIT = Commit("test", "test", "1")
ZONE = "America/Los_Angeles"
DAY = dt.date(2025, 1, 5)
WHOLE = """
[columns]
business_date = { constant = "2025-01-05" }
cage_location = { constant = "CAGE-1" }
cashier_id = { constant = "EMP-1" }
currency = { constant = "USD" }
payment_method = { constant = "Cash" }
shift = { constant = "Day" }
transaction_type = { constant = "CHIP_PURCHASE" }
ctr_required = { constant = false }
ctr_filed = { constant = false }
suspicious_activity_flag = { constant = false }
"""


@pytest.fixture
def whole_lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake that files are landed in, in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    for name, value in (
        ("ROOT", str(tmp_path / "lake")),
        ("SOURCE", "landing"),
        ("START", "2025-01-01"),
    ):
        monkeypatch.setenv(f"LAKEHOUSE_{name}", value)
    prepare(load_settings())
    return Lake.open(load_settings())


@pytest.fixture
def lake(whole_lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """Of which no other table is derived than the one that files are landed of."""
    up_to_silver(monkeypatch, CAGE)
    return whole_lake


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    assert cli.run(arguments) == status
    done = capsys.readouterr()
    return done.out + done.err


def landed(lake: Lake, text: str, mapping: str = WHOLE) -> None:
    mapped(lake, mapping)
    drop(lake, f"{CAGE}/a.csv", text)


@pytest.mark.slow
def test_ingest_and_run_end_with_a_line_for_each_table(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    good = [cage_row(n) for n in range(9)]
    landed(lake, cage_csv(*good, cage_row(9, "-5.00"), good[0]))
    line = (
        "financial_txn: landed 11, silver 9, duplicates 1, quarantine 1 "
        "(9.1% rejected, most often: amount is under 0)\n"
    )
    assert said(capsys, "ingest").endswith(line)
    assert said(capsys, "run", "--from", str(DAY)).endswith(line)


@pytest.mark.slow
def test_over_the_share_ends_with_status_1_and_what_to_do(
    lake: Lake, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    landed(lake, cage_csv(*(cage_row(n) for n in range(7)), *(cage_row(n, "-5") for n in (7, 8))))
    told = said(capsys, "ingest", status=1)
    assert "financial_txn of 2025-01-05 rejected: 2 of 9 landed rows (22%)\n" in told
    assert "most often amount|min: amount is under 0; mend the line in the file" in told
    assert "lakehouse quarantine list --table financial_txn" in told
    last = "lakehouse: over 20% of the landed rows rejected: financial_txn of 2025-01-05"
    assert told.splitlines()[-1] == last
    told = said(capsys, "run", "--from", str(DAY), status=1)
    assert "open: error: silver/financial_txn:rejected_share on 2025-01-05\n" in told
    assert told.splitlines()[-1] == last
    told = said(capsys, "checks", "--truth", "rejected_share", "-o", "csv", status=1)
    assert f"rejected_share,{DAY},financial_txn,20.00," in told
    assert "22.22" in told
    assert "amount|min" in told
    monkeypatch.setenv("LAKEHOUSE_REJECTED_SHARE", "0.23")
    assert "rejected: 2 of 9" not in said(capsys, "run", "--from", str(DAY))
    assert said(capsys, "checks", "--truth", "rejected_share").endswith("unexplained: 0\n")


def test_rows_without_a_day_are_told_and_refused(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    """They stand under the day they landed on, of which nothing is derived."""
    landed(lake, cage_csv("t1,yesterday,1.00", "t2,today,1.00"))
    told = said(capsys, "ingest", status=1)
    assert "financial_txn: landed 2, silver 0, duplicates 0, quarantine 2 (100.0% rejected" in told
    assert "transaction_timestamp is in another form" in told


def test_one_damaged_line_of_a_file_is_no_rejected_day(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/a.csv", cage_csv(*(cage_row(n) for n in range(7)), "t8"))
    take_in(lake, settings)
    found = shares(lake, CAGE, [DAY, LANDING_DAY], settings.timezone)
    assert found.rows() == [(DAY, 7, 0, 0.0), (LANDING_DAY, 8, 1, 0.125)]


def test_a_day_has_the_worse_of_its_own_rows_and_of_those_without_a_day(tmp_path: Path) -> None:
    """Of the day's own two, one is rejected; of the file's ten, one that has no day."""
    lake, settings = lake_at(tmp_path)
    own = [f"t{n},{LANDING_DAY}T12:00:00-08:00,{usd}" for n, usd in ((20, "1.00"), (21, "lots"))]
    drop(lake, f"{CAGE}/a.csv", cage_csv(*(cage_row(n) for n in range(7)), *own, "t30"))
    take_in(lake, settings)
    found = shares(lake, CAGE, [LANDING_DAY], settings.timezone)
    assert found.rows() == [(LANDING_DAY, 2, 1, 0.5)]


def test_a_rejected_day_of_a_long_file_is_seen(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    bad = "t99,2025-01-06T12:00:00-08:00,lots"
    drop(lake, f"{CAGE}/a.csv", cage_csv(*(cage_row(n) for n in range(30)), bad))
    take_in(lake, settings)
    found = shares(lake, CAGE, [DAY, dt.date(2025, 1, 6)], settings.timezone)
    assert [(r[1], r[2]) for r in found.rows()] == [(30, 0), (1, 1)]


def test_the_share_that_may_be_rejected_is_not_over_itself(tmp_path: Path) -> None:
    """One of five is a fifth, and as many as may be."""
    lake, settings = lake_at(tmp_path)
    bad = "t9,2025-01-05T12:00:00-08:00,lots"
    drop(lake, f"{CAGE}/a.csv", cage_csv(*(cage_row(n) for n in range(4)), bad))
    take_in(lake, settings)
    for limit, is_over in ((0.2, False), (0.199, True)):
        of = settings.model_copy(update={"rejected_share": limit})
        assert judge(of, CAGE, lake, (DAY, DAY))[DAY].passed is not is_over
        assert bool(over_the_share(lake, of, {CAGE: [DAY]})) is is_over
        assert findings(lake, [CAGE], (DAY, DAY), limit, ZONE).height == is_over


def test_simulated_defects_are_not_judged(tmp_path: Path) -> None:
    """They are planted: a small world has days of one row, and a defect on it."""
    lake = Lake(str(tmp_path / "lake"))
    one = {"transaction_id": ["T"], "gaming_day": [FIRST], "_source": ["simulator"]}
    lake.append("bronze", CAGE, rows("bronze", CAGE, one), commit=COMMIT)
    held = one | {"_stage": ["silver"], "_rules": [["amount|min"]]}
    lake.append("quarantine", CAGE, rows("quarantine", CAGE, held), commit=COMMIT)
    assert shares(lake, CAGE, [FIRST, LAST], ZONE).height == 0


@pytest.mark.slow
def test_nothing_is_told_of_a_restricted_table(
    whole_lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    """A SAR that is rejected leaves no line, no check and no status."""
    head = "report_id,report_type,report_timestamp,transaction_amount"
    drop(whole_lake, "compliance/a.csv", f"{head}\nS1,SAR,2025-01-05T12:00:00-08:00,5\n")
    told = said(capsys, "ingest")
    assert whole_lake.scan("quarantine", "sar_filings").collect().height == 1
    assert "sar" not in told.lower()
    assert "compliance: landed" not in told
    assert "rejected_share" not in told
    assert "sar" not in said(capsys, "checks", "--truth", "rejected_share", "-o", "csv").lower()


@pytest.mark.slow
def test_the_check_has_a_result_for_each_day(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path, pii_key_file=tmp_path / "tokens.key")
    later = "t9,2025-01-06T12:00:00-08:00,-1"
    landed(lake, cage_csv(cage_row(1), cage_row(2), later))
    take_in(lake, settings)
    key = dg.AssetCheckKey(dg.AssetKey(["silver", CAGE]), "rejected_share")
    with short_lived() as instance:
        days = (DAY, dt.date(2025, 1, 6))
        run_days(settings, days, now=AS_OF, instance=instance, select=f'key:"silver/{CAGE}"')
        found = instance.event_log_storage.get_asset_check_execution_history(key, limit=5)
    assert {r.partition: r.status.value for r in found if r.partition} == {
        "2025-01-05": "SUCCEEDED",
        "2025-01-06": "FAILED",
    }


@pytest.mark.slow
def test_a_run_that_had_nothing_to_read_says_so(
    lake: Lake, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAKEHOUSE_SOURCE")
    Path("lakehouse.toml").write_text('source = "landing"\n')
    told = said(capsys, "run", "--from", str(DAY))
    file, zone = Path("lakehouse.toml").resolve(), Path("lake/landing").resolve()
    assert told.splitlines()[0] == (
        f"nothing to read: source is landing ({file}), and nothing has landed in {zone}; "
        '`lakehouse land FILE --table T` lands a file, or set source = "simulator"'
    )
    assert "partitions made" not in told
    assert said(capsys, "ingest").startswith(f"nothing to read: no file has landed in {zone}")
    landed(lake, cage_csv(cage_row(1)))
    assert said(capsys, "ingest").endswith("quarantine 0 (0.0% rejected)\n")
    told = said(capsys, "run", "--from", "2025-01-08")
    assert "rows have landed for 2025-01-05 to 2025-01-05; run those days" in told
