"""Everything of the code location put together, with room for a test's own resources."""

from __future__ import annotations

import datetime as dt
import os
import warnings
from collections.abc import Collection
from typing import Any

import dagster as dg

from igaming_assets.alerting import alerts_sensor, fraud_sensor, live_sensor
from igaming_assets.automation import (
    failed_runs_sensor,
    fraud_job,
    freshness_job,
    gaming_day_job,
    maintenance_job,
    schedules,
)
from igaming_assets.bronze import bronze_assets, plants_asset, vault_asset
from igaming_assets.check_ledger import LEDGER, CheckLedger
from igaming_assets.checks import (
    declared,
    every_check_alone,
    key_of_check,
    steps_of_checks,
)
from igaming_assets.derived import derived_check, underived_sensor
from igaming_assets.gold import mart_assets
from igaming_assets.io import LakeIO
from igaming_assets.landing import landing_sensor
from igaming_assets.late_data import late_data_sensor
from igaming_assets.partitions import leaving_out
from igaming_assets.published import published_assets
from igaming_assets.resources import Clock, LakeResource, Simulator
from igaming_assets.shop_hour import has_hours, shop_hour_job, shop_hour_schedule
from igaming_assets.silver import silver_assets
from igaming_assets.streamed import closed_hours_sensor
from igaming_assets.watching import monitor_sensor
from lakehouse.errors import BadInput
from lakehouse.quality.results import Check
from lakehouse.settings import Settings
from lakehouse.storage import Days

_EXECUTORS = {
    "in_process": dg.in_process_executor,
    "multiprocess": dg.multiprocess_executor,
}


def chosen_executor() -> dg.ExecutorDefinition:
    """One process per run by default: a process per step costs more than the steps do. Those
    with a cluster set LAKEHOUSE_EXECUTOR."""
    name = os.environ.get("LAKEHOUSE_EXECUTOR", "in_process")
    if name not in _EXECUTORS:
        raise BadInput(f"LAKEHOUSE_EXECUTOR {name!r}; allowed: {', '.join(_EXECUTORS)}")
    return _EXECUTORS[name]


def assemble(
    settings: Settings,
    *,
    executor: dg.ExecutorDefinition | None = None,
    but: Collection[dt.date] = (),
    **resources: Any,
) -> dg.Definitions:
    """All definitions for a lake, with the days `but` left out of its partitions;
    `resources` replace those of the same name. Raises BadInput for a lake without the floor, on
    whose day of the property the checks of a whole day stand."""
    if "floor" not in settings.domains:
        raise BadInput(f"domains {', '.join(settings.domains)}: floor is always among them")
    with warnings.catch_warnings(), leaving_out(but):
        # Backfill policies are what a month in a minute hangs on; they are in beta since 2023.
        warnings.simplefilter("ignore", dg.BetaWarning)
        every = declared(settings)
        assets = [
            *bronze_assets(settings, every),
            plants_asset(settings, every),
            vault_asset(settings, every),
            *silver_assets(settings, every),
            *mart_assets(settings, every),
            *published_assets(settings),
        ]
        checks = [*steps_of_checks(settings, every), derived_check(settings, every)]
    sensors = (
        late_data_sensor(),
        underived_sensor(settings),
        landing_sensor(settings),
        closed_hours_sensor(settings),
        failed_runs_sensor(settings),
        alerts_sensor(settings),
        fraud_sensor(settings) if settings.has("fraud_alerts") else None,
        live_sensor(settings),
        monitor_sensor(settings),
    )
    watch = fraud_job(settings)
    of_fraud = [] if watch is None else [watch]
    by_hour = [shop_hour_job(settings)] if has_hours(settings) else []
    return dg.Definitions(
        assets=assets,
        asset_checks=checks,
        jobs=[gaming_day_job, freshness_job, maintenance_job, *of_fraud, *by_hour],
        schedules=[*schedules(settings), *map(shop_hour_schedule, by_hour)],
        sensors=[s for s in sensors if s is not None],
        executor=executor or chosen_executor(),
        resources=_resources(resources),
    )


def checks_alone(
    settings: Settings, asked: Collection[Check], days: Days | None, **resources: Any
) -> dg.JobDefinition:
    """A job that judges what is stored, of these days or of all, and writes no table but that
    of the results: the same checks by the same names, each on its own asset."""
    step = every_check_alone(settings, days)
    everything = dg.AssetSelection.all_asset_checks()
    defs = dg.Definitions(
        asset_checks=[step],
        jobs=[dg.define_asset_job("checks", selection=everything)],
        executor=dg.in_process_executor,
        resources=_resources(resources),
    )
    keys = {key_of_check(check) for check in asked}
    job = defs.resolve_job_def("checks")
    return job.get_subset(asset_selection=frozenset(), asset_check_selection=keys)


def _resources(given: dict[str, Any]) -> dict[str, Any]:
    """Those that are needed, each as given or by default."""
    lake, clock = given.get("lake") or LakeResource(), given.get("clock") or Clock()
    made = {
        "lake": lake,
        "lake_io": LakeIO(lake=lake),
        "clock": clock,
        "simulator": Simulator(),
        LEDGER: CheckLedger(lake=lake, clock=clock),
    }
    return made | given
