"""What a database must be able to do to have tables published to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Protocol

import polars as pl

from lakehouse.closing import Closing
from lakehouse.errors import StorageError
from lakehouse.serve.publish.shapes import Shape
from lakehouse.storage.shapes import PARTITION

WHOLE = dt.date(1, 1, 1)
"""The day under which a table without days is noted."""
LEDGER = "lakehouse_published"
"""Table of the database that tells which state of which day it has."""
Marks = Mapping[dt.date, str]
"""Gaming day → a text that changes with what the lake holds of it; empty where nothing."""
Sums = dict[dt.date, tuple[Decimal, ...]]
"""Gaming day → rows, then the sum of each column of `Shape.summed`."""


class Target(Closing, Protocol):
    """A database. Each call is a transaction of its own, or fails and leaves what was there."""

    def turns(self, shapes: Sequence[Shape], /) -> AbstractContextManager[None]:
        """Within it no other publisher brings these tables in line, where the database can hold
        others off for so long."""

    def lay_out(self, shape: Shape) -> None:
        """Makes the table where it is missing, and adds columns that it lacks; drops nothing.
        Raises BadInput for one that has other types."""

    def known(self, shape: Shape) -> dict[dt.date, str]:
        """The marks of the days that the database has."""

    def replace(self, shape: Shape, rows: pl.DataFrame, marks: Marks) -> None:
        """Puts `rows` in the place of the days of `marks`, notes the marks, and compares counts
        and sums before it commits. Raises StorageError where they differ."""

    def beside(self) -> Target | None:
        """Another connection, by which other days can go at the same time; null where that saves
        nothing."""

    def lay_out_views(self) -> list[str]:
        """Makes the views whose tables are there; their names."""


def sums_of(rows: pl.DataFrame, shape: Shape) -> Sums:
    """Rows and sums by day, of what is sent."""
    by = rows.with_columns(pl.lit(WHOLE).alias(PARTITION)) if not shape.has_days else rows
    wide = [pl.col(n).cast(pl.Decimal(38, _scale(shape, n))).sum() for n in shape.summed]
    found = by.group_by(PARTITION).agg(pl.len().alias("_rows"), *wide)
    return {day: tuple(Decimal(v) for v in values) for day, *values in found.iter_rows()}


def refuse_differences(shape: Shape, sent: Sums, found: Sums) -> None:
    """Raises StorageError where the database has other counts or sums than were sent."""
    for day in sorted(sent.keys() | found.keys()):
        if sent.get(day) != found.get(day):
            raise StorageError(
                f"{shape.name} of {day}: {_said(sent.get(day))} were sent, the database has "
                f"{_said(found.get(day))}; nothing of it was kept"
            )


def _scale(shape: Shape, name: str) -> int:
    return next(c.scale for c in shape.columns if c.name == name)


def _said(sums: tuple[Decimal, ...] | None) -> str:
    return "no rows" if sums is None else f"{sums[0]} rows with sums {list(map(str, sums[1:]))}"
