"""An open day stays open until it passes itself; a day without data is not judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import small_lake
from test_checks_command import SESSION
from test_dagster_flow import NOW, WEEK, settings_at

from benchmarks.instances import short_lived
from igaming_assets.assembly import assemble
from igaming_assets.check_ledger import LEDGER, CheckLedger
from igaming_assets.checks import spec_of
from igaming_assets.resources import Clock, LakeResource
from igaming_assets.running import run_days
from igaming_assets.verdicts import report, verdicts_of
from lakehouse.quality.conformance import broken_rules, plants_without_row
from lakehouse.quality.findings import PATRONS, judged, summed_up
from lakehouse.quality.results import Check, Family, Judgement
from lakehouse.quality.truth_checks import judge as judge_truth
from lakehouse.quality.truths import TRUTHS
from lakehouse.settings import Settings
from lakehouse.storage import Lake

FIRST, SECOND, LAST = small_lake.DAYS
KEY = dg.AssetKey(["silver", "slot_telemetry"])
BALANCE = dg.AssetCheckKey(KEY, "sessions_balance")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def test_a_day_passes_only_where_every_input_has_rows(lake: Lake) -> None:
    """One day with an unbalanced session, one that balances, one without data."""
    second = SESSION | {"gaming_day": [SECOND] * 2, "coin_in": [None, "100.00"]}
    both = {name: [*SESSION[name], *second[name]] for name in SESSION}
    small_lake.put(lake, "silver", "slot_telemetry", both)
    truth = TRUTHS["sessions_balance"]
    found = judge_truth(truth, lake, (FIRST, LAST))
    assert {day: said.passed for day, said in found.items()} == {FIRST: False, SECOND: True}
    said = "S: bills and wins 100.00, bets, tickets and hand-pays 70.00"
    assert found[FIRST].more["first"] == PATRONS
    assert (found[FIRST].failing_rows, found[FIRST].keys, found[FIRST].sql) == (None, (), None)
    named = judged(truth, lambda layer, table: lake.scan(layer, table, days=(FIRST, LAST)))
    assert summed_up(truth, named)[FIRST]["first"] == said
    # The cage has no rows at all: nothing is said of hand-pays, least of all that they agree.
    assert judge_truth(TRUTHS["jackpots_have_their_payout"], lake, (FIRST, LAST)) == {}


def test_every_truth_names_its_two_sides() -> None:
    assert [t.name for t in TRUTHS.values() if len(set(t.sides)) < 2 or not all(t.sides)] == []


@pytest.mark.parametrize("column", ["_ingested_at", "_source", "_batch_id"])
def test_bronze_rows_tell_where_they_come_from(lake: Lake, column: str) -> None:
    whole = {
        "transaction_id": ["T1", "T2"],
        "gaming_day": [FIRST, FIRST],
        "_ingested_at": [dt.datetime(2025, 1, 1, 20, tzinfo=dt.UTC)] * 2,
        "_source": ["a.csv"] * 2,
        "_batch_id": ["b"] * 2,
    }
    whole[column][1] = None  # type: ignore[index]
    small_lake.put(lake, "bronze", "financial_txn", whole)
    broken = broken_rules("bronze", "financial_txn", lake.scan("bronze", "financial_txn"))
    assert broken.rows() == [(FIRST, f"{column}|nullability", 1)]


def plant(key: str | None, kind: str = "clock", ends: dt.date = FIRST) -> dict[str, Any]:
    where = {"table_name": "financial_txn", "row_key": key, "gaming_day": FIRST}
    return where | {"kind": kind, "window_end": ends}


def test_plants_are_rows_of_bronze(lake: Lake) -> None:
    planted = [
        plant("T1"),
        plant("T2"),
        plant("T3", "late"),
        plant("T3"),
        plant(None),
        plant("T4", ends=LAST),
    ]
    columns = {name: [p[name] for p in planted] for name in planted[0]}
    small_lake.put(lake, "truth", "plants", columns)
    there = {"transaction_id": ["T1"], "gaming_day": [FIRST]}
    small_lake.put(lake, "bronze", "financial_txn", there)
    found = plants_without_row(lake, ["financial_txn"], (FIRST, LAST))
    assert found.rows() == [(FIRST, 1)]  # T2; T3 comes late, T4 later, one is of a scenario


def judge(instance: dg.DagsterInstance, settings: Settings, day: str, passed: bool) -> None:
    """A run of one day, of a table with one check."""
    check = Check(
        BALANCE.name,
        ("silver", "slot_telemetry"),
        Family.TRUTH,
        "warn",
        "News about the casino.",
        "Whether it balances.",
        lambda lake, days: {},
    )
    spec = spec_of(settings, check)
    lake = LakeResource.of(settings)

    @dg.asset(
        key=KEY,
        partitions_def=spec.partitions_def,
        check_specs=[spec],
        required_resource_keys={LEDGER},
    )
    def slots(context):  # Dagster reads annotations, which are texts here
        yield dg.MaterializeResult()
        yield report(context, check, {dt.date.fromisoformat(day): Judgement(passed)})

    ledger = CheckLedger(lake=lake, clock=Clock(at=NOW.isoformat()))
    dg.materialize([slots], partition_key=day, instance=instance, resources={LEDGER: ledger})


@pytest.mark.slow
def test_a_day_is_open_until_it_passes_itself(tmp_path: Path) -> None:
    settings = Settings(start=dt.date(2025, 1, 1), root=str(tmp_path / "lake"))
    with short_lived() as instance:
        for day, passed, open_days in (
            ("2025-01-06", False, ("2025-01-06",)),
            ("2025-01-07", True, ("2025-01-06",)),
            ("2025-01-08", False, ("2025-01-06", "2025-01-08")),
            ("2025-01-06", True, ("2025-01-08",)),
        ):
            judge(instance, settings, day, passed)
            [verdict] = verdicts_of(instance, [BALANCE])
            assert (verdict.open_days, verdict.passed) == (open_days, False)
        assert (verdict.severity, verdict.days) == ("warning", "2025-01-08")
        judge(instance, settings, "2025-01-08", passed=True)
        assert verdicts_of(instance, [BALANCE])[0].passed


def test_all_verdicts_are_one_query(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worst severity of the open days is told, and of a check that was not asked, nothing."""
    day = [f"2025-01-0{n}" for n in range(1, 4)]
    said = [
        ("a", day[0], True, dg.AssetCheckSeverity.ERROR),
        ("b", day[0], False, dg.AssetCheckSeverity.WARN),
        ("b", day[1], False, dg.AssetCheckSeverity.ERROR),
        ("b", day[2], True, dg.AssetCheckSeverity.WARN),
        ("c", day[0], False, dg.AssetCheckSeverity.WARN),
    ]
    with short_lived() as instance:
        for name, partition, passed, severity in said:
            evaluation = dg.AssetCheckEvaluation(
                asset_key=KEY, check_name=name, passed=passed, severity=severity,
                partition=partition, metadata={},
            )  # fmt: skip
            instance.report_runless_asset_event(evaluation)
        asked = []
        storage = instance.event_log_storage
        real = storage.index_connection
        monkeypatch.setattr(storage, "index_connection", lambda: asked.append(1) or real())
        keys = [dg.AssetCheckKey(KEY, name) for name in ("b", "a", "never")]
        found = verdicts_of(instance, keys)
    assert [(v.name, v.severity, v.open_days) for v in found] == [
        ("silver/slot_telemetry:a", "warning", ()),
        ("silver/slot_telemetry:b", "error", (day[0], day[1])),
    ]
    assert len(asked) == 1


