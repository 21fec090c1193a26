"""Running totals of players and machines: what a profile and a meter show at a day's close.

They are carried on together, as a day far from the last one that is known costs the plans of
all days between.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lakehouse.simulate.floor.plan import day_plan
from lakehouse.simulate.floor.tampering import metered
from lakehouse.simulate.kernel.arrays import narrow
from lakehouse.simulate.kernel.counter import I64
from lakehouse.simulate.kernel.memory import carried_over
from lakehouse.simulate.kernel.player_totals import PlayerTotals
from lakehouse.simulate.kernel.world import World


@dataclass(frozen=True)
class RunningTotals:
    """Sorted by player; totals since the world's first day."""

    player: I64
    totals: PlayerTotals
    coin_in: I64
    """Meter of each machine, cents."""


def _empty(world: World) -> RunningTotals:
    none = np.zeros(0, dtype=np.int64)
    meters = np.zeros(world.config.machine_count, dtype=np.int64)
    return RunningTotals(none, PlayerTotals(none, none, none, none, none), meters)


@carried_over(_empty)
def everybody_through(world: World, day: int, before: RunningTotals) -> RunningTotals:
    """Totals of everybody who came, and of every machine, by the close of `day`."""
    p, old_totals = day_plan(world, day), before.totals
    s, t = p.slots, p.tables
    player = np.concatenate([s.player, t.player])
    theo = np.concatenate([s.theo_micro, t.theo_micro])
    win = np.concatenate([s.coin_in - s.coin_out - s.jackpot, t.win])
    carded = player >= 0
    who, at = np.unique(player[carded], return_inverse=True)
    came = np.unique(p.visits.player[p.visits.player >= 0])
    newcomers = np.setdiff1d(came, before.player, assume_unique=True)
    everyone = np.sort(np.concatenate([before.player, newcomers]))
    old, new = np.searchsorted(everyone, before.player), np.searchsorted(everyone, who)

    def carried(values: I64, otherwise: int = 0) -> I64:
        out = np.full(len(everyone), otherwise, dtype=np.int64)
        out[old] = values
        return out

    visits, last = carried(old_totals.visits), carried(old_totals.last_day, -1)
    first = carried(old_totals.first_day, day)
    visits[new] += 1
    last[new] = day
    theo_total, win_total = carried(old_totals.theo_micro), carried(old_totals.win_cents)
    np.add.at(theo_total, new[at], theo[carded])
    np.add.at(win_total, new[at], win[carded])
    played = np.zeros(len(before.coin_in), dtype=np.int64)
    np.add.at(played, s.machine, s.coin_in)
    meters = before.coin_in + metered(world.config, day, np.arange(len(played)), played)
    totals = PlayerTotals(visits, theo_total, win_total, last, first)
    return narrow(RunningTotals(everyone, totals, meters))


def totals_through(world: World, day: int, who: I64) -> PlayerTotals:
    """Of `who`, in this order; of those who never came, zeros and no days."""
    everybody = everybody_through(world, day)
    known = everybody.totals
    if not len(everybody.player):
        zero = np.zeros(len(who), dtype=np.int64)
        return PlayerTotals(zero, zero, zero, zero - 1, zero - 1)
    at = np.minimum(np.searchsorted(everybody.player, who), len(everybody.player) - 1)
    here = everybody.player[at] == who

    def of(column: I64, otherwise: int = 0) -> I64:
        return np.where(here, column[at].astype(np.int64), otherwise)

    return PlayerTotals(
        of(known.visits),
        of(known.theo_micro),
        of(known.win_cents),
        of(known.last_day, -1),
        of(known.first_day, -1),
    )
