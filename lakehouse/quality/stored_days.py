"""Which gaming days a table holds rows of."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.storage import Lake


def rows_held(lake: Lake, layer: str, table: str) -> dict[dt.date, int]:
    """Rows by gaming day, out of the log where it tells them: of a table in one piece, out of
    its rows."""
    stored = lake.partitions(layer, table)
    if stored["gaming_day"].null_count():
        days = lake.scan(layer, table, columns=["gaming_day"]).drop_nulls()
        stored = days.group_by("gaming_day").agg(rows=pl.len()).collect()
    return dict(stored.select("gaming_day", "rows").iter_rows())


def days_with_rows(lake: Lake, layer: str, table: str) -> set[dt.date]:
    return {day for day, rows in rows_held(lake, layer, table).items() if rows}
