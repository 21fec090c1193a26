"""Late data: which days are derived and judged again by themselves as what they rest on changed."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster_shared.record import copy

from igaming_assets.partitions import keys_of_run

LOOKBACK = dt.timedelta(days=30)
"""How old a gaming day may be and still be derived again by itself when its bronze changes."""


class InTurn(dg.AutomationCondition[Any]):
    """All of the operands, each looked at only of the days that those before it leave, and none
    where nothing is asked for: nine looks of ten. For conditions that keep nothing between looks.
    """

    def __init__(self, *operands: dg.AutomationCondition[Any]) -> None:
        self.operands = operands

    @property
    def name(self) -> str:
        return "in_turn"

    @property
    def children(self) -> Sequence[dg.AutomationCondition[Any]]:
        return self.operands

    async def evaluate(  # type: ignore[override]  # Dagster awaits it, as it does its own
        self, context: dg.AutomationContext[Any]
    ) -> dg.AutomationResult[Any]:
        left, results = context.candidate_subset, []
        for n, operand in enumerate(self.operands):
            if left.is_empty:
                break
            found = await context.for_child_condition(operand, [n], left).evaluate_async()
            results.append(found)
            left = left.compute_intersection(found.true_subset)
        return dg.AutomationResult(context, left, child_results=results)


class DayIsFree(dg.AutomationCondition[Any]):
    """No run is at work on the day, and none was since this look began.

    Dagster takes what it knows of tables at the beginning of a look, and what is in progress as it
    comes to each: a table that is made in between seems to be neither new nor in progress, and
    would be asked for again, with all that follows from it.
    """

    @property
    def name(self) -> str:
        return "day_is_free"

    def evaluate(self, context: dg.AutomationContext[Any]) -> dg.AutomationResult[Any]:
        asked, instance = context.candidate_subset, context.asset_graph_view.instance
        keys = asked.expensively_compute_partition_keys()
        free = but_at_work(keys, instance, context.evaluation_time)
        return dg.AutomationResult(context, asked.compute_intersection_with_partition_keys(free))


def but_at_work(
    keys: Iterable[str],
    instance: dg.DagsterInstance,
    since: dt.datetime | None = None,
    work: Callable[[dg.DagsterRun], bool] | None = None,
) -> set[str]:
    """The days that no run is at work on, nor was one that ended after `since`; of all runs, or of
    those that do a kind of `work`."""
    runs = [*instance.get_runs(dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES)))]
    if since is not None:
        runs += instance.get_runs(dg.RunsFilter(updated_after=since))
    runs = [run for run in runs if work is None or work(run)]
    at_work = [days for run in runs if (days := keys_of_run(run.tags))]
    return {k for k in keys if not any(first <= k <= last for first, last in at_work)}


def late_data() -> dg.AutomationCondition[Any]:
    """As Dagster's eager, but for old days too: eager alone looks at the newest partition only."""
    condition = dg.AutomationCondition
    changed = condition.newly_missing() | condition.any_deps_updated()
    return (
        condition.in_latest_time_window(lookback_delta=LOOKBACK)
        & changed.since_last_handled()
        & _whole()
    ).with_label("late_data")


def late_check() -> dg.AutomationCondition[Any]:
    """As late_data, for checks across tables. A day whose table was made again lacks its check
    until it is asked for: to Dagster a check that ran for any day has been handled for all."""
    condition = dg.AutomationCondition
    asked = condition.newly_requested() | condition.initial_evaluation()
    lacks = condition.newly_missing().since(asked) & condition.missing()
    return (
        condition.in_latest_time_window(lookback_delta=LOOKBACK)
        & (lacks | condition.any_deps_updated().since_last_handled())
        & _whole()
    ).with_label("late_check")


def _whole() -> InTurn:
    """Nothing that the day rests on is missing or being made: by a backfill, which has no run of
    the day for as long as its others take, or by a run."""
    condition = dg.AutomationCondition
    backfill = condition.backfill_in_progress()
    return InTurn(
        ~condition.any_deps_missing(),
        ~(backfill | condition.any_deps_match(backfill)),
        DayIsFree(),
    )


class LateDataSensor(dg.AutomationConditionSensorDefinition):
    """Dagster's, which keeps why it asked for something, and not of every condition why it did not:
    ten megabytes of history a look, which are never purged."""

    def evaluate_tick(self, context: dg.SensorEvaluationContext) -> SensorExecutionData:
        look = super().evaluate_tick(context)
        asked = [e for e in look.automation_condition_evaluations if not e.true_subset.is_empty]
        return copy(look, automation_condition_evaluations=asked)


def late_data_sensor() -> dg.AutomationConditionSensorDefinition:
    with warnings.catch_warnings(category=dg.BetaWarning, action="ignore"):
        return LateDataSensor(
            "late_data",
            target=dg.AssetSelection.all(),
            minimum_interval_seconds=60,
            default_status=dg.DefaultSensorStatus.STOPPED,
            use_user_code_server=True,  # the house's own condition is known there alone
            description="Derives a day again, and judges it, when its bronze changed: up to "
            f"{LOOKBACK.days} days back, only what follows from the change, and once no run is "
            "at work on the day.",
        )
