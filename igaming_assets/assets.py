"""How every table of the lake is an asset: one step that writes its days, then judges them."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from igaming_assets.check_ledger import LEDGER
from igaming_assets.describe import asset_options
from igaming_assets.interruption import Retries
from igaming_assets.partitions import asked_of, backfill_policy, days_of, gaming_days
from lakehouse.pipeline.bronze import known_until
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake

RESOURCES = {"lake", "clock", "simulator", LEDGER}
RETRIES = Retries(max_retries=2, delay=1, backoff=dg.Backoff.EXPONENTIAL)
Body = Callable[[dg.AssetExecutionContext], Iterator[Any]]


@dataclass(frozen=True)
class Step:
    """What a step knows of the run it is in."""

    days: Days
    asked: Sequence[dt.date]
    """The days of the run, which may have others between them."""
    settings: Settings
    lake: Lake
    now: dt.datetime

    @property
    def as_of(self) -> dt.datetime:
        """Up to when the lake can judge."""
        return known_until(self.lake, self.days, self.settings.timezone, self.now)


def step_of(context: dg.AssetExecutionContext) -> Step:
    resource = context.resources.lake
    days = days_of(context.partition_key_range)
    asked = asked_of(context.run.tags, days)
    return Step(days, asked, resource.settings, resource.lake, context.resources.clock.now())


def table_asset(
    settings: Settings,
    layer: str,
    table: str,
    *,
    group: str | None = None,
    code: Sequence[Any] = (),
    **more: Any,
) -> Callable[[Body], dg.AssetsDefinition]:
    """Makes the decorated step the asset of a table, with what all assets of the lake have in
    common. `more` goes to Dagster as it is."""
    decorated: Callable[[Body], dg.AssetsDefinition] = dg.asset(
        **asset_options(layer, table, group=group, code=code),
        partitions_def=gaming_days(settings),
        backfill_policy=backfill_policy(),
        retry_policy=RETRIES,
        io_manager_key="lake_io",
        required_resource_keys=RESOURCES,
        **more,
    )
    return decorated
