"""Doors that are watched where staff misbehaves: technicians at machines, people at doors inside,
and those who came on a visitor's pass."""

from __future__ import annotations

import numpy as np
import polars as pl

from lakehouse.contracts.floor.slots import ZONES as SLOT_ZONES
from lakehouse.simulate.floor import fillers, layout, rota
from lakehouse.simulate.floor.happenings import Columns, Happenings, happenings, hashed
from lakehouse.simulate.kernel import frames
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, below, uniform
from lakehouse.simulate.kernel.ids import dealers, employees, machines, numbered
from lakehouse.simulate.kernel.staff import (
    DEALER_BADGES,
    FIRST_TECHNICIAN,
    SHIFTS,
    TECHNICIANS,
    badge_at,
)
from lakehouse.simulate.kernel.world import World

TECHNICIAN, INSIDE, VISITOR = 7, 8, 9
_INSIDE = 0.03
"""Reads at doors inside, of a day's rows."""
NEXT_DOOR = 0.05
"""Technicians who have their badge read at the machine beside [assumption]."""
_DOORS = ("Break Room", "Vault Corridor", "Count Room")


def happened(world: World, day: int, rows: int) -> list[Happenings]:
    """As many as a day of `rows` rows has room for."""
    inside = _inside(world, day, int(_INSIDE * rows))
    return [_visitors(world, day), inside, _technicians(world, day)]


def holders(badge: I64) -> pl.Series:
    """Who has a badge."""
    dealing = pl.Series(badge >= DEALER_BADGES)
    return dealers(badge - DEALER_BADGES).zip_with(dealing, employees(badge))


def _technicians(world: World, day: int) -> Happenings:
    """Before a machine is opened its technician has his badge read there; of one who is not to
    be known there is at most work next door."""
    doors = fillers.doors(world, day)
    h = hashed(world, day, "technician", doors.machine, doors.second)
    u = uniform(h << np.uint64(13))
    beside = np.where(doors.is_known, u < NEXT_DOOR, True)
    there = np.flatnonzero(doors.is_known | (u < doors.covered))
    at = (doors.machine + beside)[there] % world.config.machine_count
    second = np.maximum(doors.second[there] - 20 - below(h[there], 600), 0)
    turn = below(h[there] << np.uint64(7), TECHNICIANS // SHIFTS)
    who = FIRST_TECHNICIAN + layout.shift_of(second) * (TECHNICIANS // SHIFTS) + turn
    return happenings(TECHNICIAN, h[there], second, place=at, badge=who)


def technician_columns(config: WorldConfig, r: Happenings) -> Columns:
    zone = layout.machines(config.seed, config.machine_count).zone[r.place]
    return dict(
        event_type="ACCESS_GRANTED",
        zone=frames.code(SLOT_ZONES, zone),
        location_detail=machines(r.place),
        security_level="Restricted",
        employee_id=employees(r.badge),
        badge_number=numbered("BDG-", r.badge, 5),
        access_granted=True,
    )


def _inside(world: World, day: int, count: int) -> Happenings:
    r = rota.inside(world, day, count)
    h = hashed(world, day, "inside", r.badge, r.second)
    return happenings(INSIDE, h, r.second, place=r.door, badge=r.badge, case=r.case)


def inside_columns(config: WorldConfig, r: Happenings) -> Columns:  # noqa: ARG001
    level = (r.place > 0).astype(np.int64)
    return dict(
        event_type="DOOR_ENTRY",
        zone=frames.code(SLOT_ZONES, below(r.h, 5)),
        location_detail=frames.code(_DOORS, r.place),
        security_level=frames.code(("Employee", "Restricted"), level),
        employee_id=holders(r.badge),
        badge_number=numbered("BDG-", r.badge, 5),
        access_granted=True,
    )


def _visitors(world: World, day: int) -> Happenings:
    """Those who forgot their badge, on their arrival."""
    forgot = [c for c in rota.tailgating(world.config, day) if c.is_look_alike]
    badge = np.array([badge_at(world.config, c.entity) for c in forgot], dtype=np.int64)
    crew = rota.crew(world, day)
    order = np.argsort(crew.badge)
    second = crew.comes[order[np.searchsorted(crew.badge, badge, sorter=order)]]
    case = np.array([c.number for c in forgot], dtype=np.int64)
    return happenings(VISITOR, hashed(world, day, "visitor", badge), second, badge=badge, case=case)


def visitor_columns(config: WorldConfig, r: Happenings) -> Columns:  # noqa: ARG001
    return dict(
        event_type="ACCESS_GRANTED",
        zone=frames.code(SLOT_ZONES, below(r.h, 5)),
        location_detail="Staff Entrance",
        security_level="Employee",
        employee_id=holders(r.badge),
        visitor_id=numbered("VIS-", below(r.h << np.uint64(9), 10_000), 4),
        access_granted=True,
    )
