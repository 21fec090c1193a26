"""When ordinary players put themselves on the self-exclusion list; they stay away from then on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, below, chance, draw, key

SHARE = 0.02
"""Joins within two years of the books' opening."""
_DAYS = 730


def joined(config: WorldConfig, player: I64, day: int | I64) -> NDArray[np.bool_]:
    """Who has joined the list since the books opened, up to and on a day."""
    joins = chance(draw(key(config.seed, "exclusion"), player), SHARE)
    return joins & (below(draw(key(config.seed, "exclusion-day"), player), _DAYS) < day)
