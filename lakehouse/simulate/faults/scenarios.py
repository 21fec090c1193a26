"""Scenarios of misconduct of known kinds: which ones there are on a day, and of whom.

The players are reserved for this, so a scenario's days hold nothing else of theirs, and the
truth table knows exactly what was planted.
"""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np

from lakehouse.simulate.kernel.book import always_excluded, planted_players
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import below, draw, key, pick, poisson
from lakehouse.simulate.kernel.scenario import Scenario

KINDS = {
    "structuring": 3,
    "minimal_play": 1,
    "chip_walking": 2,
    "bill_stuffing": 1,
    "marker_cycle": 6,
    "pooling": 1,
    "threshold_avoidance": 1,
    "employee_collusion": 4,
    "card_sharing": 1,
    "self_excluded_play": 1,
    "agent": 1,
}
"""Kind → days from its first to its last. An agent is no misconduct, but the law must see it."""
LONGEST = max(KINDS.values())
_WEIGHTS = (16, 14, 10, 12, 8, 8, 12, 5, 5, 5, 5)
MOST_PER_DAY = 4


def scenarios(config: WorldConfig, day: int) -> list[Scenario]:
    """Scenarios that show on a day, in order of their number."""
    return [
        replace(s, step=day - first)
        for first in range(max(0, day - LONGEST + 1), day + 1)
        for s in _starting(config, first)
        if day <= s.last_day
    ]


@functools.lru_cache(maxsize=64)
def _starting(config: WorldConfig, day: int) -> list[Scenario]:
    rate = min(config.faults.scenarios_per_day, 3.0)
    count = min(int(poisson(draw(key(config.seed, "scenario-count"), day), rate)[0]), MOST_PER_DAY)
    if rate <= 0 or not count:
        return []
    h = draw(key(config.seed, "scenarios", day), np.arange(MOST_PER_DAY))
    kinds = [list(KINDS)[k] for k in pick(h, _WEIGHTS)]
    dollars = below(draw(key(config.seed, "scenario-dollars", day), np.arange(MOST_PER_DAY)), 10)
    planted, excluded = planted_players(config), always_excluded(config)
    usual = planted[: -len(excluded)]
    if not len(usual):
        return []
    out = []
    for i in range(count):
        number = day * MOST_PER_DAY + i
        pool = excluded if kinds[i] == "self_excluded_play" else usual
        players = tuple(int(pool[(number * 3 + k) % len(pool)]) for k in range(3))
        last = day + KINDS[kinds[i]] - 1
        out.append(Scenario(number, kinds[i], players, day, last, 0, int(dollars[i]) * 100))
    return out
