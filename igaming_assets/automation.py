"""Jobs, schedules and automation. All of them are off until somebody turns them on."""

import datetime as dt
import functools
import operator
import shlex
import subprocess
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import (
    UnresolvedAssetJobDefinition,
)
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from igaming_assets.late_data import LOOKBACK, but_at_work
from igaming_assets.partitions import key_of, keys_of_run, tags_of
from igaming_assets.resources import LakeResource
from lakehouse.contracts import contract
from lakehouse.errors import LakehouseError
from lakehouse.quality.freshness_checks import owed
from lakehouse.regulation.gaming_day import gaming_day_of, ranges_of
from lakehouse.serve.publish.targets import TARGETS
from lakehouse.settings import Settings
from lakehouse.simulate.kernel.clock import settles_after
from lakehouse.storage import maintain

NOTIFY_SECONDS = 60
IS_THERE = dg.AssetCheckKey(dg.AssetKey(["gold", "property_day"]), "is_there_by_ten")
"""Freshness by the data: a policy of Dagster's looks at when a table was last written, and is
content with a day of years ago that was written today."""

GAMING_DAY, FRAUD_JOB = "gaming_day", "fraud_monitoring"
_PUBLISHED = [dg.AssetSelection.key_prefixes(name) for name in TARGETS]
"""Tables of other databases."""

gaming_day_job = dg.define_asset_job(
    GAMING_DAY,
    selection=dg.AssetSelection.all() - functools.reduce(operator.or_, _PUBLISHED),
    description="All tables of a gaming day, bronze to gold, with their checks.",
)
freshness_job = dg.define_asset_job(
    "freshness",
    selection=dg.AssetSelection.checks(IS_THERE),
    description="Whether a gaming day is in gold.",
)
_WATCHED = ("fraud_analysis", "responsible_gaming")
"""What alerts of fraud in the shop and of protection in online play come to."""


def fraud_job(settings: Settings) -> UnresolvedAssetJobDefinition | None:
    """Null for a lake that has neither."""
    watched = [["gold", name] for name in _WATCHED if settings.has(name)]
    if not watched:
        return None
    return dg.define_asset_job(
        FRAUD_JOB,
        selection=dg.AssetSelection.assets(*watched).upstream(),
        description="Fraud in the shop and signs of harm in online play on a gaming day, judged "
        "again from their events.",
    )


@dg.op
def maintain_tables(context: dg.OpExecutionContext, lake: LakeResource) -> None:
    """Compacts, checkpoints and vacuums every table; seven days of history stay."""
    opened = lake.lake
    for layer, table in opened.stored():
        done = maintain(opened, layer, table)
        counts = (
            f"{done.files_before} files to {done.files_after}, {done.files_removed} removed"
            if contract(table).is_countable
            else "done"
        )
        context.log.info(f"{done.table}: {counts}")


@dg.job(name="maintenance", executor_def=dg.in_process_executor)
def maintenance_job() -> None:
    """Keeps the files of all tables few."""
    maintain_tables()


