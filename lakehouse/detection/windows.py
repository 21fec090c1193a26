"""Windows of gaming days that end on each day asked for."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.regulation.gaming_day import Days


def trailing(frame: pl.LazyFrame, days: Days, back: int, *, on: str = "gaming_day") -> pl.LazyFrame:
    """The rows once for each of `days`, as `as_of`, whose window of the day itself and `back`
    days before it holds them, by the day in column `on`."""
    asked = pl.date_range(*days, eager=True)
    windows = pl.LazyFrame({"as_of": asked, "_since": asked - dt.timedelta(days=back)})
    inside = pl.col(on) >= pl.col("_since"), pl.col(on) <= pl.col("as_of")
    return frame.join_where(windows, *inside).drop("_since")
