"""Who comes on a gaming day, and how long a stay they have in mind.

A day costs what its visitors cost, however many players there are: a size-biased draw of a
lognormal frequency is a shift of its normal, so visitors are drawn without a list of players.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from lakehouse.simulate.faults.house_cases import meeting
from lakehouse.simulate.faults.scenarios import engaged
from lakehouse.simulate.kernel import exclusion
from lakehouse.simulate.kernel.arrays import order_of
from lakehouse.simulate.kernel.book import player_of_rank, reserved
from lakehouse.simulate.kernel.config import WINDOW, WorldConfig
from lakehouse.simulate.kernel.counter import (
    F64,
    I64,
    U64,
    below,
    draw,
    exp,
    key,
    normal,
    uniform,
)

FREQUENCY_SIGMA = 1.1
WORTH_SIGMA = 2.03
CARDED_VISITS = 8_500
"""Carded visits over the reference window at scale 1; about 60% of all visits."""
MOST_PER_DAY = 0.6
"""No player comes on more than this share of days."""

# Arrivals by hour from 06:00, per mille [assumption: peak 19-21h, trough 04-06h].
ARRIVALS = np.array(
    [8, 12, 18, 26, 34, 42, 48, 50, 48, 46, 48, 54, 64, 76, 86, 84, 74, 60, 44, 30, 20, 13, 9, 6]
)


@dataclass(frozen=True)
class Visits:
    """One visit per entry. Seconds count from 06:00."""

    player: I64
    """Index of a carded player, or -1."""
    key: U64
    start: I64
    worth: F64
    """Spending level: lognormal across players with median 1."""
    z: F64
    """Its normal: log(worth) / WORTH_SIGMA."""
    scenario: I64
    """Planted scenario that brought the visit, or -1."""

    def __len__(self) -> int:
        return len(self.player)


def _window(config: WorldConfig, visits_at_scale_1: float) -> float:
    return visits_at_scale_1 * config.volume * config.days / WINDOW


def worth_z(config: WorldConfig, player: I64) -> F64:
    """Normal score of each player's spending level."""
    return normal(draw(key(config.seed, "worth"), player))


@functools.cache
def _upper_tail() -> tuple[F64, F64]:
    z = np.arange(-6, 10, 1 / 256)
    return z, np.array([0.5 * math.erfc(v / math.sqrt(2)) for v in z])


def _carded(config: WorldConfig, day: int) -> I64:
    """Sorted unique players who come on `day` with their card."""
    total = min(_window(config, CARDED_VISITS), 0.85 * config.total("player_profile"))
    target = config.share(round(total), day)
    ordinary = config.player_count - reserved(config)
    if target < 1 or ordinary < 1:
        return np.zeros(0, dtype=np.int64)
    draws = min(round(target * 1.08) + 1, 40 * ordinary)
    h = draw(key(config.seed, "visitors", day), np.arange(draws))
    z = normal(h) + FREQUENCY_SIGMA
    grid, tail = _upper_tail()
    rank = np.minimum((np.interp(z, grid, tail) * ordinary).astype(np.int64), ordinary - 1)
    weight = exp(FREQUENCY_SIGMA * z - FREQUENCY_SIGMA**2 / 2)
    comes = 1 - exp(-draws * weight / ordinary)
    rank, first = np.unique(rank, return_index=True)
    keep = uniform(draw(key(config.seed, "stays-home", day), rank)) * comes[first] < MOST_PER_DAY
    player = player_of_rank(config, rank[keep])
    player = player[~exclusion.joined(config, player, day)]
    elsewhere = np.array([*engaged(config, day).tolist(), *meeting(config, day)], dtype=np.int64)
    player = player[~np.isin(player, elsewhere)]
    most = int(0.93 * config.quota("player_profile", day)) - len(elsewhere) // 2
    order = order_of(draw(key(config.seed, "visitor-order", day), player))
    return np.sort(player[order[: max(min(most, round(target * 1.1) + 1), 0)]])


def arrival(h: U64) -> I64:
    """Returns the second after 06:00 at which each visit begins."""
    edges = np.cumsum(ARRIVALS)
    hour = np.searchsorted(edges, below(h, int(edges[-1])), side="right")
    return hour * 3600 + below(h << np.uint64(31), 3600)


def visits(config: WorldConfig, day: int) -> Visits:
    """All ordinary visits of a day, carded ones first in order of player."""
    player = _carded(config, day)
    total = config.share(round(_window(config, CARDED_VISITS / 0.6)), day)
    anonymous = max(0, total - len(player)) if len(player) else total
    base = key(config.seed, "visit", day)
    carded_key = draw(base, player)
    other_key = draw(key(config.seed, "walk-in", day), np.arange(anonymous))
    z = np.concatenate([worth_z(config, player), 0.8 * normal(draw(base, other_key))])
    keys = np.concatenate([carded_key, other_key])
    return Visits(
        player=np.concatenate([player, np.full(anonymous, -1)]),
        key=keys,
        start=arrival(draw(key(config.seed, "arrival"), keys)),
        worth=exp(WORTH_SIGMA * z),
        z=z,
        scenario=np.full(len(keys), -1),
    )
