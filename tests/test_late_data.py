"""Late data is derived once no run is at work on its day: what a run makes in the middle of a look
is asked for by nobody else."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from benchmarks.instances import short_lived
from igaming_assets.assembly import assemble
from igaming_assets.late_data import late_check, late_data
from lakehouse.settings import Settings

pytestmark = [
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
    pytest.mark.filterwarnings("ignore::dagster.PreviewWarning"),
]
DAYS = dg.DailyPartitionsDefinition("2025-01-01", end_offset=1)
BRONZE, SECOND, SILVER = map(dg.AssetKey, ("bronze", "second", "silver"))
EVEN = dg.AssetCheckKey(SILVER, "even")
Asked = dict[dg.AssetKey | dg.AssetCheckKey, set[str]]
TODAY = dt.datetime.now(dt.UTC).date()
DAY, OTHER, YOUNG = (str(TODAY - dt.timedelta(days=n)) for n in (3, 5, 2))


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    @dg.asset(partitions_def=DAYS)
    def bronze() -> None: ...

    @dg.asset(partitions_def=DAYS)
    def second() -> None: ...

    @dg.asset(partitions_def=DAYS, deps=[bronze, second], automation_condition=late_data())
    def silver() -> None: ...

    @dg.asset_check(asset=silver, partitions_def=DAYS, automation_condition=late_check())
    def even() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    judge = dg.define_asset_job("judge", selection=dg.AssetSelection.checks(even))
    return dg.Definitions(assets=[bronze, second, silver], asset_checks=[even], jobs=[judge])


def _looked_at(result: dg.AutomationResult[Any]) -> Iterator[str | None]:
    yield result.condition.name
    for below in result.child_results:
        yield from _looked_at(below)


class Looks:
    """Looks of the sensor at an instance, one after the other. Dagster holds a look's time against
    those of events, so that a look may be said to have begun earlier than it did."""

    def __init__(self, defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
        self.defs, self.instance = defs, instance
        self._cursor: Any = None
        self.looked_at: set[str | None] = set()
        """Conditions that the last look came to."""

    def made(self, asset: dg.AssetKey, *days: str) -> None:
        for day in days:
            event = dg.AssetMaterialization(asset, partition=day)
            self.instance.report_runless_asset_event(event)

    def judged(self, *days: str) -> None:
        job = self.defs.resolve_job_def("judge")
        for day in days:
            tags = {"dagster/partition": day}
            assert job.execute_in_process(instance=self.instance, tags=tags).success

    def run(self, **tags: str) -> dg.DagsterRun:
        """One that has begun."""
        given = {f"dagster/{name}": day for name, day in tags.items()}
        run = dg.DagsterRun("day", tags=given, status=dg.DagsterRunStatus.STARTED)
        return self.instance.add_run(run)

    def backfill(self, asset: dg.AssetKey, day: str) -> PartitionBackfill:
        """One that was asked for, and has no run yet."""
        asked = PartitionBackfill.from_asset_partitions(
            "month",
            asset_graph=self.defs.resolve_asset_graph(),
            partition_names=[day],
            asset_selection=[asset],
            backfill_timestamp=dt.datetime.now(dt.UTC).timestamp(),
            tags={},
            dynamic_partitions_store=self.instance,
            all_partitions=False,
            title=None,
            description=None,
            run_config=None,
        )
        self.instance.add_backfill(asked)
        return asked

    def ends(self, run: dg.DagsterRun) -> None:
        self.instance.report_run_failed(run)

    def asked(self, began: dt.timedelta = dt.timedelta()) -> Asked:
        """What a look asks for that began so long ago."""
        look = dg.evaluate_automation_conditions(
            self.defs,
            instance=self.instance,
            cursor=self._cursor,
            evaluation_time=dt.datetime.now(dt.UTC) - began,
        )
        self._cursor = look.cursor
        self.looked_at = {name for r in look.results for name in _looked_at(r)}
        found = {
            r.key: set(r.true_subset.expensively_compute_partition_keys()) for r in look.results
        }
        return {key: days for key, days in found.items() if days}


@pytest.fixture
def looks(defs: dg.Definitions) -> Iterator[Looks]:
    """Two days are made and judged, and seen so."""
    with short_lived() as instance:
        made = Looks(defs, instance)
        made.asked()
        made.made(BRONZE, DAY, OTHER)
        made.made(SECOND, DAY, OTHER)
        made.made(SILVER, DAY, OTHER)
        made.judged(DAY, OTHER)
        assert made.asked() == {}
        yield made


@pytest.mark.parametrize(
    "tags",
    [
        {"partition": DAY},
        {"asset_partition_range_start": OTHER, "asset_partition_range_end": str(TODAY)},
    ],
    ids=["a day", "a range"],
)
def test_a_day_that_a_run_is_at_work_on_waits_for_its_end(
    looks: Looks, tags: dict[str, str]
) -> None:
    run = looks.run(**tags)
    looks.made(BRONZE, DAY)
    assert looks.asked() == {}
    looks.ends(run)
    assert looks.asked()[SILVER] == {DAY}


@pytest.mark.parametrize("asset", [BRONZE, SILVER])
def test_a_day_that_a_backfill_comes_to_waits_for_it(looks: Looks, asset: dg.AssetKey) -> None:
    backfill = looks.backfill(asset, DAY)
    looks.made(BRONZE, OTHER)
    looks.made(BRONZE, DAY)
    assert looks.asked()[SILVER] == {OTHER}
    ended = backfill._replace(status=BulkActionStatus.COMPLETED_SUCCESS)
    looks.instance.update_backfill(ended)
    assert looks.asked()[SILVER] == {DAY}


def test_a_day_waits_until_all_that_it_rests_on_is_there(looks: Looks) -> None:
    looks.made(SECOND, YOUNG)
    assert looks.asked() == {}
    looks.made(BRONZE, YOUNG)
    assert looks.asked()[SILVER] == {YOUNG}


def test_what_was_wiped_is_made_again(looks: Looks) -> None:
    looks.instance.wipe_assets([SILVER])
    assert looks.asked()[SILVER] == {DAY, OTHER}


def test_what_a_day_rests_on_is_looked_at_where_it_is_asked_for(looks: Looks) -> None:
    """All looks are of all days, and most find nothing."""
    looks.made(BRONZE, DAY)
    looks.asked()
    assert "day_is_free" in looks.looked_at
    assert looks.asked() == {}
    assert "in_turn" in looks.looked_at
    assert "day_is_free" not in looks.looked_at


@pytest.mark.parametrize("tags", [{"partition": OTHER}, {}, {"partition": f"{OTHER}-14:00"}])
def test_work_on_another_day_holds_up_nothing(looks: Looks, tags: dict[str, str]) -> None:
    looks.run(**tags)
    looks.made(BRONZE, DAY)
    assert looks.asked()[SILVER] == {DAY}


def test_what_a_run_made_itself_is_not_asked_for(looks: Looks) -> None:
    run = looks.run(partition=DAY)
    looks.made(BRONZE, DAY)
    assert looks.asked() == {}
    looks.made(SILVER, DAY)
    looks.judged(DAY)
    looks.ends(run)
    assert looks.asked() == {}


def test_a_run_that_ends_during_a_look_is_at_work_in_it(looks: Looks) -> None:
    """What Dagster knows of tables is of the look's beginning."""
    run = looks.run(partition=DAY)
    looks.made(BRONZE, DAY)
    looks.ends(run)
    assert looks.asked(began=dt.timedelta(minutes=1)) == {}
    assert looks.asked()[SILVER] == {DAY}


