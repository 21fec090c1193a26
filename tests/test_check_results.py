"""gold.check_results: what every run said of each day, failed runs too, and nothing stale."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
import small_lake
from dagster._core.errors import DagsterAssetCheckFailedError

from benchmarks.instances import short_lived
from igaming_assets.assembly import assemble
from igaming_assets.resources import Clock, LakeResource
from igaming_assets.running import judge_days, run_days
from lakehouse import cli
from lakehouse.errors import LakehouseError
from lakehouse.quality.recorded import marked, record, results
from lakehouse.quality.registry import checks, declares, named
from lakehouse.quality.results import Check, Family, Judgement
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Lake

FIRST, SECOND, LAST = small_lake.DAYS
NOW = dt.datetime(2025, 3, 1, 20, tzinfo=dt.UTC)
SLOTS = 'key:"bronze/gaming_wins" or key:"silver/gaming_wins"'
CONTRACT = ("bronze", "gaming_wins", "contract")


def settings_of(folder: Path, **more: Any) -> Settings:
    return Settings(root=str(folder / "lake"), scale=0.02, start=FIRST, **more)


def told(settings: Settings) -> dict[tuple[Any, ...], str]:
    """(day, layer, table, check) → status."""
    held = Lake.open(settings).scan("gold", "check_results").collect()
    columns = ("gaming_day", "layer", "table_name", "check_name", "status")
    return {row[:4]: row[4] for row in held.select(columns).iter_rows()}


def without_origin(settings: Settings, *days: dt.date) -> None:
    """Bronze rows of a landed table, of which nobody knows where they are from."""
    known = {"win_id": [f"W{d}" for d in days], "gaming_day": list(days)}
    small_lake.put(Lake.open(settings), "bronze", "gaming_wins", known)


def run_in_process(settings: Settings, instance: dg.DagsterInstance, *days: dt.date) -> None:
    run_days(settings, (days[0], days[-1]), now=NOW, select=SLOTS, instance=instance)


def run_by_the_definitions(
    settings: Settings, instance: dg.DagsterInstance, *days: dt.date
) -> None:
    """As a run that UI or schedule launches executes it."""
    defs = assemble(settings, lake=LakeResource.of(settings), clock=Clock(at=NOW.isoformat()))
    job = defs.resolve_job_def("gaming_day").get_subset(
        asset_selection={dg.AssetKey([layer, "gaming_wins"]) for layer in ("bronze", "silver")}
    )
    keys = [str(day) for day in days]
    tags = {"dagster/asset_partition_range_start": keys[0]}
    tags |= {"dagster/asset_partition_range_end": keys[-1]}
    if len(days) == 1:
        tags = {"dagster/partition": keys[0]}
    job.execute_in_process(instance=instance, tags=tags)


@pytest.mark.slow
@pytest.mark.parametrize("days", [(SECOND,), (FIRST, SECOND)], ids=["day", "range"])
@pytest.mark.parametrize("run", [run_in_process, run_by_the_definitions])
def test_a_failed_run_leaves_its_results(tmp_path: Path, run: Any, days: Any) -> None:
    """Bronze breaks its contract on one day, and stops what comes after."""
    settings = settings_of(tmp_path, source="landing")
    without_origin(settings, SECOND)
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises((LakehouseError, DagsterAssetCheckFailedError), match=r"contract|bronze"),
    ):
        run(settings, instance, *days)
    found = told(settings)
    assert found[SECOND, *CONTRACT] == "failed"
    assert {day for day, *_ in found} == set(days)
    assert {s for key, s in found.items() if key != (SECOND, *CONTRACT)} == {"passed"}
    assert not [key for key in found if key[1] == "silver"], "silver was not made"


@pytest.mark.slow
def test_a_later_result_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    """One commit a run; other days stay."""
    settings = settings_of(tmp_path)
    lake = Lake.open(settings)
    with short_lived() as instance:
        for days in ((FIRST, SECOND), (SECOND, SECOND)):
            run_days(settings, days, now=NOW, select=SLOTS, instance=instance)
    versions = lake.history("gold", "check_results")
    assert [v.version for v in versions] == [2, 1, 0]
    rows = lake.scan("gold", "check_results").collect()
    runs = rows.group_by("gaming_day").agg(pl.col("run_id").n_unique(), pl.len()).sort("gaming_day")
    assert [(day, n) for day, n, _ in runs.iter_rows()] == [(FIRST, 1), (SECOND, 1)]
    assert runs["len"].n_unique() == 1
    assert rows["run_id"].n_unique() == 2


@pytest.mark.slow
def test_days_one_after_the_other_leave_nothing_stale(tmp_path: Path) -> None:
    """On days of which nothing comes to be known on the next."""
    settings, days = settings_of(tmp_path), [FIRST + dt.timedelta(n) for n in (2, 3)]
    with short_lived() as instance:
        for day in days:
            run_days(settings, (day, day), now=NOW, instance=instance)
    held = Lake.open(settings).scan("gold", "check_results").collect()
    assert set(held["gaming_day"]) == set(days)
    assert held.filter("is_stale").is_empty()


A_DAY = {day: Judgement(passed=True, said="It holds.") for day in (FIRST, SECOND)}
BY = Commit("r1", "test", "1")


def check(name: str = "holds", table: tuple[str, str] = ("bronze", "financial_txn")) -> Check:
    about = (Family.ROWS, "warn", "It is news.", "It holds.")
    return Check(name, table, *about, lambda lake, days: A_DAY)  # type: ignore[arg-type]


def rows_of(lake: Lake, table: str, *days: dt.date) -> None:
    key = "transaction_id" if table == "financial_txn" else "report_id"
    given = {key: [f"T{d}" for d in days], "gaming_day": list(days)}
    small_lake.put(lake, "bronze", table, given)


def test_what_changed_since_is_told_as_stale(tmp_path: Path) -> None:
    """Bronze of the second day changes: to whoever asks now it is stale at once, in SQL from
    the next run of that day, whatever it judges."""
    lake = Lake(str(tmp_path / "lake"))
    rows_of(lake, "financial_txn", FIRST, SECOND)
    holds = check()
    record(lake, marked(lake, holds, A_DAY, "warn"), at=NOW, commit=BY, checks=[holds])
    assert results(lake, [holds])["is_stale"].to_list() == [False, False]
    days = small_lake.rows(
        "bronze", "financial_txn", {"transaction_id": ["X"], "gaming_day": [SECOND]}
    )
    lake.write_days("bronze", "financial_txn", days, (SECOND, SECOND), commit=BY)
    assert results(lake, [holds])["is_stale"].to_list() == [False, True]
    other = check("other")
    both = [holds, other]
    judged = marked(lake, other, {SECOND: Judgement(passed=False)}, "warn")
    record(lake, judged, at=NOW, commit=BY, checks=both)
    stored = lake.scan("gold", "check_results").sort("check_name", "gaming_day").collect()
    assert stored.select("check_name", "gaming_day", "is_stale", "status").rows() == [
        ("holds", FIRST, False, "passed"),
        ("holds", SECOND, True, "passed"),
        ("other", SECOND, False, "warned"),
    ]


def test_of_a_restricted_table_whether_and_nothing_else(tmp_path: Path) -> None:
    """Nor whether it changed: a change tells that there is a case."""
    lake = Lake(str(tmp_path / "lake"))
    rows_of(lake, "sar_filings", FIRST)
    closed = check(table=("bronze", "sar_filings"))
    full = Judgement(False, "3 rows", 3.0, 0.0, 3, 9, ("R1",), "SELECT 1", {"rows": 3})
    record(lake, marked(lake, closed, {FIRST: full}, "error"), at=NOW, commit=BY, checks=[closed])
    rows_of(lake, "sar_filings", FIRST, SECOND)
    [row] = results(lake, [closed]).to_dicts()
    said = {n: v for n, v in row.items() if v not in (None, False) and n not in ("run_id", "said")}
    assert said == {
        "gaming_day": FIRST,
        "layer": "bronze",
        "table_name": "sar_filings",
        "check_name": "holds",
        "family": "rows",
        "severity": "error",
        "status": "failed",
        "keys": "[]",
        "judged_at": NOW,
    }
    assert "3" not in row["said"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LakehouseError("the tool is not there"), "the tool is not there"),
        # What nobody foresaw may quote a row.
        (ZeroDivisionError("of P1"), "ZeroDivisionError; the log of the run says more"),
        (pl.exceptions.PanicException("of P1"), "PanicException; the log of the run says more"),
    ],
)
def test_one_that_cannot_run_leaves_the_others_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, said: str
) -> None:
    settings = settings_of(tmp_path)
    lake = Lake.open(settings)
    rows_of(lake, "financial_txn", FIRST)
    assert checks(settings, NOW), "all are found before others stand in for them"
    monkeypatch.setattr("lakehouse.quality.registry._declared", {})

    def broken(lake: Lake, days: Any) -> Any:
        raise error

    @declares
    def _two(settings: Settings, now: dt.datetime) -> Any:
        yield Check("a", ("bronze", "financial_txn"), Family.ROWS, "error", "So.", "It.", broken)
        yield Check(
            "b",
            ("bronze", "financial_txn"),
            Family.ROWS,
            "error",
            "So.",
            "It.",
            lambda lake, days: {FIRST: Judgement(passed=True)},
        )

    asked = list(checks(settings, NOW).values())
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(LakehouseError, match=str(error)),
    ):
        judge_days(settings, asked, None, instance=instance)
    assert {key[3]: status for key, status in told(settings).items()} == {
        "a": "could_not_run",
        "b": "passed",
    }
    assert results(lake, asked)["said"][0] == f"It could not run: {said}{'.' * (';' in said)}"


def test_checks_are_named_by_table_where_several_have_the_name() -> None:
    settings = Settings(start=FIRST)
    every = checks(settings, NOW).values()
    assert named(every, "is_there_by_ten").table == ("gold", "property_day")
    for text in ("silver/table_games:contract", "silver.table_games:contract"):
        assert named(every, text).key == ("silver", "table_games", "contract")
    with pytest.raises(LakehouseError, match=r"stands on .* tables; name one, as"):
        named(every, "contract")
    with pytest.raises(LakehouseError, match="unknown check 'nope'"):
        named(every, "nope")


def test_every_check_says_why_it_is_so_severe() -> None:
    every = checks(Settings(start=FIRST, source="landing"), NOW).values()
    assert [c.address for c in every if len(c.reason) < 20 or len(c.description) < 20] == []
    assert {c.severity for c in every} == {"error", "warn"}
    assert [c.address for c in every if c.blocking and c.severity != "error"] == []


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake whose silver has one row that breaks a rule."""
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_START", str(FIRST))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    lake = Lake(str(tmp_path / "lake"))
    rows = {
        "player_id": ["P1", "P2"],
        "gaming_day": [FIRST, SECOND],
        "reinvestment_budget": ["5.00", "0.00"],
        "is_protected": [True, False],
        "is_excluded": [False, False],
        "account_status": ["Active", "Active"],
    }
    small_lake.put(lake, "gold", "player_value", rows)
    return lake


