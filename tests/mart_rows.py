"""What marts make of frames, under settings with which each has something to say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import polars as pl

from lakehouse.gold.marts import marts
from lakehouse.regulation.gaming_day import Days
from lakehouse.settings import DOMAINS, load_settings

SETTINGS = load_settings(
    domains=DOMAINS, carded_bill_in_knowledge=True, multiple_transaction_log_over="2500"
)
NOW = dt.datetime(2040, 1, 1, tzinfo=dt.UTC)
ALWAYS = (dt.date(2023, 12, 1), dt.date(2037, 6, 1))
"""All days that the marts' witnesses have."""


def rows_of(
    name: str,
    table: Callable[[str], pl.LazyFrame],
    days: Days,
    wanted: Sequence[dt.date] | None = None,
) -> pl.DataFrame:
    """A mart's rows of a range, or of the days of it that are wanted, from all that `table` has of
    its inputs."""
    mart = marts()[name]
    frames = {i.table: table(i.table) for i in mart.reads(SETTINGS)}
    return mart.rows(frames, settings=SETTINGS, days=days, wanted=wanted, as_of=NOW).collect()
