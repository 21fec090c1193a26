"""What the office takes for suspicious: planted scenarios, reported once they are over."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from lakehouse.simulate.compliance.obligations import IN, OUT, OWED
from lakehouse.simulate.kernel.counter import draw, key
from lakehouse.simulate.kernel.ids import players
from lakehouse.simulate.kernel.scenario import Scenario
from lakehouse.simulate.kernel.world import World

CATEGORIES = {
    "structuring": "Structuring",
    "minimal_play": "Minimal gaming with large transactions",
    "chip_walking": "Chip walking",
    "bill_stuffing": "Minimal gaming with large transactions",
    "marker_cycle": "Counter checks or markers",
    "pooling": "Unknown source of chips",
    "threshold_avoidance": "Alters or cancels transaction to avoid CTR requirement",
}
"""Kind of scenario → the form's words; the other kinds are no matter for FinCEN."""
NOTICED = 333
"""Intensity in thousandths from which the office suspects something at all."""


def rows(world: World, days: range) -> pl.DataFrame:
    """Reports owed for scenarios that end on the days, in the shape of an obligation: of those
    that moved money, as a small world has no room for all."""
    ending = [
        _row(world, day, s)
        for day in days
        for s in world.scenarios(day)
        if s.last_day == day and s.kind in CATEGORIES and _is_noticed(s)
    ]
    return pl.DataFrame(ending, schema=OWED).filter(pl.col("amount_cents") > 0)


def _is_noticed(s: Scenario) -> bool:
    return s.permille >= NOTICED and not s.is_look_alike


def _row(world: World, day: int, s: Scenario) -> dict[str, object]:
    date = world.config.date(day)
    period = world.law.on("sar", date)
    first = world.config.date(s.first_day)
    suspect = s.suspect
    cents = _moved(world, s, suspect)
    return {
        "form": "SAR",
        "hash": int(draw(key(world.config.seed, "obligation:SAR", day), np.array([s.number]))[0]),
        "player": suspect,
        "subject": date,
        "due": date + dt.timedelta(days=period.due_days or 0),
        "amount_cents": cents,
        "category": CATEGORIES[s.kind],
        "narrative": (
            f"From {first} to {date} patron {players(np.array([suspect]))[0]} moved "
            f"${cents / 100:,.2f} in a way that suggests: {CATEGORIES[s.kind].lower()}."
        ),
        "activity": first,
        "obligation": f"SAR-{date}-{s.number}",
        "is_held": False,
        "day": day,
    }


def _moved(world: World, s: Scenario, suspect: int) -> int:
    """Cents through the cage over the scenario's days, in or out, whichever is more."""
    total = {IN: 0, OUT: 0}
    for day in range(s.first_day, s.last_day + 1):
        c = world.cash(day)
        for side in total:
            mine = (c.player == suspect) & np.isin(c.kind, side)
            total[side] += int(c.cents[mine].sum())
    return max(total.values())
