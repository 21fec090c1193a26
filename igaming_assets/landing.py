"""Landed files as bronze assets, and the sensor that asks for the days they touch."""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from igaming_assets.assets import Step, step_of, table_asset
from igaming_assets.checks import at_once, judged_at_once, spec_of
from igaming_assets.describe import CODE_VERSION, told
from igaming_assets.failing import retried_if_transient
from igaming_assets.partitions import gaming_days, key_of
from igaming_assets.resources import Clock, LakeResource
from lakehouse.contracts import door_of, is_closed, stored_as
from lakehouse.ingest.files.ledger import read_ledger
from lakehouse.ingest.files.mapping import PROFILE
from lakehouse.ingest.files.minimal import tables_with
from lakehouse.ingest.files.peek import touched_days
from lakehouse.ingest.files.run import ingest
from lakehouse.ingest.files.zone import (
    LandedFile,
    alone,
    find_files,
    landing_zone,
    refused_file,
)
from lakehouse.pipeline.bronze import bronze_rows, simulated_portions
from lakehouse.quality.landing_checks import landed_tables
from lakehouse.quality.results import Check
from lakehouse.regulation.gaming_day import each_day, gaming_day_of
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Lake


def landed_bronze(settings: Settings, table: str, every: Sequence[Check]) -> dg.AssetsDefinition:
    """Bronze of a table that takes files. Materialising any day takes in all that has landed;
    rows that are there are not written again, so that no file that lands meanwhile is lost."""
    mine = at_once(every, "bronze", table)
    specs = [spec_of(settings, check) for check in mine]
    # Rows that name a patron bring a profile with them.
    naming = tables_with(settings) if table == PROFILE else []
    deps = [dg.AssetKey(["bronze", name]) for name in naming]

    @table_asset(settings, "bronze", table, deps=deps, check_specs=specs)
    def bronze(context: dg.AssetExecutionContext) -> Iterator[Any]:
        step = step_of(context)
        with retried_if_transient():
            taken = ingest(
                step.lake,
                step.settings,
                as_of=step.now,
                tables=[door_of(table)],
                tell=context.log.info,
            )
            if step.settings.source_of(table) == "both":
                _simulate(context, step, table)
            yield dg.MaterializeResult(metadata=_metadata(step, table, len(taken.outcomes)))
            yield from judged_at_once(context, step.lake, step.days, mine)

    return bronze


def _simulate(context: dg.AssetExecutionContext, step: Step, table: str) -> None:
    """The simulator's rows of the days, beside the landed ones, while nothing else lands."""
    world = context.resources.simulator.world(step.settings)
    commit = Commit(context.run.run_id, f"bronze/{table}", CODE_VERSION)
    with alone(landing_zone(step.lake), step.settings.wait_seconds, context.log.info):
        for days in simulated_portions(step.settings, table, step.days):
            rows = bronze_rows(step.lake, step.settings, table, days, world.rows, step.now)
            step.lake.write_days("bronze", table, rows, days, commit=commit)


def _metadata(step: Step, table: str, files: int) -> dict[str, Any]:
    stored = dict(step.lake.partitions("bronze", table).select("gaming_day", "rows").iter_rows())
    said = {
        "dagster/row_count": sum(stored.values()),
        "dagster/partition_row_count": sum(stored.get(d, 0) for d in each_day(step.days)),
        "files": files,
    }
    place = {"dagster/uri": step.lake.uri("bronze", table), "dagster/table_name": f"bronze.{table}"}
    return place | told(table, said)


def landing_sensor(settings: Settings) -> dg.SensorDefinition | None:
    """Sees new and changed files and requests bronze of just the gaming days they touch; null
    where no table takes files. What is derived from bronze follows by its own conditions."""
    tables = landed_tables(settings)
    if not tables:
        return None

    @dg.sensor(
        name="landing",
        target=[dg.AssetKey(["bronze", t]) for t in tables],
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Requests the gaming days that new and changed files of the landing zone "
        "touch.",
    )
    def landing(
        context: dg.SensorEvaluationContext, lake: LakeResource, clock: Clock
    ) -> dg.SensorResult:
        """Requests the gaming days of files that landed since the last look."""
        now = clock.now()
        asked: dict[str, str] = json.loads(context.cursor or "{}")
        known = set(gaming_days(settings).get_partition_keys(current_time=now))
        requests: list[dg.RunRequest] = []
        there: dict[str, str] = {}
        for file, mark in _unread(lake.lake, tables, now):
            there[file.name] = mark
            if asked.get(file.name) == mark:
                continue
            days = _shown_days(file, touched_days(lake.lake, lake.settings, file, now), lake, now)
            requests += _requests(file, mark, [k for k in map(key_of, days) if k in known])
        return dg.SensorResult(run_requests=requests, cursor=json.dumps(there, sort_keys=True))

    return landing


def _unread(lake: Lake, tables: list[str], now: dt.datetime) -> Iterator[tuple[LandedFile, str]]:
    """Complete files that the ledger does not know, and those that are no files at all."""
    zone = landing_zone(lake)
    found, ledger = find_files(zone, now), read_ledger(lake)
    refused = [refused_file(zone, path) for path, _ in found.refused]
    for file in (*found.ready, *refused):
        if file.table in tables and not ledger.has_seen(file):
            yield file, f"{file.size_bytes}:{file.modified_ns}"


def _shown_days(
    file: LandedFile, days: list[dt.date], lake: LakeResource, now: dt.datetime
) -> list[dt.date]:
    """The days to ask for. Where rows of the file may be restricted, all from its first day to
    the one on which it landed: a day on which no other row came would tell of a SAR."""
    if not is_closed(file.table):
        return days
    landed = gaming_day_of(now, lake.settings.timezone)
    return each_day((min(days), max(landed, *days)))


def _requests(file: LandedFile, mark: str, keys: list[str]) -> list[dg.RunRequest]:
    return [
        dg.RunRequest(
            run_key=f"landed:{file.name}:{mark}:{key}",
            partition_key=key,
            asset_selection=[dg.AssetKey(["bronze", t]) for t in stored_as(file.table)],
            tags={"landed_file": file.name},
        )
        for key in keys
    ]
