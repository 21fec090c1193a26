"""Whether a day's values are spread as those of the four weeks before it.

The population stability index of a day against its reference, sum of (p - q) ln(p / q) over
bins, is the usual measure of credit scoring, where 0.25 is read as a major shift. That reading
is for large samples: without any drift, of a day of n rows and a reference of m rows, it is
about chi-squared with bins - 1 degrees of freedom, times 1/n + 1/m (Yurdakul, "Statistical
properties of population stability index", 2018). Rows of a casino are no independent draws: a
session has many, Saturdays have their own patrons. How much more days differ from each other
than chance would have them is measured on the reference's own days, and widens the bound.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

REFERENCE_DAYS = 28
"""Four of each weekday."""
FEWEST_DAYS = 14
"""Days of the reference that have rows; with fewer, nothing is said."""
WEEK = 7
BINS = 10
"""Of a number: tenths of the reference."""
ROWS_PER_BIN = 10
"""Rows that each bin of a day must expect, so that chi-squared fits (Cochran 1954)."""
MAJOR = 0.25
"""What is read as a major shift, however many rows show it."""
QUANTILE = 4.8
"""Standard normal deviate of the bound: one in 1.3 million where the approximation fits."""


class Drift(NamedTuple):
    """Of each judged day, in order: the index, its bound, and the rows; NaN where nothing is
    said: too few days or rows."""

    psi: Floats
    bound: Floats
    rows: Ints


def drifts(counts: Ints, *, numeric: bool) -> Drift:
    """Drift of the days after the first `REFERENCE_DAYS`, from rows by day and bin: consecutive
    days, of a numeric column the bins in order of value."""
    before = np.vstack([np.zeros_like(counts[:1]), counts.cumsum(axis=0)])
    reference = before[REFERENCE_DAYS:-1] - before[: -REFERENCE_DAYS - 1]
    days = counts[REFERENCE_DAYS:]
    index, bound = np.full(len(days), np.nan), np.full(len(days), np.nan)
    rows = days.sum(axis=1)
    for t, day in enumerate(days):
        past = counts[t : t + REFERENCE_DAYS]
        if rows[t] and (past.sum(axis=1) > 0).sum() >= FEWEST_DAYS:
            if _is_one_figure(counts[t : t + REFERENCE_DAYS + 1], numeric=numeric):
                continue
            bins = _bins(reference[t], int(rows[t]), numeric=numeric)
            index[t], bound[t] = _judged(bins, day, past)
    return Drift(index, bound, rows)


def _is_one_figure(days: Ints, *, numeric: bool) -> bool:
    """Whether a column holds one figure a day, or held one on all days before, as what looks back
    over a month does on a new lake: that is no spread. A code that was the same for all rows of
    all days is no figure: another one in its place is a shift."""
    one_a_day = bool((days > 0).sum(axis=1).max() == 1)
    was_the_same = bool((days[:-1].sum(axis=0) > 0).sum() == 1)
    return was_the_same or one_a_day if numeric else one_a_day and not was_the_same


def _bins(reference: Ints, rows: int, *, numeric: bool) -> Ints:
    """The bin of each fine bin or value: of so many that a day of `rows` rows expects
    `ROWS_PER_BIN` in each. Values that are too rare for that are one bin together, with what
    the reference has not seen."""
    if numeric:
        most = max(1, min(BINS, rows // ROWS_PER_BIN))
        middle = reference.cumsum() - reference / 2
        return np.minimum((middle * most / reference.sum()).astype(np.int64), most - 1)
    is_common = reference * rows >= ROWS_PER_BIN * reference.sum()
    return np.where(is_common, is_common.cumsum(), 0)


def _judged(bins: Ints, day: Ints, past: Ints) -> tuple[float, float]:
    kept, at = np.unique(bins, return_inverse=True)
    if len(kept) == 1:
        return np.nan, np.nan
    into = np.zeros((len(bins), len(kept)))
    into[np.arange(len(bins)), at] = 1
    past_days = past @ into
    whole = past_days.sum(axis=0)
    by_chance = 1 / day.sum() + 1 / whole.sum()
    bound = _spread(past_days, whole) * chi_squared(len(kept) - 1) * by_chance
    return float(psi(day @ into, whole)), max(MAJOR, float(bound))


def _spread(past: Floats, whole: Floats) -> float:
    """How many times more the reference's days differ from it than chance has them, at least
    once: of the weekday that differs most."""
    sizes = past.sum(axis=1)
    there = sizes > 0
    by_chance = (len(whole) - 1) * (1 / sizes[there] - 1 / whole.sum())
    times = psi(past[there], whole) / by_chance
    weekday = np.arange(len(past))[there] % WEEK
    sums = np.bincount(weekday, times, WEEK) / np.maximum(np.bincount(weekday, minlength=WEEK), 1)
    return max(1.0, float(sums.max()))


def psi(found: Floats, reference: Floats) -> Floats:
    """Population stability index over the last axis. Half a row in each bin keeps empty ones
    finite."""
    p, q = (x + 0.5 for x in (found, reference))
    p, q = p / p.sum(axis=-1, keepdims=True), q / q.sum(axis=-1, keepdims=True)
    index: Floats = ((p - q) * np.log(p / q)).sum(axis=-1)
    return index


def chi_squared(free: int) -> float:
    """The quantile at `QUANTILE` of chi-squared (Wilson and Hilferty 1931)."""
    part = 2 / (9 * free)
    return free * float(1 - part + QUANTILE * part**0.5) ** 3
