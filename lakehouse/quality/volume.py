"""Whether a day has as many rows as its weekday has."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WEEKS = 8
WEEK = 7
BACK = WEEKS * WEEK
FEWEST_WEEKDAYS = 4
"""Of the eight; with fewer, all days of the last four weeks stand in, with a wider bound."""
FEWEST_DAYS = 7
"""With fewer days than this in all, nothing is said."""
DEVIATIONS = 6
"""Standard deviations, which are 1.4826 median absolute deviations of a normal spread."""
BY_CHANCE = 5
"""Standard deviations of a count that comes by chance, where nobody makes many of its rows."""
SHARE = 0.25
"""A quarter of the usual rows is no news, however even the weeks before were."""
COLD_SHARE = 2 / 3
"""Of any day beside any other: a Saturday has twice a Tuesday's rows."""
FEW = 4
"""Rows that come and go in the smallest tables: added to the variance of counts."""
_NORMAL = 1.4826


class Volume(NamedTuple):
    """Of each judged day: the usual rows, how far from them is still usual, and of how many
    days of its weekday that is known; NaN where nothing is said. `low` is the fewest rows that
    are usual: one at least where no day of those before lacked all of them, and chance would not
    take so many, however much days differ."""

    usual: Floats
    within: Floats
    low: Floats
    weekdays: NDArray[np.int64]


def volumes(rows: Floats) -> Volume:
    """Usual rows of the days after the first `BACK`, from rows by consecutive day; a day before
    the table's first is NaN, not 0."""
    judged = range(BACK, len(rows))
    usual, within, low = (np.full(len(judged), np.nan) for _ in range(3))
    weekdays = np.zeros(len(judged), dtype=np.int64)
    for at, t in enumerate(judged):
        same = rows[t - BACK : t : WEEK]
        same = same[np.isfinite(same)]
        weekdays[at] = len(same)
        recent = rows[t - BACK // 2 : t]
        recent = recent[np.isfinite(recent)]
        if len(same) >= FEWEST_WEEKDAYS:
            clusters = _clusters(rows[t - BACK : t])
            usual[at], within[at], low[at] = _spread(same, SHARE, clusters)
        elif len(recent) >= FEWEST_DAYS:
            usual[at], within[at], low[at] = _spread(recent, COLD_SHARE, is_cold=True)
    return Volume(usual, within, low, weekdays)


def _clusters(past: Floats) -> float:
    """By how much more the days of eight weeks differ from the medians of their weekdays than
    counts by chance would: 1 at least. One buyer makes many rows, and eight days of one weekday
    are too few to show it."""
    by_week = past.reshape(WEEKS, WEEK)
    usual = np.nanmedian(by_week, axis=0)
    return max(1.0, _NORMAL * float(np.nanmedian(np.abs(by_week - usual) / (usual + FEW) ** 0.5)))


def _spread(
    past: Floats, share: float, clusters: float = 1.0, *, is_cold: bool = False
) -> tuple[float, float, float]:
    """The median; the widest of deviations by the median absolute deviation, deviations of counts
    that come by chance (Poisson), `clusters` times as wide, and a share; and the fewest rows.
    Of days of any weekday (`is_cold`) chance comes on top of what the weekday makes."""
    usual = float(np.median(past))
    deviation = _NORMAL * float(np.median(np.abs(past - usual)))
    by_chance = BY_CHANCE * clusters * (usual + FEW) ** 0.5
    apart = share * usual
    within = max(DEVIATIONS * deviation, by_chance + apart if is_cold else by_chance, apart)
    has_always_rows = past.min() > 0 and usual > by_chance
    return usual, within, max(usual - within, 1.0 if has_always_rows else 0.0)
