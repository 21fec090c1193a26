"""Frames to and from the lake's tables, by gaming day.

Existing managers do not fit: dagster-polars' Delta manager cannot take a range run, and
dagster-deltalake writes the whole table when a predicate is lost (dagster #34064).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import dagster as dg
import polars as pl

from igaming_assets.describe import CODE_VERSION
from igaming_assets.partitions import days_of
from igaming_assets.resources import LakeResource
from lakehouse.steps import store
from lakehouse.storage import Commit, Days, Lake, Written

CHANGES_BEFORE = "changes_before"


def reads(
    layer: str,
    table: str,
    *,
    back: int = 0,
    ahead: int = 0,
    since: bool = False,
    until: bool = False,
) -> dg.AssetIn:
    """An input: the run's own days, widened by days `back` and `ahead`; with `until` also all
    days before, with `since` also all days after."""
    metadata = {"back": back, "ahead": ahead, "until": until, "since": since}
    return dg.AssetIn(key=dg.AssetKey([layer, table]), metadata=metadata)


class LakeIO(dg.ConfigurableIOManager):
    """Inputs are LazyFrames pruned to days (and, as they are lazy, to the columns used);
    outputs are frames that replace the run's days in one commit."""

    lake: LakeResource

    def load_input(self, context: dg.InputContext) -> pl.LazyFrame:
        layer, table = context.asset_key.path
        days = _window(context)
        return self.lake.lake.scan(layer, table, days=days)

    def handle_output(self, context: dg.OutputContext, obj: pl.LazyFrame | pl.DataFrame) -> None:
        layer, table = context.asset_key.path
        lake, days = self.lake.lake, days_written(context)
        commit = Commit(context.run_id, f"{layer}/{table}", CODE_VERSION)
        written = store(lake, layer, table, obj, days, commit)
        context.add_output_metadata(table_metadata(lake, layer, table, written))
        if layer != "restricted":
            run = days_of(context.asset_partition_key_range)
            add_rows_by_day(context.step_context, written, run)


def table_metadata(lake: Lake, layer: str, table: str, written: Written) -> dict[str, Any]:
    """What a write made. Of restricted tables only where and which version: that a case
    exists may not be told (31 U.S.C. 5318(g)(2))."""
    said: dict[str, Any] = {
        "dagster/uri": lake.uri(layer, table),
        "dagster/table_name": f"{layer}.{table}",
        "version": written.version,
        "retries": written.retries,
    }
    if layer != "restricted":
        stored = lake.partitions(layer, table)
        said |= {
            "dagster/row_count": int(stored["rows"].sum()),
            "bytes": int(stored["bytes"].sum()),
            "bytes_of_days": written.bytes,
        }
    return said


def add_rows_by_day(step_context: Any, written: Written, days: Days) -> None:
    """Rows of each day on that day's own materialisation, in range runs too."""
    for day, rows in written.rows_by_day.items():
        if days[0] <= day <= days[1]:
            step_context.add_asset_metadata(
                {"dagster/partition_row_count": rows}, partition_key=day.isoformat()
            )


def days_written(context: dg.OutputContext) -> Days:
    """The run's days, and those before that change with them."""
    first, last = days_of(context.asset_partition_key_range)
    before = int(context.definition_metadata.get(CHANGES_BEFORE, 0))
    return first - dt.timedelta(days=before), last


def _window(context: dg.InputContext) -> Days:
    said = context.definition_metadata
    first, last = days_of(context.asset_partition_key_range)
    back, ahead = (dt.timedelta(days=int(said.get(n, 0))) for n in ("back", "ahead"))
    return (
        dt.date.min if said.get("until") else first - back,
        dt.date.max if said.get("since") else last + ahead,
    )
