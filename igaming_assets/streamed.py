"""Bronze that topics fill: seen by its asset and not written, and the sensor of its hours."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from igaming_assets.assets import Step, step_of, table_asset
from igaming_assets.checks import at_once, judged_at_once, spec_of
from igaming_assets.describe import told
from igaming_assets.failing import retried_if_transient
from igaming_assets.partitions import gaming_days, key_of
from igaming_assets.resources import Clock, LakeResource
from lakehouse.contracts import contract
from lakehouse.ingest.streams.hours import closed
from lakehouse.ingest.streams.status import status
from lakehouse.ingest.streams.transport import transport
from lakehouse.pipeline.derivation import Table
from lakehouse.pipeline.marts import derivations
from lakehouse.quality.results import Check
from lakehouse.regulation.gaming_day import each_day
from lakehouse.settings import Settings
from lakehouse.storage import Lake
from lakehouse.storage.marks import digest


def streamed_bronze(settings: Settings, table: str, every: Sequence[Check]) -> dg.AssetsDefinition:
    """Bronze of a table that `lakehouse stream run` fills: a run looks at what is there, says how
    far it is, and judges it; rows come at any time."""
    mine = at_once(every, "bronze", table)
    specs = [spec_of(settings, check) for check in mine]

    @table_asset(settings, "bronze", table, check_specs=specs)
    def bronze(context: dg.AssetExecutionContext) -> Iterator[Any]:
        step = step_of(context)
        with retried_if_transient():
            yield dg.MaterializeResult(metadata=_of_days(step, table))
            yield from judged_at_once(context, step.lake, step.days, mine)

    return bronze


def _of_days(step: Step, table: str) -> dict[str, Any]:
    stored = _rows(step.lake, table)
    own = {"dagster/partition_row_count": sum(stored.get(d, 0) for d in each_day(step.days))}
    said = _said(step.lake, step.settings, table, step.now)
    place = {"dagster/uri": step.lake.uri("bronze", table), "dagster/table_name": f"bronze.{table}"}
    return place | told(table, said | own)


def _rows(lake: Lake, table: str) -> dict[dt.date, int]:
    return dict(lake.partitions("bronze", table).select("gaming_day", "rows").iter_rows())


def _said(lake: Lake, settings: Settings, table: str, now: dt.datetime) -> dict[str, Any]:
    """Rows, and of the topic, once somebody made it, how far it is in the lake."""
    said: dict[str, Any] = {"dagster/row_count": sum(_rows(lake, table).values())}
    topic, place = contract(table).topic, transport(settings)
    if topic not in place.topics():
        return said
    found = status(lake, place, {topic: table}, now)
    offsets = dict(zip(map(str, found["partition"]), found["in_lake"], strict=True))
    more = {"lag": int(found["lag"].sum()), "rejected": int(found["rejected"].sum())}
    return said | more | {"last_offsets": offsets}


def closed_hours_sensor(settings: Settings) -> dg.SensorDefinition | None:
    """Derives the gaming day of an hour that has closed, and days that events came late for; null
    where no topic fills a table."""
    tables = settings.streamed()
    if not tables:
        return None
    follows = {t: _downstream(settings, t) for t in tables}

    @dg.sensor(
        name="closed_hours",
        target=sorted({key for keys in follows.values() for key in keys}),
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Derives, as its hours close, the gaming day of events that come by topics, "
        "and days that events came late for; observes how far topics are in the lake.",
    )
    def closed_hours(
        context: dg.SensorEvaluationContext, lake: LakeResource, clock: Clock
    ) -> dg.SensorResult:
        now, opened = clock.now(), lake.lake
        before: dict[str, Any] = json.loads(context.cursor or "{}")
        known = set(gaming_days(settings).get_partition_keys(current_time=now))
        seen: dict[str, Any] = {}
        due: dict[str, dict[str, str]] = {}
        observed = []
        for table in tables:
            version = opened.version("bronze", table)
            was = before.get(table, {})
            if version is not None and version != was.get("version"):
                observed.append(_observed(opened, lake.settings, table, now))
            found = closed(opened, table, now, settings.timezone)
            tokens = {key_of(d): t for d, t in (found.tokens if found else {}).items()}
            for key in (
                k for k, t in tokens.items() if k in known and was.get("days", {}).get(k) != t
            ):
                due.setdefault(key, {})[table] = tokens[key]
            seen[table] = {"version": version, "days": tokens}
        return dg.SensorResult(
            run_requests=[_request(key, changed, follows) for key, changed in sorted(due.items())],
            asset_events=observed,
            cursor=json.dumps(seen, sort_keys=True),
        )

    return closed_hours


def _request(
    key: str, changed: Mapping[str, str], follows: Mapping[str, list[dg.AssetKey]]
) -> dg.RunRequest:
    mark = digest(*(f"{table} {token}" for table, token in sorted(changed.items())))
    selected = sorted({asset for table in changed for asset in follows[table]})
    return dg.RunRequest(f"hours:{key}:{mark}", partition_key=key, asset_selection=selected)


def _observed(lake: Lake, settings: Settings, table: str, now: dt.datetime) -> dg.AssetObservation:
    said = _said(lake, settings, table, now)
    return dg.AssetObservation(dg.AssetKey(["bronze", table]), metadata=told(table, said))


def _downstream(settings: Settings, table: str) -> list[dg.AssetKey]:
    """Bronze of a table and all that is derived from it."""
    found: set[Table] = {("bronze", table)}
    for made, inputs in derivations(settings).items():
        if found & set(inputs):
            found.add(made)
    return sorted(dg.AssetKey(list(t)) for t in found)
