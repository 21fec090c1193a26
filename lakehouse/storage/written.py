"""What writes made."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from lakehouse.regulation.gaming_day import Days
from lakehouse.storage.days import rows_by_day


@dataclass(frozen=True)
class Written:
    """What one write made. `rows_by_day` has every day asked for, 0 for an emptied one; `retries`
    counts own attempts and the commits of others overtaken."""

    version: int
    rows: int
    rows_by_day: dict[dt.date, int]
    retries: int

    @classmethod
    def of(
        cls, rows: pl.DataFrame, days: Days | None, before: int, version: int, again: int
    ) -> Written:
        """Of `rows` written as `version` by the attempt `again`, which began at `before`."""
        overtaken = max(0, version - before - 1)
        return cls(version, rows.height, rows_by_day(rows, days), again + overtaken)


def together(written: list[Written]) -> Written:
    """What several writes of other days of one table made."""
    return Written(
        version=written[-1].version,
        rows=sum(w.rows for w in written),
        rows_by_day={d: n for w in written for d, n in w.rows_by_day.items()},
        retries=sum(w.retries for w in written),
    )
