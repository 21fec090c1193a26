"""Where a player stands at the close of a day, from the world's ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lakehouse.simulate.kernel.counter import I64

if TYPE_CHECKING:
    from lakehouse.simulate.world import World


def totals(world: World, day: int, who: I64) -> tuple[I64, I64, I64, I64]:
    """visits, theo (1e-6 USD), the house's win (cents) and last day (-1: none) of `who`,
    from the opening of the books through `day`."""
    ledger = world.ledger(day)
    if not len(ledger.player):
        zero = np.zeros(len(who), dtype=np.int64)
        return zero, zero, zero, zero - 1
    at = np.minimum(np.searchsorted(ledger.player, who), len(ledger.player) - 1)
    known = ledger.player[at] == who
    visits, theo, win = (
        np.where(known, column[at], 0)
        for column in (ledger.visits, ledger.theo_micro, ledger.win_cents)
    )
    return visits, theo, win, np.where(known, ledger.last_day[at], -1)


def first_days(world: World, day: int, who: I64) -> I64:
    """First day, through `day`, on which each of `who` came; -1: none."""
    ledger = world.ledger(day)
    if not len(ledger.player):
        return np.full(len(who), -1)
    at = np.minimum(np.searchsorted(ledger.player, who), len(ledger.player) - 1)
    return np.where(ledger.player[at] == who, ledger.first_day[at], -1)
