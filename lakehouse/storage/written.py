"""What writes made."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl
from deltalake import DeltaTable

from lakehouse.regulation.gaming_day import Days
from lakehouse.storage.days import rows_by_day
from lakehouse.storage.log import files_by_day
from lakehouse.storage.shapes import PARTITION, stored_schema


@dataclass(frozen=True)
class Written:
    """What one write made. `rows_by_day` has every day asked for, 0 for an emptied one; `bytes`
    are those of the files that now hold these days (of all, for a table in one piece);
    `retries` counts own attempts and the commits of others overtaken."""

    version: int
    rows: int
    rows_by_day: dict[dt.date, int]
    bytes: int
    retries: int


def written(
    delta: DeltaTable,
    layer: str,
    table: str,
    frame: pl.DataFrame | None,
    days: Days | None,
    retries: int,
) -> Written:
    made = frame if frame is not None else pl.DataFrame(schema=stored_schema(layer, table))
    files = files_by_day(delta, layer, table)
    if days is not None:
        files = files.filter(pl.col(PARTITION).is_between(*days))
    return Written(
        version=delta.version(),
        rows=made.height,
        rows_by_day=rows_by_day(made, days),
        bytes=int(files["bytes"].sum()),
        retries=retries,
    )


def together(written: list[Written]) -> Written:
    """What several writes of other days of one table made."""
    return Written(
        version=written[-1].version,
        rows=sum(w.rows for w in written),
        rows_by_day={d: n for w in written for d, n in w.rows_by_day.items()},
        bytes=sum(w.bytes for w in written),
        retries=sum(w.retries for w in written),
    )
