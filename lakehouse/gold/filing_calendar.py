"""Obligations that are unfiled at the close of a gaming day."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.gold.filing_reconciliation import filing_reconciliation
from lakehouse.gold.money import Days
from lakehouse.gold.shape import shaped
from lakehouse.regulation.gaming_day import day_bounds

LOOK_BACK = 60
"""Gaming days for which an unfiled obligation stays on the calendar; a tax form of the year
stands in `filing_reconciliation` until it is filed."""


def filing_calendar(
    ctr_filings: pl.LazyFrame,
    filing_exceptions: pl.LazyFrame,
    w2g_forms: pl.LazyFrame,
    compliance: pl.LazyFrame,
    *,
    days: Days,
    timezone: str,
) -> pl.LazyFrame:
    """Mart `filing_calendar`: one snapshot per gaming day of `days`, as it stood when that day
    closed, over the obligations of LOOK_BACK gaming days before."""
    frames = (ctr_filings, filing_exceptions, w2g_forms, compliance)
    collected = tuple(f.collect().rechunk().lazy() for f in frames)  # polars 2.1.0 panics on chunks
    count = (days[1] - days[0]).days + 1
    snapshots = [
        _snapshot(collected, days[0] + dt.timedelta(days=n), timezone) for n in range(count)
    ]
    return shaped(pl.concat(snapshots), "filing_calendar")


def _snapshot(frames: tuple[pl.LazyFrame, ...], day: dt.date, timezone: str) -> pl.LazyFrame:
    _, close = day_bounds(day, timezone)
    ctr_filings, filing_exceptions, w2g_forms, compliance = frames
    rows = filing_reconciliation(
        ctr_filings,
        filing_exceptions,
        w2g_forms,
        compliance,
        days=(day - dt.timedelta(days=LOOK_BACK), day),
        timezone=timezone,
        as_of=close,
    )
    unfiled = rows.filter(pl.col("verdict").is_in(["open", "missing", "held_back"]))
    left = (pl.col("due") - pl.lit(day)).dt.total_days()
    return unfiled.select(
        pl.lit(day).alias("gaming_day"),
        pl.col("reconciliation_id").alias("obligation_id"),
        "form",
        "player_id",
        "subject_day",
        pl.col("required_amount").alias("amount"),
        "due",
        left.alias("days_left"),
        (left < 0).alias("is_overdue"),
        "is_held_back",
    )
