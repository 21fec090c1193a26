"""Who serves at the cage's windows, who approves, and what is voided: by the usual habits, and by
cashiers who override or void more than others. A busy shift is the honest look-alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lakehouse.simulate.faults.house_cases import Case, are_planted, of_kind
from lakehouse.simulate.floor import layout
from lakehouse.simulate.kernel.cash import Cash
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import F64, I64, below, draw, key, uniform
from lakehouse.simulate.kernel.staff import CASHIERS, FIRST_SUPERVISOR, SHIFTS, SUPERVISORS

APPROVED_CENTS = 1_000_000
"""Over this a supervisor approves."""
OVERRIDES, VOIDS = 0.010, 0.012
"""Of transactions that need no approval, and of those that no ticket names [assumptions]."""


@dataclass(frozen=True)
class Staffed:
    """One entry a transaction."""

    cashier: I64
    supervisor: I64
    """Below zero: nobody."""
    voids: NDArray[np.bool_]


def approver(cents: I64) -> I64:
    """Who approves a transaction for its amount."""
    by = FIRST_SUPERVISOR + below(draw(0, cents), SUPERVISORS)
    return np.where(cents > APPROVED_CENTS, by, -2)


def at_windows(config: WorldConfig, day: int, position: I64, c: Cash) -> Staffed:
    """`position`: of each transaction among the day's, in whatever order they are given."""
    shift = layout.shift_of(c.second)
    h = draw(key(config.seed, "cashier", day), c.second)
    cashier = shift * CASHIERS + below(h, CASHIERS)
    supervisor = approver(c.cents)
    if not are_planted(config):
        return Staffed(cashier, supervisor, np.zeros(len(c), dtype=bool))
    cashier = _at_busy_windows(config, day, position, shift, cashier)
    voids = _happens(config, day, "cashier_voids", VOIDS, cashier, position) & (c.ticket == 0)
    overridden = _happens(config, day, "cashier_overrides", OVERRIDES, cashier, position)
    overridden &= supervisor < 0
    by = FIRST_SUPERVISOR + below(draw(key(config.seed, "overrides", day), position), SUPERVISORS)
    for one in _active(config, day, "cashier_overrides"):
        friend = uniform(draw(key(config.seed, "friend", day), position)) < one.intensity
        by[friend & (cashier == one.entity)] = FIRST_SUPERVISOR + one.number % SUPERVISORS
    return Staffed(cashier, np.where(overridden, by, supervisor), voids)


def _active(config: WorldConfig, day: int, kind: str) -> list[Case]:
    """Cases that are at it on the day."""
    found = (c for c in of_kind(config, day, kind) if not c.is_look_alike)
    return [c for c in found if c.luck("active", day) < 0.5 + 0.5 * c.intensity]


def active_cases(config: WorldConfig, day: int) -> list[Case]:
    """Cases and look-alikes of cashiers that show on the day, if there is business."""
    kinds = ("cashier_overrides", "cashier_voids")
    busy = [c for c in of_kind(config, day, *kinds) if c.is_look_alike]
    return [*(c for kind in kinds for c in _active(config, day, kind)), *busy]


def _happens(
    config: WorldConfig, day: int, kind: str, usual: float, cashier: I64, position: I64
) -> NDArray[np.bool_]:
    rate: F64 = np.full(SHIFTS * CASHIERS, usual)
    for c in _active(config, day, kind):
        rate[c.entity] += 0.30 * c.intensity
    return uniform(draw(key(config.seed, kind, day), position)) < rate[cashier]


def _at_busy_windows(config: WorldConfig, day: int, position: I64, shift: I64, cashier: I64) -> I64:
    """Business that colleagues of the shift leave to one window."""
    u = uniform(draw(key(config.seed, "busy", day), position))
    out = cashier.copy()
    for c in of_kind(config, day, "cashier_overrides", "cashier_voids"):
        if c.is_look_alike:
            out[(shift == c.entity // CASHIERS) & (u < 0.05 + 0.25 * c.intensity)] = c.entity
    return out
