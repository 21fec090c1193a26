"""Silver: one asset per contract, which also writes the table's quarantine and duplicates."""

import datetime as dt
import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
import polars as pl

from igaming_assets.assets import Step, step_of, table_asset
from igaming_assets.checks import at_once, judged_at_once, rows_by_rule, spec_of
from igaming_assets.describe import CODE_VERSION, column_lineage, told
from igaming_assets.failing import but_stale, retried_if_transient
from igaming_assets.late_data import late_data
from igaming_assets.partitions import is_asked
from igaming_assets.plots import bars
from lakehouse.errors import Damaged
from lakehouse.pipeline.derivation import marks_of
from lakehouse.pipeline.marts import silver_inputs
from lakehouse.pipeline.silver import clean_days, rejects_by_rule, store_rejects
from lakehouse.quality.results import Check
from lakehouse.regulation.gaming_day import each_day
from lakehouse.settings import Settings
from lakehouse.silver import CleanResult, clean
from lakehouse.storage import (
    ROWS_IN_HAND,
    Commit,
    Days,
    Portion,
    Read,
    as_far_as_sound,
    portions,
    sound,
)


def silver_assets(settings: Settings, every: Sequence[Check]) -> list[dg.AssetsDefinition]:
    return [_silver(settings, table, every) for table in settings.tables("source")]


def _silver(settings: Settings, table: str, every: Sequence[Check]) -> dg.AssetsDefinition:
    mine = at_once(every, "silver", table)
    inputs = silver_inputs(settings, table)

    @table_asset(
        settings,
        "silver",
        table,
        code=[clean],
        deps=[dg.AssetKey(given) for given in inputs],
        check_specs=[spec_of(settings, check) for check in mine],
        automation_condition=late_data(),
    )
    def silver(context: dg.AssetExecutionContext) -> Iterator[Any]:
        step = step_of(context)
        lake, days = step.lake, step.days
        stale: dict[dt.date, Damaged] = {}

        def rows() -> Iterator[Portion]:
            # Before the rows are read: what comes in meanwhile is still to be derived.
            known = {given: lake.tokens(*given) for given in inputs}
            commit = Commit(context.run.run_id, f"silver/{table}", CODE_VERSION)
            rejected = []
            clean = functools.partial(_cleaned, step, table)
            made = as_far_as_sound(
                portions(lake, days, ("bronze", table), most=ROWS_IN_HAND), clean
            )
            for piece, result in but_stale(context, made, stale):
                _tell_rejects(context, table, store_rejects(lake, table, result, piece, commit))
                rejected.append(rejects_by_rule(result.quarantined))
                there = set(step.asked).union(*known.values())
                mine = [day for day in each_day(piece) if day in there]
                yield Portion(piece, result.good, marks_of(known, mine))
                del result  # not in memory beside the next one
            context.add_asset_metadata(
                _rejects(table, pl.concat(rejected)), partition_key=days[1].isoformat()
            )

        # Topics bring rows at any time: what is cleaned is what its checks count.
        with retried_if_transient(), lake.steady("bronze", table):
            yield dg.Output(rows())
            yield from judged_at_once(context, lake, days, mine, stale)

    return silver


def _cleaned(step: Step, table: str, days: Days) -> tuple[Days, CleanResult]:
    bronze, *parents = silver_inputs(step.settings, table)
    with sound(step.lake, [Read(*bronze, days), *(Read(*parent) for parent in parents)]):
        return days, clean_days(step.lake, step.settings, table, days)


def _tell_rejects(
    context: dg.AssetExecutionContext, table: str, aside: Mapping[str, Mapping[dt.date, int]]
) -> None:
    for day in aside["quarantined"]:
        if not is_asked(context.run.tags, day):
            continue
        counted = told(table, {name: rows.get(day, 0) for name, rows in aside.items()})
        if counted:
            context.add_asset_metadata(counted, partition_key=day.isoformat())


def _rejects(table: str, by_day: pl.DataFrame) -> dict[str, Any]:
    rules = rows_by_rule(by_day)
    drawn = [(rule or "unnamed", float(rows), str(rows)) for rule, rows in rules]
    lineage = {"dagster/column_lineage": column_lineage("silver", table, [("bronze", table)])}
    return lineage | told(table, {"rejects_by_rule": bars(f"Rejects of {table} by rule", drawn)})
