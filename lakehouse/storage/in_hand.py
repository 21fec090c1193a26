"""How many gaming days are worked on together: memory follows their rows, not the range."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from lakehouse.regulation.gaming_day import Days, cut
from lakehouse.storage.listing import rows_of_days

if TYPE_CHECKING:
    from lakehouse.storage.lake import Lake

ROWS_IN_HAND = 60_000
"""Rows that are made or cleaned at a time, all columns of them."""
ROWS_LOOKED_AT = 4 * ROWS_IN_HAND
"""Rows that are summed or judged at a time: only some columns are read, and lazily."""


@dataclass(frozen=True)
class Portion:
    """Rows that replace some gaming days of a table, and by day the marks of what they were
    derived from."""

    days: Days
    rows: pl.DataFrame
    marks: Mapping[dt.date, str] = field(default_factory=dict)


def portions(
    lake: Lake, days: Days, *tables: tuple[str, str], most: int = ROWS_LOOKED_AT
) -> list[Days]:
    """The days in ranges of at most `most` rows that are stored of these tables."""
    return cut(days, most, rows_stored(lake, tables))


def rows_stored(lake: Lake, tables: Iterable[tuple[str, str]]) -> Counter[dt.date]:
    """Rows by gaming day of all these tables together."""
    return sum((rows_of_days(lake.data_files(*table)) for table in tables), Counter())
