"""The shop by the hour: a job whose partitions are hours, and its schedule.

Tables are stored by gaming day, so an hour is made by bringing the shop's part of its gaming day
in line with bronze: rows of the other hours come out as they were.
"""

import datetime as dt

import dagster as dg

from igaming_assets.describe import CODE_VERSION
from igaming_assets.resources import Clock, LakeResource
from lakehouse.gold.marts import marts_of
from lakehouse.gold.shop.shop_hours import HOUR
from lakehouse.pipeline.hours import SHOP_SOURCES, derive_hours
from lakehouse.regulation.gaming_day import day_bounds
from lakehouse.settings import Settings
from lakehouse.storage import Commit

MART = "shop_hours"


def hours_of(settings: Settings) -> dg.HourlyPartitionsDefinition:
    """From the opening of the lake's first gaming day on, by the clock of UTC."""
    opens, _ = day_bounds(settings.start, settings.timezone)
    return dg.HourlyPartitionsDefinition(start_date=opens.replace(tzinfo=None), timezone="UTC")


def has_hours(settings: Settings) -> bool:
    return MART in marts_of(settings) and all(map(settings.has, SHOP_SOURCES))


def shop_hour_job(settings: Settings) -> dg.JobDefinition:
    """The hour's job; one run at a time may write a gaming day, and a second waits for it."""

    @dg.op
    def derive_hour(context: dg.OpExecutionContext, lake: LakeResource, clock: Clock) -> None:
        """Brings silver and `shop_hours` of the hour's gaming day in line with bronze."""
        begins = context.partition_time_window.start.astimezone(dt.UTC)
        commit = Commit(context.run_id, f"gold/{MART}", CODE_VERSION)
        row = derive_hours(lake.lake, lake.settings, begins, as_of=clock.now(), commit=commit)
        said = "nothing happened" if row is None else f"{row['transactions']} sales"
        context.log.info(f"{begins:%Y-%m-%d %H}:00 to {begins + HOUR:%H}:00 UTC: {said}")

    @dg.job(
        name="shop_hour",
        partitions_def=hours_of(settings),
        executor_def=dg.in_process_executor,
        description="The shop's tables of an hour, bronze to gold.",
    )
    def job() -> None:
        derive_hour()

    return job


def shop_hour_schedule(job: dg.JobDefinition) -> dg.ScheduleDefinition:
    """The hour that has closed, at twenty past: its batch comes five minutes after the hour."""
    made = dg.build_schedule_from_partitioned_job(
        job,
        name="shop_hour",
        minute_of_hour=20,
        description="The shop's hour that has closed, every hour.",
    )
    assert isinstance(made, dg.ScheduleDefinition)
    return made
