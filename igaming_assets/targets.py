"""Which materialisation a check's result is about, without which Dagster takes it for outdated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData as Target,
)

ByDay = dict[str, Target]


class Targets:
    """The newest materialisations of some assets by day: looked up for all of them where a day
    is first asked for. For a step that makes none meanwhile."""

    def __init__(self, assets: Iterable[dg.AssetKey]) -> None:
        self._assets = list(dict.fromkeys(assets))
        self._days: set[dt.date] = set()
        self._known: dict[dg.AssetKey, ByDay] = {}

    def of(
        self, instance: dg.DagsterInstance, asset: dg.AssetKey, days: Collection[dt.date]
    ) -> ByDay:
        """Partition → its newest materialisation, of days that have one."""
        if not self._days.issuperset(days):
            self._days |= set(days)
            self._known = newest_materialisations(instance, self._assets, self._days)
        return self._known.get(asset, {})


def newest_materialisations(
    instance: dg.DagsterInstance, assets: Sequence[dg.AssetKey], days: Collection[dt.date]
) -> dict[dg.AssetKey, ByDay]:
    """In one query, of columns alone: Dagster's own asks for each asset, and unpacks the events
    with all that they say."""
    # The database of events is opened by a run; definitions are imported without it.
    from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
    from sqlalchemy import func, select

    storage: Any = instance.event_log_storage
    events = SqlEventLogStorageTable.c
    newest = (
        select(func.max(events.id))
        .where(
            events.asset_key.in_([asset.to_string() for asset in assets]),
            events.dagster_event_type == dg.DagsterEventType.ASSET_MATERIALIZATION.value,
            events.partition.between(str(min(days)), str(max(days))),
        )
        .group_by(events.asset_key, events.partition)
    )
    wiped = storage._get_assets_details(assets)
    newest = storage._add_assets_wipe_filter_to_query(newest, wiped, assets)
    told = (events.asset_key, events.partition, events.run_id, events.id, events.timestamp)
    with storage.index_connection() as index:
        rows = index.execute(select(*told).where(events.id.in_(newest))).fetchall()
    found: dict[dg.AssetKey, ByDay] = {asset: {} for asset in assets}
    named = {asset.to_string(): days for asset, days in found.items()}
    for asset, partition, run_id, number, at in rows:
        moment = at.replace(tzinfo=dt.UTC).timestamp()
        named[asset][partition] = Target(storage_id=number, run_id=run_id, timestamp=moment)
    return found
