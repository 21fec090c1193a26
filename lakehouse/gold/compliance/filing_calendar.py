"""Obligations that are unfiled at the close of a gaming day."""

from __future__ import annotations

import datetime as dt
import functools

import polars as pl

from lakehouse.gold.compliance.filed import filing_states
from lakehouse.gold.compliance.filing_reconciliation import WHEN, paired
from lakehouse.gold.compliance.obligations import (
    OVERDUE_DAYS,
    TERMS,
    Required,
    followed,
    following,
    obligations,
)
from lakehouse.gold.marts import gold, mart, silver
from lakehouse.gold.shape import shaped
from lakehouse.regulation.gaming_day import Days, gaming_day
from lakehouse.regulation.law import Law


@mart(
    *(gold(t, back=functools.partial(followed, table=t)) for t in TERMS),
    silver("compliance", back=following),
)
def filing_calendar(
    compliance: pl.LazyFrame,
    *,
    days: Days,
    law: Law,
    timezone: str,
    **required: pl.LazyFrame,
) -> pl.LazyFrame:
    """Mart `filing_calendar`: one snapshot per gaming day of `days`, as it stood when that day
    closed, over the obligations of `following` gaming days before."""
    first = days[0] - dt.timedelta(days=following(law))
    owed = obligations(Required(**required), (first, days[1])).collect()
    filed = _by_gaming_day(filing_states(compliance), timezone)
    states = _states(owed, filed, days)
    at = pl.col("as_of_day")
    ended = (pl.col("until") <= at).fill_null(value=False)
    _, unfiled, _ = paired(
        owed.join(states, on=WHEN).filter(pl.col("gaming_day") <= at),
        filed.join(states.drop("state_ends"), on=WHEN).filter((pl.col("since") <= at) & ~ended),
        ["as_of_day"],
    )
    return shaped(_snapshots(unfiled), "filing_calendar")


def _by_gaming_day(states: pl.DataFrame, timezone: str) -> pl.DataFrame:
    """States with the gaming days at whose close they held: `since`, and before `until`."""
    return states.with_columns(
        since=gaming_day(pl.col("known_from"), timezone),
        until=gaming_day(pl.col("known_until"), timezone),
    ).drop("known_from", "known_until")


def _states(owed: pl.DataFrame, filed: pl.DataFrame, days: Days) -> pl.DataFrame:
    """Form, subject day and each day of `days` from which another state of their obligations
    and filings holds: `as_of_day`, up to `state_ends`. Nothing changes in between, so that
    obligations are paired once for each state and not for each day."""
    changed = [
        owed.select(*WHEN, as_of_day="gaming_day"),
        *(filed.select(*WHEN, as_of_day=c) for c in ("since", "until")),
    ]
    next_one = pl.col("as_of_day").shift(-1).over(WHEN)
    return (
        pl.concat(changed)
        .filter(pl.col("as_of_day") <= days[1])
        .with_columns(pl.col("as_of_day").clip(lower_bound=days[0]))
        .unique()
        .sort("as_of_day")
        .with_columns(state_ends=next_one.dt.offset_by("-1d").fill_null(days[1]))
    )


def _snapshots(unfiled: pl.DataFrame) -> pl.DataFrame:
    """A row for each day of the state, while the obligation is on the calendar."""
    last = pl.min_horizontal("state_ends", pl.col("due").dt.offset_by(f"{OVERDUE_DAYS}d"))
    left = (pl.col("due") - pl.col("gaming_day")).dt.total_days()
    return (
        unfiled.with_columns(last=last)
        .filter(pl.col("as_of_day") <= pl.col("last"))
        .with_columns(gaming_day=pl.date_ranges("as_of_day", "last"))
        .explode("gaming_day")
        .with_columns(days_left=left, is_overdue=left < 0)
    )
