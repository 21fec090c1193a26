"""Results of checks that read restricted tables are for those with the grant: that a rule of the
alerts broke on a day tells that the day has an alert (31 U.S.C. 5318(g)(2))."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from lakehouse.cli import run
from lakehouse.quality.recorded import marked, record
from lakehouse.quality.registry import checks
from lakehouse.quality.results import WORST_FIRST, Check, Judgement
from lakehouse.serve.reports.checks.told import STALE, STATES
from lakehouse.serve.sql.catalog import Catalog
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Lake

DAY = dt.date(2025, 1, 1)
NOW = dt.datetime(2025, 1, 3, 18, tzinfo=dt.UTC)
GRANT = ("--restricted", "--purpose", "exam of January")
ALERTS, TABLES = "restricted/alerts:contract", "silver/table_games:contract"
LANDED = "bronze/compliance:every_landed_row_is_kept"
"""It stands on an open table, and reads restricted ones beside it."""
QUERY = "SELECT layer || '/' || table_name || ':' || check_name FROM gold.check_results ORDER BY 1"


@pytest.fixture
def lake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A day on which a rule of the alerts broke, a landed row was lost, and games held."""
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_START", str(DAY))
    monkeypatch.setenv("LAKEHOUSE_SOURCE", "landing")
    lake = Lake(str(tmp_path / "lake"))
    every = {c.address: c for c in checks(Settings(start=DAY, source="landing"), NOW).values()}
    held = [
        *judged(lake, every[ALERTS], passed=False),
        *judged(lake, every[LANDED], passed=False),
        *judged(lake, every[TABLES], passed=True),
    ]
    record(lake, held, at=NOW, commit=Commit("r1", "test", "1"), checks=every.values())
    return lake


def judged(lake: Lake, check: Check, *, passed: bool) -> Any:
    return marked(lake, check, {DAY: Judgement(passed)}, check.severity)


def test_in_sql_they_are_seen_with_the_grant_alone(lake: Lake) -> None:
    with Catalog(lake) as everybody, Catalog(lake, restricted=True) as granted:
        assert everybody.frame(QUERY).to_series().to_list() == [TABLES]
        assert granted.frame(QUERY).to_series().to_list() == [LANDED, ALERTS, TABLES]


def test_the_list_tells_how_they_stand_with_the_grant_alone(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    def standing(*more: str) -> list[tuple[str, int, int]]:
        assert run(["checks", "list", "--json", *more]) == 0
        found = {one["check"]: one for one in json.loads(capsys.readouterr().out)}
        told = (found[address] for address in (ALERTS, LANDED, TABLES))
        return [(one["status"], one["days"], one["open_days"]) for one in told]

    assert standing() == [("restricted", 0, 0), ("restricted", 0, 0), ("passed", 1, 0)]
    assert run(["access", "init"]) == 0
    capsys.readouterr()
    assert standing(*GRANT) == [("failed", 1, 1), ("failed", 1, 1), ("passed", 1, 0)]


@pytest.mark.parametrize("asked", [["history", ALERTS], ["show", LANDED, str(DAY)]])
def test_one_of_them_is_told_with_the_grant_alone(
    lake: Lake, capsys: pytest.CaptureFixture[str], asked: list[str]
) -> None:
    assert run(["checks", *asked]) == 2
    said = capsys.readouterr()
    assert f"{asked[1]} is restricted: give --restricted" in said.err
    assert "failed" not in said.out + said.err
    assert run(["access", "init"]) == 0
    assert run(["checks", *asked, *GRANT]) == 0
    assert "failed" in capsys.readouterr().out
    assert "checks " + " ".join(asked[:2]) in access_log(lake)


@pytest.mark.slow
def test_a_run_judges_them_and_tells_with_the_grant_alone(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    assert run(["checks", "run", "--check", ALERTS]) == 2
    assert "is restricted: give --restricted" in capsys.readouterr().err
    assert run(["access", "init"]) == 0
    capsys.readouterr()
    asked = ["checks", "run", "--check", ALERTS, "--from", str(DAY), "--json"]
    assert run([*asked, *GRANT]) == 0
    [row] = json.loads(capsys.readouterr().out)
    assert (row["table_name"], row["status"]) == ("alerts", "passed")
    assert run(["checks", "run", "--from", str(DAY), "--json"]) == 0
    told = capsys.readouterr()
    found = [f"{r['layer']}/{r['table_name']}:{r['check_name']}" for r in json.loads(told.out)]
    assert TABLES in found
    closed = ("alerts", "sar_cases", "sar_filings", "staff_observations", LANDED)
    assert [address for address in found for one in closed if one in address] == []
    assert "checks that read restricted tables nothing is told" in told.err


def test_states_have_one_order_everywhere() -> None:
    """What failed is known to be wrong, what could not run may be."""
    assert [*WORST_FIRST] == ["failed", "could_not_run", "warned", "passed"]
    assert [s for s in STATES if s != STALE] == [*WORST_FIRST]


def access_log(lake: Lake) -> str:
    from lakehouse.compliance.access_log import read

    return "\n".join(read(lake)["query"].to_list())
