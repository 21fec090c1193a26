"""Rows of slot telemetry beside those of sessions: readings, tilts, power and doors. They bring
a day to its row count; some of them a case turns into something else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lakehouse.contracts.floor.slots import EVENT_TYPES
from lakehouse.simulate.faults.house_cases import Case
from lakehouse.simulate.floor.plan import clean_rows, day_plan
from lakehouse.simulate.floor.tampering import known_openings, quiet_readings, unknown_openings
from lakehouse.simulate.kernel.counter import F64, I64
from lakehouse.simulate.kernel.memory import by_day
from lakehouse.simulate.kernel.world import World

PLAY, METER, BILL, TICKET, TILT, JACKPOT, DOOR_OPEN, DOOR_CLOSE, ON, OFF = (
    EVENT_TYPES.index(t)
    for t in (
        "GAME_PLAY",
        "METER_UPDATE",
        "BILL_IN",
        "TICKET_OUT",
        "TILT",
        "JACKPOT",
        "DOOR_OPEN",
        "DOOR_CLOSE",
        "POWER_ON",
        "POWER_OFF",
    )
)
_FILLERS = np.array([METER] * 56 + [TILT, TILT, DOOR_OPEN, DOOR_CLOSE, OFF, ON, METER, METER])


def fillers(world: World, day: int) -> int:
    """Rows of the day beside those of sessions."""
    rows = clean_rows(world.config, "slot_telemetry", day)
    return rows - int(day_plan(world, day).slots.rows.sum())


def filler_seconds(k: I64, length: int) -> I64:
    return k * 2_654_435_761 % (length - 60)


@by_day(2)
def filler_kinds(world: World, day: int) -> I64:
    """Of each row of the day beside those of sessions, what it is."""
    kinds = np.resize(_FILLERS, fillers(world, day))
    readings = kinds == METER
    kinds[quiet_readings(world.config, day, readings)] = TILT
    kinds[list(known_openings(world.config, day, readings))] = DOOR_OPEN
    kinds[list(unknown_openings(world.config, day, readings))] = DOOR_OPEN
    return kinds


@dataclass(frozen=True)
class Doors:
    """Openings of machines, in the order of their rows beside those of sessions."""

    machine: I64
    second: I64
    is_known: NDArray[np.bool_]
    """Whether a technician was there for it."""
    covered: F64
    """Otherwise, how likely one was at the machine beside."""


def openings(world: World, day: int) -> list[tuple[Case, int]]:
    """Cases of which a door was opened, and repairs, each with the second."""
    readings = np.resize(_FILLERS, fillers(world, day)) == METER
    found = known_openings(world.config, day, readings)
    found |= unknown_openings(world.config, day, readings)
    seconds = filler_seconds(np.array(list(found), np.int64), day_plan(world, day).length)
    return [(o.case, int(s)) for o, s in zip(found.values(), seconds, strict=True)]


def doors(world: World, day: int) -> Doors:
    kinds = filler_kinds(world, day)
    opened = np.flatnonzero(kinds == DOOR_OPEN)
    by = unknown_openings(world.config, day, np.resize(_FILLERS, len(kinds)) == METER)
    return Doors(
        machine=opened * world.config.machine_count // max(len(kinds), 1),
        second=filler_seconds(opened, day_plan(world, day).length),
        is_known=~np.isin(opened, list(by)),
        covered=np.array([by[k].covered if k in by else 0.0 for k in opened.tolist()]),
    )
