"""What runs by itself once it is turned on: late data of old days, and nothing else."""

import datetime as dt

import dagster as dg
import pytest

from igaming_assets.automation import LOOKBACK, late_data

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


def report(instance: dg.DagsterInstance, asset: str, day: str) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=day))


def test_only_the_old_day_that_changed_is_made_again(defs: dg.Definitions) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
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
    with dg.DagsterInstance.ephemeral() as instance:
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
