"""Gold and the restricted zone: one asset per declared mart."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from igaming_assets.assets import retried_if_transient, run_of, table_options
from igaming_assets.automation import freshness, late_data
from igaming_assets.checks import contract_spec, contract_verdicts, report
from igaming_assets.gold_plots import PLOTS
from igaming_assets.io import Replacing
from lakehouse.gold.marts import Mart, marts
from lakehouse.pipeline import made
from lakehouse.settings import Settings


def mart_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """All marts, each after those that it reads."""
    return [_mart(settings, mart) for mart in marts().values()]


def _mart(settings: Settings, mart: Mart) -> dg.AssetsDefinition:
    spec = contract_spec(dg.AssetKey([mart.layer, mart.name]))
    plot = PLOTS.get(mart.name)

    @dg.asset(
        **table_options(
            settings,
            mart.layer,
            mart.name,
            group=mart.group,
            deps=[dg.AssetKey([i.layer, i.table]) for i in mart.reads(settings)],
            check_specs=[spec],
            automation_condition=late_data(),
            freshness_policy=freshness(settings.timezone),
        )
    )
    def derived(context: dg.AssetExecutionContext) -> Iterator[Any]:
        run = run_of(context)
        with retried_if_transient():
            done = made(mart, run.lake, run.settings, run.days, as_of=run.as_of)
            if plot is not None:
                last = run.days[1].isoformat()
                context.add_asset_metadata(plot(done.rows), partition_key=last)
            yield dg.Output(Replacing(done.rows, done.days))
            verdicts = contract_verdicts(run.lake, mart.layer, mart.name, run.days)
            yield report(context, spec, verdicts)

    return derived
