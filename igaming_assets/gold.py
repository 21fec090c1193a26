"""Gold and the restricted zone: one asset per declared mart."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import dagster as dg

from igaming_assets.assets import step_of, table_asset
from igaming_assets.checks import at_once, judged_at_once, spec_of
from igaming_assets.describe import column_lineage
from igaming_assets.failing import but_stale, retried_if_transient
from igaming_assets.gold_plots import PLOTS
from igaming_assets.late_data import late_data
from lakehouse.errors import Damaged
from lakehouse.gold.marts import Mart, marts_of
from lakehouse.pipeline.marts import made
from lakehouse.quality.results import Check
from lakehouse.settings import Settings
from lakehouse.storage import Portion


def mart_assets(settings: Settings, every: Sequence[Check]) -> list[dg.AssetsDefinition]:
    """All marts, each after those that it reads."""
    return [_mart(settings, mart, every) for mart in marts_of(settings).values()]


def _mart(settings: Settings, mart: Mart, every: Sequence[Check]) -> dg.AssetsDefinition:
    mine = at_once(every, mart.layer, mart.name)
    inputs = [(i.layer, i.table) for i in mart.reads(settings)]
    lineage = column_lineage(mart.layer, mart.name, inputs)
    plot = PLOTS.get(mart.name)

    @table_asset(
        settings,
        mart.layer,
        mart.name,
        group=mart.group,
        code=[mart.function],
        deps=[dg.AssetKey(table) for table in inputs],
        check_specs=[spec_of(settings, check) for check in mine],
        automation_condition=late_data(),
    )
    def derived(context: dg.AssetExecutionContext) -> Iterator[Any]:
        step = step_of(context)
        stale: dict[dt.date, Damaged] = {}

        written: set[dt.date] = set()

        def portions() -> Iterator[Portion]:
            done = made(
                mart, step.lake, step.settings, step.days, as_of=step.as_of, asked=step.asked
            )
            for portion in but_stale(context, done, stale):
                written.update(portion.marks)
                yield portion
                del portion  # not in memory beside the next one
            stored = step.lake.scan(mart.layer, mart.name, days=step.days)
            drawn = {} if plot is None else plot(stored)
            context.add_asset_metadata(
                {"dagster/column_lineage": lineage, **drawn}, partition_key=step.days[1].isoformat()
            )

        with retried_if_transient():
            yield dg.Output(portions())
            yield from judged_at_once(context, step.lake, step.days, mine, stale, written)

    return derived
