"""Windows over time in parts that add up: one shape, whoever makes them and of whatever rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

BY = ("gaming_day", "window_start")
WHOLE = "all"
"""The dimension of what is not broken down."""
MEASURES = ("events", "transactions", "amount", "users", "orders")
"""Whole numbers, money in cents: sums over parts of which no account has two."""


@dataclass(frozen=True)
class Part:
    """How rows of a window are broken down, and what is added up of each value: `MEASURES`, 0
    where nothing is said, and `people`, the accounts themselves. `only`: the rows that count."""

    dimension: str
    measures: Mapping[str, pl.Expr]
    value: str | None = None
    name: str | None = None
    only: str | None = None

    def of(self, rows: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
        kept = rows if self.only is None else rows.filter(self.only)
        value = pl.lit(WHOLE) if self.value is None else pl.col(self.value).cast(pl.String)
        name = value if self.name is None else pl.col(self.name)
        keys = [*by, value.alias("value"), name.alias("name")]
        said = {m: self.measures.get(m, pl.lit(0)).cast(pl.Int64) for m in MEASURES}
        people = self.measures.get("people", pl.lit(None, pl.List(pl.String)))
        found = kept.group_by(keys).agg(**said, people=people)
        return found.with_columns(dimension=pl.lit(self.dimension))


def in_windows(
    rows: pl.LazyFrame, time: str, length: dt.timedelta, step: dt.timedelta
) -> pl.LazyFrame:
    """Each row once for each window that it is in, with the `window_start`: windows of `length`
    begin every `step`, counted from 1970."""
    latest = pl.col(time).dt.truncate(step)
    return pl.concat(
        [rows.with_columns(window_start=latest - k * step) for k in range(length // step)]
    )


def parts_of(rows: pl.LazyFrame, parts: Sequence[Part], by: Sequence[str]) -> pl.LazyFrame:
    """All parts of rows with their `window_start`: `by`, dimension, value, name, `MEASURES`,
    people."""
    made = [part.of(rows, by) for part in parts]
    columns = [*by, "dimension", "value", "name", *MEASURES, "people"]
    return pl.concat([p.select(columns) for p in made], how="vertical_relaxed")


def standing(parts: pl.LazyFrame) -> pl.LazyFrame:
    """Parts of which anything is left: one that nothing is left of is there to say so."""
    return parts.filter(pl.any_horizontal(pl.col(MEASURES) != 0))
