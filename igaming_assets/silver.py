"""Silver: one asset per contract, which also writes the table's quarantine and duplicates."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
import polars as pl

from igaming_assets.assets import retried_if_transient, run_of, table_options
from igaming_assets.automation import freshness, late_data
from igaming_assets.checks import (
    conservation_spec,
    conservation_verdicts,
    contract_spec,
    contract_verdicts,
    report,
    rows_by_rule,
)
from igaming_assets.describe import CODE_VERSION, same_columns
from igaming_assets.io import reads
from igaming_assets.plots import bars
from lakehouse.contracts import contract, contracts
from lakehouse.settings import Settings
from lakehouse.steps import clean_days, each_day, rejects_by_rule, store_rejects
from lakehouse.storage import Commit


def silver_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    return [_silver(settings, table) for table in contracts("source")]


def _silver(settings: Settings, table: str) -> dg.AssetsDefinition:
    key = dg.AssetKey(["silver", table])
    whole, kept = contract_spec(key), conservation_spec(key)
    parents = sorted({parent for parent, _ in contract(table).references().values()})

    @dg.asset(
        **table_options(
            settings,
            "silver",
            table,
            ins={"bronze": reads("bronze", table)},
            deps=[dg.AssetKey(["silver", parent]) for parent in parents],
            check_specs=[kept, whole],
            automation_condition=late_data(),
            freshness_policy=freshness(settings.timezone),
        )
    )
    def silver(context: dg.AssetExecutionContext, bronze: pl.LazyFrame) -> Iterator[Any]:
        run = run_of(context)
        lake, days = run.lake, run.days
        with retried_if_transient():
            result = clean_days(lake, run.settings, table, days, bronze=bronze)
            commit = Commit(context.run.run_id, f"silver/{table}", CODE_VERSION)
            quarantine, duplicates = store_rejects(lake, table, result, days, commit)
            said = _rejects(table, result.quarantined)
            context.add_asset_metadata(said, partition_key=days[1].isoformat())
            for day in each_day(days):
                context.add_asset_metadata(
                    {
                        "quarantined": quarantine.rows_by_day.get(day, 0),
                        "duplicates": duplicates.rows_by_day.get(day, 0),
                    },
                    partition_key=day.isoformat(),
                )
            yield dg.Output(result.good)
            yield report(context, kept, conservation_verdicts(lake, table, days))
            yield report(context, whole, contract_verdicts(lake, "silver", table, days))

    return silver


def _rejects(table: str, quarantined: pl.DataFrame) -> dict[str, Any]:
    rules = rows_by_rule(rejects_by_rule(quarantined))
    drawn = [(rule or "unnamed", float(rows), str(rows)) for rule, rows in rules]
    return {
        "dagster/column_lineage": same_columns("silver", table, "bronze"),
        "rejects_by_rule": bars(f"Rejects of {table} by rule", drawn),
    }
