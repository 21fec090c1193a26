"""Whether as many values of a column are missing on a day as in the four weeks before it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lakehouse.quality.drift import FEWEST_DAYS, REFERENCE_DAYS, WEEK

Floats = NDArray[np.float64]

DEVIATIONS = 6
POINTS = 0.05
"""A twentieth of the rows: what fewer rows lack, the contract and the quarantine tell."""
FEWEST_ROWS = 20
"""On a day; of fewer a share says nothing."""


class Nulls(NamedTuple):
    """Of each judged day: the share that is null, the usual share, and how far from it is still
    usual; NaN where nothing is said."""

    share: Floats
    usual: Floats
    within: Floats


def null_shares(nulls: Floats, rows: Floats) -> Nulls:
    """Shares of the days after the first `REFERENCE_DAYS`, from nulls and rows by consecutive
    day. As with drift, days that differ more than chance has them widen the bound."""
    judged = range(REFERENCE_DAYS, len(rows))
    share, usual, within = (np.full(len(judged), np.nan) for _ in range(3))
    for at, t in enumerate(judged):
        past = slice(t - REFERENCE_DAYS, t)
        if rows[t] >= FEWEST_ROWS and (rows[past] > 0).sum() >= FEWEST_DAYS:
            share[at] = nulls[t] / rows[t]
            usual[at], within[at] = _usual(nulls[past], rows[past], rows[t])
    return Nulls(share, usual, within)


def _usual(nulls: Floats, rows: Floats, of_day: float) -> tuple[float, float]:
    there = rows > 0
    all_rows = rows.sum()
    usual = nulls.sum() / all_rows
    chance = (nulls.sum() + 0.5) / (all_rows + 1)  # never 0 or 1
    by_chance = chance * (1 - chance)
    apart = (nulls[there] / rows[there] - usual) ** 2
    times = apart / (by_chance * (1 / rows[there] - 1 / all_rows))
    weekday = np.flatnonzero(there) % WEEK
    sums = np.bincount(weekday, times, WEEK) / np.maximum(np.bincount(weekday, minlength=WEEK), 1)
    spread = max(1.0, float(sums.max()))
    deviation = (spread * by_chance * (1 / of_day + 1 / all_rows)) ** 0.5
    return float(usual), max(POINTS, DEVIATIONS * float(deviation))