def test_a_check_that_a_run_has_still_to_judge_is_not_asked_for_at_its_end(looks: Looks) -> None:
    run = looks.run(partition=DAY)
    looks.made(SILVER, DAY)
    assert looks.asked() == {}
    looks.judged(DAY)
    looks.ends(run)
    assert looks.asked() == {}


def test_a_check_that_nobody_judged_is_asked_for(looks: Looks) -> None:
    run = looks.run(partition=DAY)
    looks.made(SILVER, DAY)
    assert looks.asked() == {}
    looks.ends(run)
    assert looks.asked() == {EVEN: {DAY}}


@pytest.mark.slow
def test_the_house_is_looked_at_where_its_condition_is_known(tmp_path: Path) -> None:
    settings = Settings(root=str(tmp_path / "lake"), start=dt.date.fromisoformat(DAY))
    repository = assemble(settings).get_repository_def()
    sensor = repository.get_sensor_def("late_data")
    changed = dg.AssetKey(["bronze", "financial_txn"])
    with short_lived() as instance:

        def asked(cursor: str | None) -> tuple[set[dg.AssetKey], str | None]:
            with dg.build_sensor_context(
                instance, cursor=cursor, repository_def=repository
            ) as context:
                look = sensor.evaluate_tick(context)
            requests = look.run_requests or []
            assert {r.partition_key for r in requests} <= {DAY}
            tables = {key for r in requests for key in r.asset_selection or ()}
            checks = {key for r in requests for key in r.asset_check_keys or ()}
            # Dagster keeps why, and of what is not asked for nothing.
            told = {e.key for e in look.automation_condition_evaluations}
            assert tables <= told <= tables | checks
            return tables, look.cursor

        _, cursor = asked(None)
        for key in repository.asset_graph.materializable_asset_keys:
            instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=DAY))
        _, cursor = asked(cursor)
        instance.report_runless_asset_event(dg.AssetMaterialization(changed, partition=DAY))
        found, _ = asked(cursor)
        assert dg.AssetKey(["silver", "financial_txn"]) in found
        assert dg.AssetKey(["silver", "slot_telemetry"]) not in found
        tags = {"dagster/partition": DAY}
        instance.add_run(dg.DagsterRun("day", tags=tags, status=dg.DagsterRunStatus.STARTED))
        assert asked(cursor)[0] == set()
