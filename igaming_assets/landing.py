"""Landed files as bronze assets, and the sensor that asks for the days they touch."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from igaming_assets.assets import Run, retried_if_transient, run_of, table_options
from igaming_assets.checks import report
from igaming_assets.describe import CODE_VERSION
from igaming_assets.partitions import gaming_days, key_of
from igaming_assets.resources import Clock, LakeResource
from lakehouse.contracts import contracts
from lakehouse.ingest.conservation import conservation
from lakehouse.ingest.ledger import read_ledger
from lakehouse.ingest.peek import touched_days
from lakehouse.ingest.run import ingest
from lakehouse.ingest.zone import REJECTED, LandedFile, alone, find_files, landing_zone
from lakehouse.settings import Settings
from lakehouse.steps import bronze_rows, each_day
from lakehouse.storage import Commit, Lake

EVERY_FILE = "every_landed_file_was_read"
EVERY_ROW = "every_landed_row_is_kept"


def landed_tables(settings: Settings) -> list[str]:
    """Tables that take files: those whose source is the landing zone, alone or too."""
    return [t for t in contracts("source") if settings.source_of(t) != "simulator"]


def landed_bronze(settings: Settings, table: str) -> dg.AssetsDefinition:
    """Bronze of a table that takes files. Materialising any day takes in all that has landed;
    rows that are there are not written again, so that no file that lands meanwhile is lost."""
    key = dg.AssetKey(["bronze", table])
    files = dg.AssetCheckSpec(
        EVERY_FILE, asset=key, description="No file of the table lies among the rejected ones."
    )
    rows = dg.AssetCheckSpec(
        EVERY_ROW,
        asset=key,
        description="Rows in files = bronze + quarantine, in the ledger and in the tables.",
    )

    @dg.asset(**table_options(settings, "bronze", table, check_specs=[files, rows]))
    def bronze(context: dg.AssetExecutionContext) -> Iterator[Any]:
        run = run_of(context)
        with retried_if_transient():
            taken = ingest(
                run.lake, run.settings, as_of=run.now, tables=[table], tell=context.log.info
            )
            if run.settings.source_of(table) == "both":
                _simulate(context, run, table)
            yield dg.MaterializeResult(metadata=_metadata(run, table, len(taken.outcomes)))
            for spec, verdict in ((files, _files_read(run, table)), (rows, _rows_kept(run, table))):
                yield report(context, spec, {key_of(day): verdict for day in each_day(run.days)})

    return bronze


def _simulate(context: dg.AssetExecutionContext, run: Run, table: str) -> None:
    """The simulator's rows of the days, beside the landed ones, while nothing else lands."""
    world = context.resources.simulator
    commit = Commit(context.run.run_id, f"bronze/{table}", CODE_VERSION)
    with alone(landing_zone(run.lake), run.settings.wait_seconds, context.log.info):
        rows = bronze_rows(
            run.lake,
            run.settings,
            table,
            run.days,
            lambda name, days: world.world(run.settings).rows(name, days),
            run.now,
        )
        run.lake.write_days("bronze", table, rows, run.days, commit=commit)


def _metadata(run: Run, table: str, files: int) -> dict[str, Any]:
    stored = dict(run.lake.partitions("bronze", table).select("gaming_day", "rows").iter_rows())
    return {
        "dagster/uri": run.lake.uri("bronze", table),
        "dagster/table_name": f"bronze.{table}",
        "dagster/row_count": sum(stored.values()),
        "dagster/partition_row_count": sum(stored.get(d, 0) for d in each_day(run.days)),
        "files": files,
    }


def _files_read(run: Run, table: str) -> tuple[bool, dict[str, Any]]:
    folder = landing_zone(run.lake) / REJECTED / table
    reasons = sorted(folder.rglob("*.reason.txt")) if folder.is_dir() else []
    said = [p.read_text(encoding="utf-8").strip() for p in reasons[:20]]
    return not reasons, {"rejected": len(reasons), "reasons": "; ".join(said)}


def _rows_kept(run: Run, table: str) -> tuple[bool, dict[str, Any]]:
    found = conservation(run.lake, table)
    return found.holds, {
        "ledger_bronze": found.said_bronze,
        "bronze": found.bronze,
        "ledger_quarantine": found.said_quarantine,
        "quarantine": found.quarantine,
    }


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
            days = touched_days(lake.lake, lake.settings, file, now)
            requests += _requests(file, mark, [k for k in map(key_of, days) if k in known])
        return dg.SensorResult(run_requests=requests, cursor=json.dumps(there, sort_keys=True))

    return landing


def _unread(lake: Lake, tables: list[str], now: dt.datetime) -> Iterator[tuple[LandedFile, str]]:
    """Complete files that the ledger does not know, and those that are no files at all."""
    zone = landing_zone(lake)
    found, ledger = find_files(zone, now), read_ledger(lake)
    refused = [_as_file(zone, path) for path, _ in found.refused]
    for file in (*found.ready, *refused):
        if file.table in tables and not ledger.has_seen(file):
            yield file, f"{file.size_bytes}:{file.modified_ns}"


def _as_file(zone: Path, path: Path) -> LandedFile:
    stat, name = path.lstat(), path.relative_to(zone).as_posix()
    return LandedFile(path, name.split("/")[0], name, stat.st_size, stat.st_mtime_ns)


def _requests(file: LandedFile, mark: str, keys: list[str]) -> list[dg.RunRequest]:
    return [
        dg.RunRequest(
            run_key=f"landed:{file.name}:{mark}:{key}",
            partition_key=key,
            asset_selection=[dg.AssetKey(["bronze", file.table])],
            tags={"landed_file": file.name},
        )
        for key in keys
    ]
