"""The simulated clock: seconds of a gaming day to UTC, and when a row becomes known."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from lakehouse.regulation.gaming_day import day_bounds
from lakehouse.simulate.kernel.counter import I64

HOUR = 3_600_000_000
SOURCE = "simulator"
SENT_AFTER = dt.timedelta(minutes=5)
"""The source sends each hour's batch so long after the hour."""
LATEST_DAYS = 3
"""Late rows become known one to so many days later."""


def settles_after(*, faults: bool) -> dt.timedelta:
    """How long after its close the last rows of a gaming day become known."""
    return SENT_AFTER + dt.timedelta(days=LATEST_DAYS if faults else 0)


def day_start(date: dt.date, timezone: str) -> int:
    """Microseconds since the epoch at which the gaming day opens."""
    return int(day_bounds(date, timezone)[0].timestamp()) * 1_000_000


def day_seconds(date: dt.date, timezone: str) -> int:
    """Length of the gaming day: 23, 24 or 25 hours."""
    start, end = day_bounds(date, timezone)
    return int((end - start).total_seconds())


def gaming_days(first: dt.date, day: I64) -> pl.Series:
    """Dates of days counted from `first`."""
    start = (first - dt.date(1970, 1, 1)).days
    return pl.Series((np.asarray(day) + start).astype(np.int32)).cast(pl.Date)


def stamp(table: str, gaming_day: pl.Series, event: I64) -> dict[str, pl.Series]:
    """Provenance of rows by event time (microseconds): each hour's come together."""
    hour = event // HOUR
    first = int(hour.min()) if len(hour) else 0
    span = int(hour.max()) - first + 1 if len(hour) else 1
    names = pl.Series(
        [
            f"{table}-{dt.datetime.fromtimestamp((first + k) * 3600, dt.UTC):%Y%m%d%H}"
            for k in range(span)
        ]
    )
    known = (hour + 1) * HOUR + SENT_AFTER // dt.timedelta(microseconds=1)
    return {
        "gaming_day": gaming_day,
        "_ingested_at": pl.Series(known).cast(pl.Datetime("us", "UTC")),
        "_source": pl.repeat(SOURCE, len(event), dtype=pl.String, eager=True),
        "_batch_id": names[pl.Series((hour - first).astype(np.uint32))],
    }
