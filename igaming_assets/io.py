"""Frames to and from the lake's tables, by gaming day.

Existing managers do not fit: dagster-polars' Delta manager cannot take a range run, and
dagster-deltalake writes the whole table when a predicate is lost (dagster #34064).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import dagster as dg
import polars as pl

from igaming_assets.describe import CODE_VERSION, told
from igaming_assets.failing import retried_if_transient
from igaming_assets.partitions import days_of, is_asked
from igaming_assets.resources import LakeResource
from lakehouse.contracts import contract
from lakehouse.storage import Commit, Days, Lake, Portion, Read, Written, sound
from lakehouse.storage.shapes import partition_columns
from lakehouse.storage.written import together


class LakeIO(dg.ConfigurableIOManager):
    """Inputs are LazyFrames pruned to days (and, as they are lazy, to the columns used);
    outputs are portions of days, each replaced in one commit, which tells the marks of what they
    were derived from."""

    lake: LakeResource

    def load_input(self, context: dg.InputContext) -> pl.LazyFrame:
        layer, table = context.asset_key.path
        run = days_of(context.asset_partition_key_range)
        with retried_if_transient():
            return self.lake.lake.scan(layer, table, days=run)

    def handle_output(self, context: dg.OutputContext, obj: Iterable[Portion]) -> None:
        layer, table = context.asset_key.path
        lake, run = self.lake.lake, days_of(context.asset_partition_key_range)
        commit = Commit(context.run_id, f"{layer}/{table}", CODE_VERSION)
        # A table with history is built from what it has, in one piece.
        reads = [] if partition_columns(layer, table) else [Read(layer, table)]

        def stored(portion: Portion) -> Written:
            told = commit.deriving(portion.marks)
            return lake.write_days(layer, table, portion.rows, portion.days, commit=told)

        # A portion is let go of before the next is made.
        with retried_if_transient(), sound(lake, reads):
            written = together([*map(stored, obj)])
        context.add_output_metadata(table_metadata(lake, layer, table, written))
        if contract(table).is_countable:
            add_sizes_by_day(context.step_context, lake.partitions(layer, table), written, run)


def table_metadata(lake: Lake, layer: str, table: str, written: Written) -> dict[str, Any]:
    """What a write made; of restricted tables only where."""
    place = {"dagster/uri": lake.uri(layer, table), "dagster/table_name": f"{layer}.{table}"}
    return place | told(table, {"version": written.version, "retries": written.retries})


def add_sizes_by_day(step_context: Any, stored: pl.DataFrame, written: Written, days: Days) -> None:
    """Rows and bytes of each day on that day's own materialisation, in range runs too; those
    of the whole table on the last day's, once."""
    held = {day: size for day, size in stored.select("gaming_day", "bytes").iter_rows()}
    for day, rows in written.rows_by_day.items():
        if days[0] <= day <= days[1] and is_asked(step_context.run_tags, day):
            sizes = {"bytes": held[day]} if day in held else {}
            step_context.add_asset_metadata(
                {"dagster/partition_row_count": rows, **sizes}, partition_key=day.isoformat()
            )
    whole = {
        "dagster/row_count": int(stored["rows"].sum()),
        "table_bytes": int(stored["bytes"].sum()),
        "bytes_written_by_run": sum(held.get(day, 0) for day in written.rows_by_day),
    }
    step_context.add_asset_metadata(whole, partition_key=days[1].isoformat())
