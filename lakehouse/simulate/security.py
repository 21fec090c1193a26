"""Security events: they follow people through doors, past checks and to the jackpot.

First what has a cause (violations, escorts, incidents), then the staff's badges on the rota,
exclusion checks at the doors, cameras, and patrols up to the day's exact row count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.contracts.slots import ZONES as SLOT_ZONES
from lakehouse.contracts.tables import SHIFTS
from lakehouse.simulate import floor, frames, person, rota
from lakehouse.simulate.clock import stamp
from lakehouse.simulate.counter import I64, U64, below, chance, draw, key, pick
from lakehouse.simulate.defects import added
from lakehouse.simulate.ids import event_ids, machines, numbered, players

if TYPE_CHECKING:
    from lakehouse.simulate.world import World

ESCORT_CENTS = 1_000_000
"""A hand-pay from here on is walked to the door."""
# Shares of a day's rows [assumptions].
_BADGES, _CHECKS, _CAMERAS, _INCIDENTS = 0.45, 0.30, 0.03, 0.006
DENIED = 0.012
"""Badges that the door refuses."""
ENTRANCES = ("North Entrance", "South Entrance", "Hotel Lobby", "Garage Elevator")
_ENTRANCE_ZONES = ("North", "South", "East", "West")
DENIED_REASONS = ("Badge expired", "Not on this shift", "Area not permitted", "Anti-passback")
INCIDENTS = (
    ("PATRON_COMPLAINT", "Service", "Low", "Patron complained about a wait or a payment."),
    ("MEDICAL_EMERGENCY", "Medical", "High", "Patron felt unwell; first aid was given."),
    ("ALTERCATION", "Disturbance", "Medium", "Two patrons argued; they were separated."),
    ("SUSPICIOUS_ACTIVITY", "Observation", "Medium", "Patron was seen watching the cage."),
    ("INCIDENT_REPORT", "Property", "Low", "Lost property was handed in."),
    ("TRESPASS", "Trespass", "Medium", "Person came back after a trespass notice."),
    ("THREAT_DETECTED", "Threat", "Critical", "Verbal threat against an employee."),
)
_INCIDENT_WEIGHTS = (30, 14, 14, 14, 18, 8, 2)
CAMERA_EVENTS = (
    ("MOTION_DETECTED", "Motion in a closed area"),
    ("CAMERA_ALERT", "Loitering"),
    ("CAMERA_OBSTRUCTION", "Lens covered"),
)
ROUTES = ("Floor loop", "Back of house", "Garage", "Cage and vault", "Hotel tower")
_SCHEMA = pl.Schema(
    {
        "event_type": pl.String(),
        "second": pl.Int64(),
        "zone": pl.String(),
        "location_detail": pl.String(),
        "security_level": pl.String(),
        "employee_id": pl.String(),
        "badge_number": pl.String(),
        "camera_id": pl.String(),
        "access_granted": pl.Boolean(),
        "access_denied_reason": pl.String(),
        "incident_number": pl.String(),
        "incident_category": pl.String(),
        "incident_severity": pl.String(),
        "incident_description": pl.String(),
        "responding_officer_id": pl.String(),
        "resolution_status": pl.String(),
        "vehicle_license_plate": pl.String(),
        "alarm_type": pl.String(),
        "patrol_route": pl.String(),
        "player": pl.Int64(),
    }
)


def events(world: World, day: int) -> pl.DataFrame:
    """security_events of a gaming day in bronze shape, in order of time: exactly the day's
    quota of rows (less those that defects will add)."""
    config = world.config
    rows = max(0, config.quota("security_events", day) - added(config, "security_events", day))
    parts = [
        _violations(world, day),
        _escorts(world, day),
        _incidents(world, day, rows),
        _badges(world, day).head(int(_BADGES * rows)),
        _checks(world, day).head(int(_CHECKS * rows)),
        _cameras(world, day, int(_CAMERAS * rows)),
    ]
    spare = rows - sum(p.height for p in parts)
    parts = [_SCHEMA.to_frame(), *parts, _patrols(world, day, spare)]
    whole = pl.concat(parts, how="diagonal").head(rows)
    order = np.argsort(whole["second"].to_numpy(), kind="stable")
    whole = whole[order]
    second = whole["second"].to_numpy()
    event = world.utc(day, second)
    texts = [c for c in _SCHEMA if c not in ("second", "player")]
    return frames.frame(
        "security_events",
        {
            "event_id": event_ids(config.seed, "security_events", day, order),
            **{c: whole[c] for c in texts},
            "event_timestamp": frames.utc(event),
            "shift": frames.code(SHIFTS, floor.shift_of(second)),
            "player_id": players(whole["player"].fill_null(-1).to_numpy()),
            **stamp("security_events", config.date(day), event),
        },
    )


def _part(n: int, **given: object) -> pl.DataFrame:
    """`n` rows of some of _SCHEMA's columns: single values are repeated."""
    if not n:
        return _SCHEMA.to_frame()
    return pl.DataFrame(
        {
            c: v
            if isinstance(v, (pl.Series, np.ndarray))
            else pl.Series([v], dtype=_SCHEMA[c]).new_from_index(0, n)
            for c, v in given.items()
        }
    )


