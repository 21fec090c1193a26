"""The data files of a version of a table, as its log lists them. Most tables have one a day, and
steps and checks ask for them by the hundred: plain tuples cost a tenth of a frame's filter."""

from __future__ import annotations

import datetime as dt
import functools
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import polars as pl
from deltalake import DeltaTable

from lakehouse.regulation.gaming_day import Days
from lakehouse.storage.shapes import PARTITION, partition_columns


class DataFile(NamedTuple):
    """`path` lies beneath the table, as a URI has it; `day` is none for a table in one piece, and
    `rows` where the log does not tell them. `written` is in milliseconds since 1970, UTC, by the
    clock of who wrote it."""

    path: str
    day: dt.date | None
    rows: int | None
    bytes: int
    written: int


def listed_files(delta: DeltaTable, layer: str, table: str) -> Sequence[DataFile]:
    """All data files, in order of path."""
    told = delta.get_add_actions(flatten=True)
    names = ("path", "num_records", "size_bytes", "modification_time")
    paths, rows, sizes, written = (told.column(name).to_pylist() for name in names)
    days: Iterable[dt.date | None] = [None] * len(paths)
    if partition_columns(layer, table):
        days = told.column(f"partition.{PARTITION}").to_pylist()
    return sorted(map(DataFile, paths, days, rows, sizes, written), key=lambda file: file.path)


def of_days(files: Sequence[DataFile], days: Days) -> Sequence[DataFile]:
    """Those of some gaming days."""
    return [f for f in files if f.day is not None and days[0] <= f.day <= days[1]]


def rows_of_days(files: Iterable[DataFile]) -> Counter[dt.date]:
    """Rows by gaming day, of files that are of one."""
    rows: Counter[dt.date] = Counter()
    for file in files:
        if file.day is not None:
            rows[file.day] += file.rows or 0
    return rows


def since(files: Iterable[DataFile], moment: dt.datetime) -> Sequence[DataFile]:
    """Those that were written since."""
    return [f for f in files if f.written >= moment.timestamp() * 1000]


def paths_by_day(files: Iterable[DataFile]) -> dict[dt.date, list[str]]:
    """Paths by gaming day, of files that are of one."""
    paths: dict[dt.date, list[str]] = {}
    for file in files:
        if file.day is not None:
            paths.setdefault(file.day, []).append(file.path)
    return paths


@functools.cache
def no_days() -> pl.DataFrame:
    """`files_by_day` of a table that does not exist."""
    return files_by_day([])


def files_by_day(files: Sequence[DataFile]) -> pl.DataFrame:
    """Rows, bytes and files per gaming day; a null day for a table that is stored in one piece."""
    shape = {"path": pl.String(), "day": pl.Date(), "rows": pl.Int64()}
    shape |= {"bytes": pl.Int64(), "written": pl.Int64()}
    return (
        pl.DataFrame(files, schema=shape, orient="row")
        .group_by(pl.col("day").alias(PARTITION))
        .agg(pl.col("rows").sum(), pl.col("bytes").sum(), files=pl.len().cast(pl.Int64))
        .sort(PARTITION)
    )
