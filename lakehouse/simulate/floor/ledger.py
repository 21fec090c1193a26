"""Running totals of players and machines: what a profile or a meter shows at a day's close."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lakehouse.simulate.floor.plan import DayPlan
from lakehouse.simulate.kernel.counter import I64


@dataclass(frozen=True)
class Ledger:
    """Sorted by player; totals since the world's first day."""

    player: I64
    visits: I64
    """Gaming days with a session."""
    theo_micro: I64
    """Millionths of a dollar."""
    win_cents: I64
    """The house's."""
    last_day: I64
    """Last gaming day with a session, or -1."""
    first_day: I64
    """First gaming day on which the player came."""
    meters: I64
    """Coin-in meter of each machine, cents."""

    @classmethod
    def empty(cls, machines: int) -> Ledger:
        none = np.zeros(0, dtype=np.int64)
        return cls(none, none, none, none, none, none, np.zeros(machines, dtype=np.int64))


def close(before: Ledger, p: DayPlan) -> Ledger:
    """The ledger after one more day."""
    s, t = p.slots, p.tables
    player = np.concatenate([s.player, t.player])
    theo = np.concatenate([s.theo_micro, t.theo_micro])
    win = np.concatenate([s.coin_in - s.coin_out - s.jackpot, t.win])
    carded = player >= 0
    who, at = np.unique(player[carded], return_inverse=True)
    came = p.visits.player[p.visits.player >= 0]
    everyone = np.unique(np.concatenate([before.player, who, came]))
    old, new = np.searchsorted(everyone, before.player), np.searchsorted(everyone, who)

    def carried(values: I64, otherwise: int = 0) -> I64:
        out = np.full(len(everyone), otherwise, dtype=np.int64)
        out[old] = values
        return out

    visits, last = carried(before.visits), carried(before.last_day, -1)
    first = carried(before.first_day, p.day)
    visits[new] += 1
    last[new] = p.day
    theo_total, win_total = carried(before.theo_micro), carried(before.win_cents)
    np.add.at(theo_total, new[at], theo[carded])
    np.add.at(win_total, new[at], win[carded])
    meters = before.meters.copy()
    np.add.at(meters, s.machine, s.coin_in)
    return Ledger(everyone, visits, theo_total, win_total, last, first, meters)
