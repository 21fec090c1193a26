"""Which gaming days a table holds rows of."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.storage import Lake
from lakehouse.storage.listing import rows_of_days


def rows_held(lake: Lake, layer: str, table: str) -> dict[dt.date, int]:
    """Rows by gaming day, out of the log where it tells them: of a table in one piece, out of
    its rows."""
    files = lake.data_files(layer, table)
    if all(file.day is not None for file in files):
        return rows_of_days(files)
    days = lake.scan(layer, table, columns=["gaming_day"]).drop_nulls()
    return dict(days.group_by("gaming_day").agg(rows=pl.len()).collect().iter_rows())


def days_with_rows(lake: Lake, layer: str, table: str) -> set[dt.date]:
    return {day for day, rows in rows_held(lake, layer, table).items() if rows}
