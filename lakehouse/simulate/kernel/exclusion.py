"""When ordinary players put themselves on the self-exclusion list; they stay away from then on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, below, chance, draw, key

SHARE = 0.02
"""Joins within two years of the books' opening."""
_DAYS = 730
_AT_A_TIME = 1 << 16


def joined(config: WorldConfig, player: I64, day: int | I64) -> NDArray[np.bool_]:
    """Who has joined the list since the books opened, up to and on a day."""
    found = np.zeros(len(player), dtype=bool)
    at, since = _joining(config, player)
    found[at] = since < (day[at] if isinstance(day, np.ndarray) else day)
    return found


def joiners(config: WorldConfig, numbers: range) -> tuple[I64, I64]:
    """Which of many players ever join, and the last day on which each has not."""
    parts = range(numbers.start, max(numbers.stop, numbers.start + 1), _AT_A_TIME)
    some = (np.arange(k, min(k + _AT_A_TIME, numbers.stop)) for k in parts)
    found = [(player[at], since) for player in some for at, since in [_joining(config, player)]]
    who, since = zip(*found, strict=True)
    return np.concatenate(who), np.concatenate(since)


def _joining(config: WorldConfig, player: I64) -> tuple[I64, I64]:
    """Positions of those who ever join, and the last day on which each has not."""
    at = np.flatnonzero(chance(draw(key(config.seed, "exclusion"), player), SHARE))
    return at, below(draw(key(config.seed, "exclusion-day"), player[at]), _DAYS)