def _hash(world: World, day: int, stream: str, *entities: NDArray[np.generic]) -> U64:
    return draw(key(world.config.seed, f"security:{stream}", day), *entities)


def _violations(world: World, day: int) -> pl.DataFrame:
    """Excluded patrons whom the doors let in, found while they play."""
    v, plan = world.visits(day), world.plan(day)
    at = np.flatnonzero(person.excluded(world.config, v.player, day))
    h = _hash(world, day, "violation", v.key[at])
    found = v.start[at] + (plan.leave[at] - v.start[at]) * (40 + below(h, 50)) // 100
    zones = np.full(len(v), -1, dtype=np.int64)
    zones[plan.slots.visit] = _machine_zone(world, plan.slots.machine)
    place = np.where(zones[at] >= 0, zones[at], below(h, 4))
    return _part(
        len(at),
        event_type="EXCLUSION_VIOLATION",
        second=found,
        zone=frames.code(SLOT_ZONES, place),
        location_detail="Gaming floor",
        security_level="Public",
        camera_id=_camera(h),
        access_granted=True,
        incident_number=_incident_number(h),
        incident_category="Self-exclusion",
        incident_severity="High",
        incident_description="Self-excluded patron found at play and led out.",
        responding_officer_id=rota.guard_on_duty(world, found, h),
        resolution_status="Resolved",
        player=v.player[at],
    )


def _escorts(world: World, day: int) -> pl.DataFrame:
    """One per big hand-pay, from the machine, two minutes after it was paid."""
    pays, plan = world.hand_pays(day), world.plan(day)
    at = np.flatnonzero(pays.cents >= ESCORT_CENTS)
    machine = plan.slots.machine[pays.session[at]]
    h = _hash(world, day, "escort", plan.slots.key[pays.session[at]], pays.cents[at])
    second = np.minimum(pays.paid[at] + 120, plan.length - 1)
    return _part(
        len(at),
        event_type="ESCORT_REQUEST",
        second=second,
        zone=frames.code(SLOT_ZONES, _machine_zone(world, machine)),
        location_detail=machines(machine),
        security_level="Public",
        responding_officer_id=rota.guard_on_duty(world, second, h),
        resolution_status="Resolved",
        player=pays.player[at],
    )


def _incidents(world: World, day: int, rows: int) -> pl.DataFrame:
    """What happens among patrons: as busy as the floor, at a time when somebody is there."""
    v, plan = world.visits(day), world.plan(day)
    count = min(round(_INCIDENTS * rows), len(v))
    at = np.argsort(_hash(world, day, "incident", v.key), kind="stable")[:count]
    h = _hash(world, day, "incident-kind", v.key[at])
    second = v.start[at] + (plan.leave[at] - v.start[at]) * below(h, 100) // 100
    kind = pick(h, _INCIDENT_WEIGHTS)
    trespass = kind == 5
    plate = "7" + frames.code("ABCDEFGHJKLM", below(h, 12)) + "XX" + numbered("", below(h, 1000), 3)
    field = [frames.code([i[k] for i in INCIDENTS], kind) for k in range(4)]
    return _part(
        len(at),
        event_type=field[0],
        second=second,
        zone=frames.code(SLOT_ZONES, below(h << np.uint64(9), 5)),
        location_detail=frames.code(("Gaming floor", "Garage"), trespass.astype(np.int64)),
        security_level="Public",
        camera_id=_camera(h),
        incident_number=_incident_number(h),
        incident_category=field[1],
        incident_severity=field[2],
        incident_description=field[3],
        responding_officer_id=rota.guard_on_duty(world, second, h),
        resolution_status=frames.code(("Resolved", "Open", "Escalated"), pick(h, (80, 14, 6))),
        vehicle_license_plate=plate.set(pl.Series(~trespass, dtype=pl.Boolean), None),
    )


