"""Frames to and from the lake's tables, by gaming day.

Existing managers do not fit: dagster-polars' Delta manager cannot take a range run, and
dagster-deltalake writes the whole table when a predicate is lost (dagster #34064).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import dagster as dg
import polars as pl
from pydantic import PrivateAttr

from igaming_assets.describe import CODE_VERSION
from igaming_assets.partitions import days_of
from igaming_assets.resources import LakeResource
from lakehouse.derived import Table, marks_of
from lakehouse.steps import each_day, store
from lakehouse.storage import Commit, Days, Lake, Tokens, Written

FOREVER = 36_500
"""Days: further than any lake reaches."""


@dataclass(frozen=True)
class Replacing:
    """An output that replaces other days than the run's: these."""

    rows: pl.DataFrame
    days: Days


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
    outputs are frames that replace the run's days in one commit, which tells the marks of what
    they were derived from."""

    lake: LakeResource
    _read: dict[tuple[str, str], dict[Table, Tokens]] = PrivateAttr(default_factory=dict)

    def load_input(self, context: dg.InputContext) -> pl.LazyFrame:
        layer, table = context.asset_key.path
        frame, known = self.lake.lake.scan_known(layer, table, _window(context))
        step = context.step_context
        read = self._read.setdefault((step.run_id, step.step.key), {})
        read[layer, table] = known
        for other in inputs_of(step) - read.keys():
            read[other] = self.lake.lake.tokens(*other)
        return frame

    def handle_output(self, context: dg.OutputContext, obj: pl.DataFrame | Replacing) -> None:
        layer, table = context.asset_key.path
        lake, run = self.lake.lake, days_of(context.asset_partition_key_range)
        rows, days = (obj.rows, obj.days) if isinstance(obj, Replacing) else (obj, run)
        read = self._read.pop((context.run_id, context.step_key), {})
        marks = marks_of(read, each_day(run)) if read else {}
        commit = Commit(context.run_id, f"{layer}/{table}", CODE_VERSION, marks)
        written = store(lake, layer, table, rows, days, commit)
        context.add_output_metadata(table_metadata(lake, layer, table, written))
        if layer != "restricted":
            add_rows_by_day(context.step_context, written, run)


def inputs_of(step: Any) -> set[Table]:
    """All tables that the step's asset is derived from, those that it opens itself too."""
    made = step.job_def.asset_layer.get_assets_def_for_node(step.node_handle)
    return {(p.path[0], p.path[1]) for deps in made.asset_deps.values() for p in deps}


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
            "bytes_written_by_run": written.bytes,
        }
    return said


def add_rows_by_day(step_context: Any, written: Written, days: Days) -> None:
    """Rows of each day on that day's own materialisation, in range runs too."""
    for day, rows in written.rows_by_day.items():
        if days[0] <= day <= days[1]:
            step_context.add_asset_metadata(
                {"dagster/partition_row_count": rows}, partition_key=day.isoformat()
            )


def widened(given: dg.AssetIn, before: int, after: int) -> dg.AssetIn:
    """The input for a table that is written on so many more days around the run's."""
    said = dict(given.metadata or {})
    wider = {"back": said["back"] + before, "ahead": said["ahead"] + after}
    return dg.AssetIn(key=given.key, metadata=said | wider)


def _window(context: dg.InputContext) -> Days:
    said = context.definition_metadata
    first, last = days_of(context.asset_partition_key_range)
    back, ahead = (int(said.get(n, 0)) for n in ("back", "ahead"))
    every_before = said.get("until") or back >= FOREVER
    every_after = said.get("since") or ahead >= FOREVER
    return (
        dt.date.min if every_before else first - dt.timedelta(days=back),
        dt.date.max if every_after else last + dt.timedelta(days=ahead),
    )