@pytest.fixture(scope="module")
def one_by_one(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Settings, dg.DagsterInstance]]:
    """A day in a run of its own, then a range of it and the next."""
    settings = settings_at(tmp_path_factory.mktemp("by_day"))
    select = "key:bronze/slot_telemetry or key:silver/slot_telemetry"
    with short_lived() as instance:
        for days in ((WEEK[0], WEEK[0]), (WEEK[0], dt.date(2025, 3, 8))):
            run_days(settings, days, now=NOW, instance=instance, select=select)
        yield settings, instance


@pytest.mark.slow
def test_every_run_stores_results_with_their_day(
    one_by_one: tuple[Settings, dg.DagsterInstance],
) -> None:
    """No result of a day is left planned, which the UI shows as skipped, and none is outdated."""
    _, instance = one_by_one
    for name in ("contract", "conservation", "sessions_balance"):
        key = dg.AssetCheckKey(KEY, name)
        storage = instance.event_log_storage
        infos = storage.get_asset_check_partition_info([key])
        told = {i.partition_key: (i.latest_execution_status.value, i.is_current) for i in infos}
        assert {k: v for k, v in told.items() if k} == {
            "2025-03-07": ("SUCCEEDED", True),
            "2025-03-08": ("SUCCEEDED", True),
        }
        records = storage.get_asset_check_execution_history(key, limit=20)
        of_the_day_run = [r for r in records if r.run_id == records[-1].run_id]
        assert [(r.partition, r.status.value) for r in of_the_day_run] == [
            ("2025-03-07", "SUCCEEDED")
        ]


