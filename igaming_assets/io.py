"""Frames to and from the lake's tables, by gaming day.

Existing managers do not fit: dagster-polars' Delta manager cannot take a range run, and
dagster-deltalake writes the whole table when a predicate is lost (dagster #34064).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dagster as dg
import polars as pl

from igaming_assets.describe import CODE_VERSION, told
from igaming_assets.partitions import days_of
from igaming_assets.resources import LakeResource
from lakehouse.contracts import contract
from lakehouse.steps import store
from lakehouse.storage import Commit, Days, Lake, Written


@dataclass(frozen=True)
class Replacing:
    """An output that replaces other days than the run's: these."""

    rows: pl.DataFrame
    days: Days


class LakeIO(dg.ConfigurableIOManager):
    """Inputs are LazyFrames pruned to days (and, as they are lazy, to the columns used);
    outputs are frames that replace the run's days in one commit."""

    lake: LakeResource

    def load_input(self, context: dg.InputContext) -> pl.LazyFrame:
        layer, table = context.asset_key.path
        days = days_of(context.asset_partition_key_range)
        return self.lake.lake.scan(layer, table, days=days)

    def handle_output(self, context: dg.OutputContext, obj: pl.DataFrame | Replacing) -> None:
        layer, table = context.asset_key.path
        lake, run = self.lake.lake, days_of(context.asset_partition_key_range)
        rows, days = (obj.rows, obj.days) if isinstance(obj, Replacing) else (obj, run)
        commit = Commit(context.run_id, f"{layer}/{table}", CODE_VERSION)
        written = store(lake, layer, table, rows, days, commit)
        context.add_output_metadata(table_metadata(lake, layer, table, written))
        if contract(table).is_countable:
            add_rows_by_day(context.step_context, written, run)


def table_metadata(lake: Lake, layer: str, table: str, written: Written) -> dict[str, Any]:
    """What a write made; of restricted tables only where."""
    stored = lake.partitions(layer, table)
    said = {
        "version": written.version,
        "retries": written.retries,
        "dagster/row_count": int(stored["rows"].sum()),
        "bytes": int(stored["bytes"].sum()),
        "bytes_written_by_run": written.bytes,
    }
    place = {"dagster/uri": lake.uri(layer, table), "dagster/table_name": f"{layer}.{table}"}
    return place | told(table, said)


def add_rows_by_day(step_context: Any, written: Written, days: Days) -> None:
    """Rows of each day on that day's own materialisation, in range runs too."""
    for day, rows in written.rows_by_day.items():
        if days[0] <= day <= days[1]:
            step_context.add_asset_metadata(
                {"dagster/partition_row_count": rows}, partition_key=day.isoformat()
            )
