"""What writes made."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class Written:
    """What one write made. `rows_by_day` has every day asked for, 0 for an emptied one; `retries`
    counts own attempts and the commits of others overtaken."""

    version: int
    rows: int
    rows_by_day: dict[dt.date, int]
    retries: int


def together(written: list[Written]) -> Written:
    """What several writes of other days of one table made."""
    return Written(
        version=written[-1].version,
        rows=sum(w.rows for w in written),
        rows_by_day={d: n for w in written for d, n in w.rows_by_day.items()},
        retries=sum(w.retries for w in written),
    )
