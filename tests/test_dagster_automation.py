"""What runs by itself once it is turned on: late data of old days, and nothing else."""

import datetime as dt
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from benchmarks.instances import short_lived
from igaming_assets.assembly import assemble
from igaming_assets.automation import failed_runs_sensor, failure_line
from igaming_assets.late_data import LOOKBACK, late_data
from igaming_assets.resources import LakeResource
from igaming_assets.running import run_days
from lakehouse.errors import LakehouseError
from lakehouse.quality.truths import TRUTHS
from lakehouse.settings import Settings

pytestmark = pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
DAYS = dg.DailyPartitionsDefinition("2025-01-01", timezone="America/Los_Angeles", hour_offset=6)
NOW = dt.datetime(2025, 3, 1, 20, tzinfo=dt.UTC)


@pytest.fixture
def defs() -> dg.Definitions:
    @dg.asset(partitions_def=DAYS)
    def bronze() -> None: ...

    @dg.asset(partitions_def=DAYS, deps=[bronze], automation_condition=late_data())
    def silver() -> None: ...

    return dg.Definitions(assets=[bronze, silver])


def report(instance: dg.DagsterInstance, asset: str | dg.AssetKey, day: str) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=day))


def test_only_the_old_day_that_changed_is_made_again(defs: dg.Definitions) -> None:
    with short_lived() as instance:
        for day in ("2025-02-10", "2025-02-11", "2025-02-28"):
            report(instance, "bronze", day)
            report(instance, "silver", day)
        first = dg.evaluate_automation_conditions(defs, instance=instance, evaluation_time=NOW)
        report(instance, "bronze", "2025-02-11")
        later = NOW + dt.timedelta(minutes=5)
        second = dg.evaluate_automation_conditions(
            defs, instance=instance, cursor=first.cursor, evaluation_time=later
        )
        assert second.get_requested_partitions(dg.AssetKey("silver")) == {"2025-02-11"}


def test_a_day_beyond_the_lookback_is_left_alone(defs: dg.Definitions) -> None:
    old = (NOW - LOOKBACK - dt.timedelta(days=2)).date().isoformat()
    with short_lived() as instance:
        report(instance, "bronze", old)
        report(instance, "silver", old)
        first = dg.evaluate_automation_conditions(defs, instance=instance, evaluation_time=NOW)
        report(instance, "bronze", old)
        second = dg.evaluate_automation_conditions(
            defs,
            instance=instance,
            cursor=first.cursor,
            evaluation_time=NOW + dt.timedelta(minutes=5),
        )
        assert second.total_requested == 0


FIRST = dt.date(2025, 2, 10)


@pytest.mark.slow
def test_what_changed_late_is_derived_and_judged_once(tmp_path: Path) -> None:
    # Dagster compares a check's own time with that of a look, so looks are in the real future.
    now = dt.datetime.now(dt.UTC)
    first_day = now.date() - dt.timedelta(days=5)
    days, key = (first_day, first_day + dt.timedelta(days=1)), first_day.isoformat()
    settings = Settings(root=str(tmp_path / "lake"), scale=0.02, start=first_day)
    defs = assemble(settings, lake=LakeResource.of(settings))
    with short_lived() as instance:
        first = dg.evaluate_automation_conditions(defs, instance=instance, evaluation_time=now)
        run_days(settings, days, now=now, instance=instance)

        def look(minutes: int, cursor: Any) -> Any:
            later = now + dt.timedelta(minutes=60 + minutes)
            return dg.evaluate_automation_conditions(
                defs, instance=instance, cursor=cursor, evaluation_time=later
            )

        # All was made by somebody else, such as the schedule: nothing is asked for again.
        second = look(5, first.cursor)
        assert second.total_requested == 0
        day = (first_day, first_day)
        run_days(settings, day, now=now, instance=instance, select="key:bronze/financial_txn")
        third = look(10, second.cursor)
        assert third.get_requested_partitions(dg.AssetKey(["silver", "financial_txn"])) == {key}
        for asset in ("silver/financial_txn", "gold/player_day", "gold/property_day"):
            report(instance, dg.AssetKey(asset.split("/")), key)
        fourth = look(15, third.cursor)
        for name, truth in TRUTHS.items():
            if any(t in str(truth.inputs) for t in ("financial_txn", "player_day", "property")):
                shown = dg.AssetKey(truth.inputs[-1].split("."))
                # With its table in one run, or once the table is there.
                asked = [days_of_check(look, shown, name) for look in (third, fourth)]
                assert set.union(*asked) == {key}, name
        slots = dg.AssetKey(["silver", "slot_telemetry"])
        assert days_of_check(fourth, slots, "meters_equal_the_play") == set()
        # Judged for one day, another day that changes is judged all the same.
        run_days(settings, day, now=now, instance=instance, select="key:silver/financial_txn")
        report(instance, dg.AssetKey(["silver", "financial_txn"]), days[1].isoformat())
        fifth = look(20, fourth.cursor)
        cage = dg.AssetKey(["silver", "financial_txn"])
        assert days[1].isoformat() in days_of_check(fifth, cage, "markers_agree")


def days_of_check(evaluated: Any, asset: dg.AssetKey, name: str) -> set[str]:
    [found] = [r for r in evaluated.results if r.key == dg.AssetCheckKey(asset, name)]
    return {key for key in found.true_subset.expensively_compute_partition_keys()}


def failing(tmp_path: Path, command: str | None) -> list[str]:
    """What the sensor says of a failed run."""
    settings = Settings(root=str(tmp_path), start=FIRST, on_failure=command)

    @dg.op
    def breaks() -> None:
        raise dg.Failure("bronze.slots of 2025-02-10: file x is missing", allow_retries=False)

    @dg.job(tags={"dagster/partition": "2025-02-10"})
    def day() -> None:
        breaks()

    with short_lived() as instance:
        done = day.execute_in_process(instance=instance, raise_on_error=False)
        context = dg.build_run_status_sensor_context(
            "failed_runs",
            dagster_instance=instance,
            dagster_run=done.dagster_run,
            dagster_event=done.get_run_failure_event(),
        ).for_run_failure()
        failed_runs_sensor(settings)(context)
        return [failure_line(context)]


def test_a_failed_run_is_told_in_one_line(tmp_path: Path) -> None:
    kept = tmp_path / "told.txt"
    [line] = failing(tmp_path, f"tee {kept}")
    assert line.endswith(
        " of 2025-02-10 failed: breaks: bronze.slots of 2025-02-10: file x is missing"
    )
    assert kept.read_text() == line + "\n"


@pytest.mark.parametrize("command", ["false", "/no/such/program", "'"])
def test_a_notice_that_goes_nowhere_is_an_error(tmp_path: Path, command: str) -> None:
    with pytest.raises(LakehouseError, match="on_failure"):
        failing(tmp_path, command)
