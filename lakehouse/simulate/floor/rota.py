"""Who of the staff is on the property, by shift: dealers, cashiers and guards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.simulate.floor import layout
from lakehouse.simulate.floor.plan import day_plan
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below, draw, key
from lakehouse.simulate.kernel.ids import employees
from lakehouse.simulate.kernel.world import World

CASHIERS = 24
"""On each shift."""
FIRST_GUARD = 300
_SHIFTS = 3
_SHIFT_SECONDS = 28_800
DEALER_BADGES = 10_000
"""A dealer's badge is his number from here on; others have theirs."""


def guards(config: WorldConfig) -> int:
    """Returns how many guards are on each shift."""
    return max(8, config.table_count // 4)


def guard_on_duty(config: WorldConfig, second: I64, h: U64) -> pl.Series:
    """A guard of the shift at each moment."""
    n = guards(config)
    return employees(FIRST_GUARD + layout.shift_of(second) * n + below(h << np.uint64(21), n))


@dataclass(frozen=True)
class Swipes:
    """One badge read per entry: first everybody's coming and going, then breaks."""

    badge: I64
    second: I64
    is_break: NDArray[np.bool_]


def swipes(world: World, day: int) -> Swipes:
    """The day's badges, each within its owner's shift."""
    crew, count = world.config.table_count, guards(world.config)
    sizes = (crew, CASHIERS, count)
    firsts = (0, 0, FIRST_GUARD)
    index, shift, is_dealer = [], [], []
    for kind, (size, first) in enumerate(zip(sizes, firsts, strict=True)):
        k = np.arange(_SHIFTS * size)
        index.append(first + k)
        shift.append(k // size)
        is_dealer.append(np.full(len(k), kind == 0))
    who, at, dealing = (np.concatenate(c) for c in (index, shift, is_dealer))
    ends = np.array([_SHIFT_SECONDS, 2 * _SHIFT_SECONDS, day_plan(world, day).length])
    h = draw(key(world.config.seed, "swipe", day), who, dealing)
    begin, end = at * _SHIFT_SECONDS, ends[at]
    late = below(h, 420)
    pause = begin + 7_200 + below(h << np.uint64(15), 12_000)
    times = [begin + late, end - 1 - below(h << np.uint64(7), 420), pause, pause + 1_200]
    badge = np.where(dealing, DEALER_BADGES + who, who)
    order = np.argsort(h, kind="stable")
    return Swipes(
        badge=np.concatenate([badge[order]] * 4),
        second=np.concatenate([t[order] for t in times]),
        is_break=np.repeat([False, False, True, True], len(order)),
    )