CHECK = "gold.player_value:protected_receive_nothing"


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    status = cli.run(["checks", *arguments])
    return status, json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_the_commands_tell_the_same(shell: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    status, [first, second] = command(capsys, "run", "--check", CHECK, "--json")
    assert (status, first["status"], second["status"]) == (1, "failed", "passed")
    assert (first["failing_rows"], first["keys"]) == (1, ["P1"])
    status, of = command(capsys, "list", "--table", "gold.player_value", "--json")
    standing = {one["check"].partition(":")[2]: one for one in of}
    assert standing["contract"]["status"] == "not judged"
    mine = standing["protected_receive_nothing"]
    assert (mine["status"], mine["days"], mine["open_days"]) == ("failed", 2, 1)
    assert mine["reason"].startswith("It holds by construction")
    _, days = command(capsys, "history", CHECK, "--json")
    assert [(d["gaming_day"], d["measure"], d["bound"]) for d in days] == [
        (str(FIRST), 1.0, 0.0),
        (str(SECOND), 0.0, 0.0),
    ]
    _, whole = command(capsys, "show", CHECK, str(FIRST), "--json")
    assert whole["keys"] == ["P1"]
    assert cli.run(["sql", whole["sql"], "--format", "json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) == whole["failing_rows"] == 1
    assert cli.run(["checks", "show", CHECK, str(FIRST)]) == 0
    said = capsys.readouterr().out
    assert f"gold/player_value:protected_receive_nothing, {FIRST}: failed" in said
    assert whole["sql"] in said


@pytest.mark.slow
def test_a_run_over_days_that_hold_ends_with_0(
    shell: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("run", "--check", CHECK, "--from", str(SECOND), "--json")
    assert command(capsys, *asked)[0] == 0
    assert cli.run(["checks", "run", "--from", "2031-01-01"]) == 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["run", "--check", "nope"], "unknown check 'nope'"),
        (["run", "--to", "2025-01-02"], "--to needs --from"),
        (["history", CHECK, "--from", "2025-01-03", "--to", "2025-01-02"], "is before"),
        (["history", CHECK], "has judged no such day"),
        (["show", CHECK, "yesterday"], "is no day"),
        (["show", CHECK, "2025-01-01"], "has not judged 2025-01-01"),
        (["list", "--table", "nope"], "no check stands on table 'nope'"),
        (["--truth", "meters_never_fall", "list"], "--truth stands before list"),
    ],
)
def test_bad_input(
    shell: Lake, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert cli.run(["checks", *arguments]) == 2
    assert complaint in capsys.readouterr().err
