"""Late data: which days are derived and judged again by themselves as what they rest on changed."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterable
from typing import Any

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from igaming_assets.partitions import keys_of_run

LOOKBACK = dt.timedelta(days=30)
"""How old a gaming day may be and still be derived again by itself when its bronze changes."""


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
        if not asked.is_empty:
            free = but_at_work(
                asked.expensively_compute_partition_keys(), instance, context.evaluation_time
            )
            asked = asked.compute_intersection_with_partition_keys(free)
        return dg.AutomationResult(context, asked)


def but_at_work(
    keys: Iterable[str], instance: dg.DagsterInstance, since: dt.datetime | None = None
) -> set[str]:
    """The days that no run is at work on, nor was one that ended after `since`."""
    runs = [*instance.get_runs(dg.RunsFilter(statuses=list(NOT_FINISHED_STATUSES)))]
    if since is not None:
        runs += instance.get_runs(dg.RunsFilter(updated_after=since))
    at_work = [days for run in runs if (days := keys_of_run(run.tags))]
    return {k for k in keys if not any(first <= k <= last for first, last in at_work)}


def late_data() -> dg.AutomationCondition[Any]:
    """As eager, but for old days too: eager alone looks at the newest partition only."""
    eager = dg.AutomationCondition.eager().replace(
        "in_latest_time_window",
        dg.AutomationCondition.in_latest_time_window(lookback_delta=LOOKBACK),
    )
    return eager & DayIsFree()


def late_check() -> dg.AutomationCondition[Any]:
    """As late_data, for checks across tables. A day whose table was made again lacks its check
    until it is asked for: to Dagster a check that ran for any day has been handled for all."""
    condition = dg.AutomationCondition
    asked = condition.newly_requested() | condition.initial_evaluation()
    lacks = condition.newly_missing().since(asked) & condition.missing()
    return (
        condition.in_latest_time_window(lookback_delta=LOOKBACK)
        & (lacks | condition.any_deps_updated().since_last_handled())
        & ~condition.any_deps_missing()
        & ~condition.any_deps_in_progress()
        & ~condition.in_progress()
        & DayIsFree()
    ).with_label("late_check")


def late_data_sensor() -> dg.AutomationConditionSensorDefinition:
    with warnings.catch_warnings(category=dg.BetaWarning, action="ignore"):
        return dg.AutomationConditionSensorDefinition(
            "late_data",
            target=dg.AssetSelection.all(),
            default_status=dg.DefaultSensorStatus.STOPPED,
            use_user_code_server=True,  # the house's own condition is known there alone
            description="Derives a day again, and judges it, when its bronze changed: up to "
            f"{LOOKBACK.days} days back, only what follows from the change, and once no run is "
            "at work on the day.",
        )