def schedules(settings: Settings) -> list[dg.ScheduleDefinition]:
    """The closed day in the morning and a look whether it is there, the open day every hour,
    fraud in the shop every quarter of an hour, maintenance on Monday."""
    zone = settings.timezone

    def request(moment: dt.datetime, back: int, each: str = "%Y%m%d%H") -> dg.RunRequest:
        day = gaming_day_of(moment.astimezone(ZoneInfo(zone)), zone) - dt.timedelta(days=back)
        # One run per day and hour, or by `each`, so that a tick that comes twice starts one.
        run_key = f"{key_of(day)}@{moment.astimezone(dt.UTC):{each}}"
        return dg.RunRequest(run_key=run_key, partition_key=key_of(day))

    @dg.schedule(
        name="open_day",
        job=gaming_day_job,
        cron_schedule="5 * * * *",
        execution_timezone=zone,
        description="All tables of the gaming day under way, as far as it is known, every hour.",
    )
    def open_day(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        asked = request(context.scheduled_execution_time, back=0)
        return _under_way(context.instance, str(asked.partition_key)) or asked

    @dg.schedule(
        name="is_there_by_ten",
        job=freshness_job,
        cron_schedule="0 10 * * *",
        execution_timezone=zone,
        description="Whether the gaming day that closed at 06:00 is in gold, at ten.",
    )
    def is_there_by_ten(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        asked = request(context.scheduled_execution_time, back=1)
        # A job of checks alone has no partitions, and takes its day as a tag.
        return dg.RunRequest(asked.run_key, tags={"dagster/partition": str(asked.partition_key)})

    weekly = dg.ScheduleDefinition(
        name="weekly_maintenance",
        job=maintenance_job,
        cron_schedule="0 5 * * 1",
        execution_timezone=zone,
        description="Few files and short logs: all tables compacted and vacuumed on Mondays.",
    )

    daily = [_closed_day(settings, request), open_day, is_there_by_ten, weekly]
    return [*daily, _fraud_schedule(zone, request)] if fraud_job(settings) else daily


def _closed_day(settings: Settings, request: Callable[..., dg.RunRequest]) -> dg.ScheduleDefinition:
    @dg.schedule(
        name="closed_day",
        job=gaming_day_job,
        cron_schedule="15 7 * * *",
        execution_timezone=settings.timezone,
        description="All tables of the gaming day that closed at 06:00, every morning, and of the "
        f"simulated days of the {LOOKBACK.days} before it that were not made since the last of "
        "their late rows came.",
    )
    def closed_day(
        context: dg.ScheduleEvaluationContext, lake: LakeResource
    ) -> list[dg.RunRequest] | dg.SkipReason:
        newest = request(context.scheduled_execution_time, back=1)
        key = str(newest.partition_key)
        day = dt.date.fromisoformat(key)
        before = day - LOOKBACK, day - dt.timedelta(days=1)
        late = owed(lake.lake, settings, before, settles_after(faults=settings.faults))
        free = but_at_work(map(key_of, late), context.instance, work=_makes_bronze)
        asked = [
            dg.RunRequest(f"{first}..{last}@{newest.run_key}", tags=tags_of((first, last)))
            for first, last in ranges_of(map(dt.date.fromisoformat, free))
        ]
        reason = _under_way(context.instance, key)
        return reason if reason and not asked else asked + ([] if reason else [newest])

    return closed_day


def _fraud_schedule(zone: str, request: Callable[..., dg.RunRequest]) -> dg.ScheduleDefinition:
    @dg.schedule(
        name="fraud_every_quarter",
        job_name=FRAUD_JOB,
        cron_schedule="*/15 * * * *",
        execution_timezone=zone,
        description="Judges the shop's orders of the gaming day under way for fraud, and online "
        "play for signs of harm, every 15 minutes.",
    )
    def fraud_every_quarter(
        context: dg.ScheduleEvaluationContext,
    ) -> dg.RunRequest | dg.SkipReason:
        asked = request(context.scheduled_execution_time, 0, "%Y%m%d%H%M")
        key = str(asked.partition_key)
        waits = (_under_way(context.instance, key, name) for name in (GAMING_DAY, FRAUD_JOB))
        return next((reason for reason in waits if reason), asked)

    return fraud_every_quarter


def _makes_bronze(run: dg.DagsterRun) -> bool:
    """Not the look whether a day is there, nor what is derived again of a day as it is."""
    if run.asset_selection is None:
        return run.job_name == GAMING_DAY
    return any(key.path[0] == "bronze" for key in run.asset_selection)


def _under_way(
    instance: dg.DagsterInstance,
    key: str,
    job: str = GAMING_DAY,
) -> dg.SkipReason | None:
    """Why a day is not asked for again: a run of all the job's tables has not ended."""
    unfinished = dg.RunsFilter(
        job_name=job,
        statuses=NOT_FINISHED_STATUSES,
        tags={"dagster/partition": key},
    )
    for run in instance.get_runs(unfinished):
        if run.asset_selection is None:
            return dg.SkipReason(f"{key} is under way in run {run.run_id[:8]}")
    return None


def failed_runs_sensor(settings: Settings) -> dg.SensorDefinition:
    @dg.run_failure_sensor(
        name="failed_runs",
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Says in one line which run failed, and gives the line to the command of the "
        "setting on_failure.",
    )
    def failed_runs(context: dg.RunFailureSensorContext) -> None:
        line = failure_line(context)
        context.log.error(line)
        if settings.on_failure:
            notify(settings.on_failure, line)

    return failed_runs


def failure_line(context: dg.RunFailureSensorContext) -> str:
    """Run, days and the first cause of each step that failed."""
    run, tags = context.dagster_run, context.dagster_run.tags
    keys = keys_of_run(tags)
    days = f" of {' to '.join(sorted({*keys}))}" if keys else ""
    causes = [
        f"{e.step_key}: {first_cause(e.step_failure_data.error)}"
        for e in context.get_step_failure_events()
    ]
    said = "; ".join(causes) or context.failure_event.message or "no cause is known"
    return " ".join(f"run {run.run_id[:8]}{days} failed: {said}".split())


def first_cause(error: Any) -> str:
    """The first cause of a step's failure, without the class names around it."""
    while error.cause is not None:
        error = error.cause
    said = " ".join(str(error.message).split())
    return said.split(": ", 1)[-1] if said.startswith(("lakehouse.", "dagster.")) else said


def notify(command: str, line: str) -> None:
    """Runs the command with the line on its standard input. Raises LakehouseError where that
    fails: a message that went nowhere must be seen."""
    try:
        subprocess.run(
            shlex.split(command),
            input=line + "\n",
            text=True,
            check=True,
            timeout=NOTIFY_SECONDS,
            capture_output=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise LakehouseError(f"on_failure {command!r} did not work: {error}") from error