@pytest.mark.slow
def test_results_name_what_they_judged_without_a_query_for_each(
    one_by_one: tuple[Settings, dg.DagsterInstance], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day's own, as the sums of a range, name the newest materialisation; Dagster's own look-ups,
    one for each result, are not asked."""
    settings, instance = one_by_one
    asked: list[str] = []
    for days in ("partitioned", "unpartitioned"):
        name = f"_get_{days}_target_materialization_data"
        assert hasattr(dg.AssetCheckResult, name)
        monkeypatch.setattr(dg.AssetCheckResult, name, lambda *_, name=name: asked.append(name))
    select = "key:silver/slot_telemetry"
    for days in ((WEEK[0], WEEK[0]), (WEEK[0], dt.date(2025, 3, 8))):
        [run] = run_days(settings, days, now=NOW, instance=instance, select=select).run_ids
        made = [
            r.storage_id
            for r in instance.fetch_materializations(KEY, limit=5).records
            if r.run_id == run
        ]
        records = instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(KEY, "contract"), limit=5
        )
        targets = [
            (r.evaluation.partition, r.evaluation.target_materialization_data.storage_id)
            for r in records
            if r.run_id == run and r.evaluation
        ]
        of_days = {day: number for day, number in targets if day}
        assert sorted(of_days.values()) == sorted(made)
        assert [number for day, number in targets if not day] == [max(made)] * (len(made) > 1)
    assert asked == []


@pytest.mark.slow
def test_bytes_and_rows_of_a_range_are_told_once(
    one_by_one: tuple[Settings, dg.DagsterInstance],
) -> None:
    settings, instance = one_by_one
    records = instance.fetch_materializations(KEY, limit=2).records
    told = {str(r.partition_key): r.asset_materialization.metadata for r in records}
    stored = Lake.open(settings).partitions("silver", "slot_telemetry")
    sizes = {str(day): size for day, size in stored.select("gaming_day", "bytes").iter_rows()}
    assert {day: said["bytes"].value for day, said in told.items()} == sizes
    assert [day for day, said in told.items() if "dagster/row_count" in said] == ["2025-03-08"]
    assert told["2025-03-08"]["table_bytes"].value == sum(sizes.values())


@pytest.mark.slow
def test_checks_executed_alone_judge_only_days_with_data(
    one_by_one: tuple[Settings, dg.DagsterInstance],
) -> None:
    settings, instance = one_by_one
    defs = assemble(settings, lake=LakeResource.of(settings))
    job = defs.resolve_job_def("gaming_day").get_subset(
        asset_selection=set(), asset_check_selection={BALANCE}
    )
    done = job.execute_in_process(instance=instance)
    told = [e.partition for e in done.get_asset_check_evaluations()]
    assert told == ["2025-03-07", "2025-03-08"]


@pytest.mark.slow
def test_the_day_that_is_not_there_by_ten_is_open(
    one_by_one: tuple[Settings, dg.DagsterInstance],
) -> None:
    """The newest gaming day is of March; the clock stands in June."""
    settings, instance = one_by_one
    defs = assemble(settings, lake=LakeResource.of(settings))
    tags = {"dagster/partition": "2025-05-31"}
    job = defs.resolve_job_def("freshness")
    done = job.execute_in_process(instance=instance, tags=tags)
    [said] = done.get_asset_check_evaluations()
    assert (said.partition, said.passed) == ("2025-05-31", False)
