"""Whether as many values of a column are missing on a day as in the four weeks before it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
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
    day in the last axis. As with drift, days that differ more than chance has them widen the
    bound."""
    lack, of = (sliding_window_view(x[..., :-1], REFERENCE_DAYS, axis=-1) for x in (nulls, rows))
    day_rows = rows[..., REFERENCE_DAYS:]
    says = (day_rows >= FEWEST_ROWS) & ((of > 0).sum(axis=-1) >= FEWEST_DAYS)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = nulls[..., REFERENCE_DAYS:] / day_rows
        every = of.sum(axis=-1)
        usual = lack.sum(axis=-1) / every
        says &= usual < 1  # what had no value before begins, as figures of a month do on a new lake
        chance = (lack.sum(axis=-1) + 0.5) / (every + 1)  # never 0 or 1
        by_chance = chance * (1 - chance)
        apart = (lack / of - usual[..., None]) ** 2
        times = apart / (by_chance[..., None] * (1 / of - 1 / every[..., None]))
        spread = np.maximum(1, _of_weekdays(np.where(of > 0, times, np.nan)))
        deviation = (spread * by_chance * (1 / day_rows + 1 / every)) ** 0.5
    within = np.maximum(POINTS, DEVIATIONS * deviation)
    return Nulls(*(np.where(says, x, np.nan) for x in (share, usual, within)))


def _of_weekdays(times: Floats) -> Floats:
    """The mean of the weekday that differs most."""
    weeks = times.reshape(*times.shape[:-1], -1, WEEK)
    there = np.isfinite(weeks).sum(axis=-2)
    sums: Floats = np.nansum(weeks, axis=-2) / np.maximum(there, 1)
    most: Floats = sums.max(axis=-1)
    return most
