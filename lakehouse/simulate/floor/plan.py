"""The plan of a gaming day: who plays what, when and for how much. Stands alone, day by day."""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lakehouse.errors import BadInput
from lakehouse.regulation.law import Law
from lakehouse.simulate.faults.defects import added
from lakehouse.simulate.floor.collusion import Meeting, meetings, rota_of
from lakehouse.simulate.floor.misconduct import Extra, Observed, Planted
from lakehouse.simulate.floor.planting import planted
from lakehouse.simulate.floor.sessions import Sessions, departures, sessions
from lakehouse.simulate.floor.slot_play import SlotPlay, slot_play
from lakehouse.simulate.floor.table_play import TablePlay, table_play
from lakehouse.simulate.floor.tampering import forced, payouts, with_forced
from lakehouse.simulate.floor.visits import Visits, visits
from lakehouse.simulate.kernel.arrays import join, take
from lakehouse.simulate.kernel.clock import day_seconds, day_start
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64
from lakehouse.simulate.kernel.memory import at_hand, by_day
from lakehouse.simulate.kernel.world import World

CAGE_SHARE = 0.92
"""Part of the cage's rows that table play and hand-pays may take; the rest is services,
marker payments and tickets."""


@dataclass(frozen=True)
class DayPlan:
    """Everything that happens on a gaming day, before it is written down."""

    day: int
    start: int
    """Opening, microseconds since the epoch."""
    length: int
    """Seconds: 23, 24 or 25 hours."""
    visits: Visits
    leave: I64
    """When each visit ends."""
    slots: SlotPlay
    tables: TablePlay
    extras: list[Extra]
    observed: list[Observed]
    rota: I64
    """Who deals where a dealer of the usual rota would."""
    meetings: list[Meeting]


@functools.lru_cache(maxsize=256)
def clean_rows(config: WorldConfig, table: str, day: int) -> int:
    """Rows of a table before defects add to them."""
    return max(0, config.quota(table, day) - added(config, table, day))


def plan(
    config: WorldConfig, law: Law, day: int, left_out: frozenset[int] = frozenset()
) -> DayPlan:
    """`left_out`: numbers of scenarios for which the day has no room. A scenario is planted
    whole or not at all; half of one would be owed a report of nothing."""
    date = config.date(day)
    length = day_seconds(date, config.timezone)
    ordinary, extra = visits(config, day), planted(config, day, left_out)
    offset = len(ordinary)
    everyone = join([ordinary, extra.visits])
    coarse = sessions(config.seed, ordinary, length)
    coarse = join([coarse, _shifted(extra.slots, offset)])
    limit = int((law.on("w2g_slot", date).amount or 0) * 100)
    paying = payouts(config, day)
    slots = slot_play(config, day, everyone, coarse, limit, length, paying)
    leave = departures(everyone, coarse)
    ratings = dataclasses.replace(extra.ratings, visit=extra.ratings.visit + offset)
    met = meetings(config, day, len(everyone), length, left_out)
    everyone = join([everyone, met.visits])
    leave = np.concatenate([leave, met.visits.start])
    np.maximum.at(leave, met.ratings.visit, met.ratings.end + 300)
    tables = table_play(config, day, everyone, coarse, join([ratings, met.ratings]), length)
    rota, lost = rota_of(config, day, met, tables)
    unknown, won = forced(config, day, slots, len(everyone), limit, length, left_out)
    everyone, slots = join([everyone, unknown]), with_forced(slots, won)
    leave = np.concatenate([leave, won.end])
    room = _cage_room(config, day, extra)
    kept_slots, kept_tables = _within_quota(config, day, slots, tables, max(room, 0))
    asked = (extra.slots_of, extra.ratings.scenario, met.ratings.scenario, won.scenario)
    lost |= _lost(np.concatenate(asked), kept_slots, kept_tables)
    if room < 0:
        lost.add(max([*_certain(extra).tolist(), *(e.scenario for e in extra.extras)]))
    if lost:
        return plan(config, law, day, left_out | lost)
    return DayPlan(
        day=day,
        start=day_start(date, config.timezone),
        length=length,
        visits=everyone,
        leave=np.minimum(leave, length - 1),
        slots=kept_slots,
        tables=kept_tables,
        extras=extra.extras,
        observed=extra.observed,
        rota=rota,
        meetings=met.each,
    )


@by_day(at_hand)
def day_plan(world: World, day: int) -> DayPlan:
    """The plan of a world's day. Raises BadInput for a day before its first."""
    if day < 0:
        config = world.config
        raise BadInput(f"{config.date(day)} is before the world's first gaming day {config.start}")
    return plan(world.config, world.law, day)


def _shifted(s: Sessions, offset: int) -> Sessions:
    return dataclasses.replace(s, visit=s.visit + offset)


def _cage_room(config: WorldConfig, day: int, extra: Planted) -> int:
    """Rows of the cage for play and hand-pays, once planted transactions and tickets have
    theirs; below zero where these alone do not fit."""
    rows = clean_rows(config, "financial_txn", day)
    return min(int(CAGE_SHARE * rows), rows - len(extra.extras) - len(_certain(extra)))


def _certain(extra: Planted) -> I64:
    """Scenarios of the sessions whose tickets come to the cage for certain."""
    return extra.slots_of[extra.slots.stuffed > 0]


def _lost(asked: I64, *kept: SlotPlay | TablePlay) -> set[int]:
    """Scenarios, one entry a session, of which one found no machine, no seat or no room for its
    rows."""
    left = np.concatenate([k.scenario for k in kept])
    planted, sessions = np.unique(asked, return_counts=True)
    return {
        int(s) for s, n in zip(planted, sessions, strict=True) if np.count_nonzero(left == s) < n
    }


def _within_quota(
    config: WorldConfig, day: int, slots: SlotPlay, tables: TablePlay, cage: int
) -> tuple[SlotPlay, TablePlay]:
    """Whole sessions are left out, before any total is taken, where a table's rows of the day
    would not hold them: links survive. `cage`: rows for play and hand-pays."""
    pays = slots.handpays
    slots = take(slots, _fitting(pays * 4, slots.key, slots.scenario, cage))
    slots = take(
        slots,
        _fitting(slots.rows, slots.key, slots.scenario, clean_rows(config, "slot_telemetry", day)),
    )
    room = clean_rows(config, "table_games", day)
    room -= min(3 * config.table_count, room // 4)
    tables = take(tables, _fitting(tables.rows, tables.key, tables.scenario, room))
    need = tables.buys + 2 + (tables.marker > 0)
    left = cage - int(slots.handpays.sum())
    return slots, take(tables, _fitting(need, tables.key, tables.scenario, left))


def _fitting(rows: I64, keys: U64, scenario: I64, quota: int) -> NDArray[np.bool_]:
    """Sessions, planted ones first and then in order of hash, while their rows fit."""
    if int(rows.sum()) <= quota:
        return np.ones(len(rows), dtype=bool)
    order = np.lexsort((keys, scenario < 0))
    keep = np.zeros(len(rows), dtype=bool)
    keep[order[np.cumsum(rows[order]) <= quota]] = True
    return keep