def _badges(world: World, day: int) -> pl.DataFrame:
    """Badges on the rota: everybody comes and goes; breaks follow while rows last. A refused
    badge is tried at a door where its owner has no business."""
    s = rota.swipes(world, day)
    h = _hash(world, day, "badge", s.badge, s.second)
    refused = chance(h, DENIED)
    reason = below(h << np.uint64(17), len(DENIED_REASONS))
    kind = np.where(refused, 2, np.where(s.is_break, 1, 0))
    return _part(
        len(s.second),
        event_type=frames.code(("BADGE_SWIPE", "DOOR_ENTRY", "ACCESS_DENIED"), kind),
        second=s.second,
        zone=frames.code(SLOT_ZONES, below(h, 5)),
        location_detail=frames.code(("Staff Entrance", "Break Room", "Vault Corridor"), kind),
        security_level=frames.code(("Employee", "Employee", "Restricted"), kind),
        employee_id=s.employee,
        badge_number=numbered("BDG-", s.badge, 5),
        access_granted=~refused,
        access_denied_reason=frames.code(DENIED_REASONS, reason, refused),
    )


def _checks(world: World, day: int) -> pl.DataFrame:
    """Carded arrivals checked against the exclusion list; a violator slipped past."""
    v = world.visits(day)
    at = np.flatnonzero((v.player >= 0) & ~person.excluded(world.config, v.player, day))
    h = _hash(world, day, "check", v.key[at])
    order = np.argsort(h, kind="stable")
    at, h = at[order], h[order]
    door = below(h << np.uint64(5), len(ENTRANCES))
    return _part(
        len(at),
        event_type="EXCLUSION_CHECK",
        second=v.start[at],
        zone=frames.code(_ENTRANCE_ZONES, door),
        location_detail=frames.code(ENTRANCES, door),
        security_level="Public",
        camera_id=numbered("CAM-", door + 1, 3),
        access_granted=True,
        player=v.player[at],
    )


def _cameras(world: World, day: int, count: int) -> pl.DataFrame:
    h = _hash(world, day, "camera", np.arange(count))
    kind = pick(h, (60, 34, 6))
    return _part(
        count,
        event_type=frames.code([e for e, _ in CAMERA_EVENTS], kind),
        second=below(h, world.plan(day).length),
        zone=frames.code(SLOT_ZONES, below(h << np.uint64(9), 7)),
        location_detail=frames.code(("Corridor", "Gaming floor", "Loading dock"), kind),
        security_level=frames.code(("Restricted", "Public", "Restricted"), kind),
        camera_id=_camera(h),
        alarm_type=frames.code([a for _, a in CAMERA_EVENTS], kind),
    )


def _patrols(world: World, day: int, count: int) -> pl.DataFrame:
    """Rounds by the guards on duty, evenly over the day."""
    k = np.arange(max(count, 0))
    length = world.plan(day).length
    second = k * length // max(count, 1)
    h = _hash(world, day, "patrol", k)
    route = below(h, len(ROUTES))
    return _part(
        len(k),
        event_type="SECURITY_PATROL",
        second=second,
        zone=frames.code(SLOT_ZONES, below(h << np.uint64(9), 7)),
        location_detail="Checkpoint " + numbered("", 1 + below(h << np.uint64(13), 40), 2),
        security_level=frames.code(
            ("Public", "Employee", "Public", "High Security", "Public"), route
        ),
        employee_id=rota.guard_on_duty(world, second, h),
        patrol_route=frames.code(ROUTES, route),
    )


def _machine_zone(world: World, machine: I64) -> I64:
    return floor.machines(world.config.seed, world.config.machine_count).zone[machine]


def _camera(h: U64) -> pl.Series:
    return numbered("CAM-", 10 + below(h << np.uint64(3), 240), 3)


def _incident_number(h: U64) -> pl.Series:
    return numbered("INC-", (h >> np.uint64(24)).astype(np.int64), 13)
