"""Jobs, schedules and automation. All of them are off until somebody turns them on."""

import datetime as dt
import functools
from zoneinfo import ZoneInfo

import dagster as dg

from igaming_assets.partitions import key_of
from igaming_assets.resources import LakeResource
from lakehouse.contracts import contract
from lakehouse.regulation.gaming_day import gaming_day_of
from lakehouse.settings import Settings
from lakehouse.storage import maintain

LOOKBACK = dt.timedelta(days=30)
"""How old a gaming day may be and still be derived again by itself when its bronze changes."""

gaming_day_job = dg.define_asset_job(
    "gaming_day",
    selection=dg.AssetSelection.all(),
    description="All tables of a gaming day, bronze to gold, with their checks.",
)


def late_data() -> dg.AutomationCondition:
    """As eager, but for old days too: eager alone looks at the newest partition only."""
    return dg.AutomationCondition.eager().replace(
        "in_latest_time_window",
        dg.AutomationCondition.in_latest_time_window(lookback_delta=LOOKBACK),
    )


@functools.cache
def freshness(timezone: str) -> dg.FreshnessPolicy:
    """Yesterday's gaming day is there by ten in the morning, property time. One policy for
    all assets: Dagster walks through a year of its deadlines to make one."""
    return dg.FreshnessPolicy.cron(
        deadline_cron="0 10 * * *", lower_bound_delta=dt.timedelta(hours=4), timezone=timezone
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
    """The closed day in the morning, the open day every hour, maintenance on Monday."""
    zone = settings.timezone

    def request(moment: dt.datetime, back: int) -> dg.RunRequest:
        day = gaming_day_of(moment.astimezone(ZoneInfo(zone)), zone) - dt.timedelta(days=back)
        # One run per day and hour, so that a tick that comes twice starts one.
        run_key = f"{key_of(day)}@{moment.astimezone(dt.UTC):%Y%m%d%H}"
        return dg.RunRequest(run_key=run_key, partition_key=key_of(day))

    @dg.schedule(
        name="closed_day", job=gaming_day_job, cron_schedule="15 7 * * *", execution_timezone=zone
    )
    def closed_day(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        """All tables of the gaming day that closed at 06:00."""
        return request(context.scheduled_execution_time, back=1)

    @dg.schedule(
        name="open_day", job=gaming_day_job, cron_schedule="5 * * * *", execution_timezone=zone
    )
    def open_day(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        """All tables of the gaming day under way, as far as it is known."""
        return request(context.scheduled_execution_time, back=0)

    weekly = dg.ScheduleDefinition(
        name="weekly_maintenance",
        job=maintenance_job,
        cron_schedule="0 5 * * 1",
        execution_timezone=zone,
    )
    return [closed_day, open_day, weekly]


def late_data_sensor() -> dg.AutomationConditionSensorDefinition:
    """Derives a day again when its bronze changed."""
    return dg.AutomationConditionSensorDefinition(
        "late_data",
        target=dg.AssetSelection.all(),
        default_status=dg.DefaultSensorStatus.STOPPED,
    )
