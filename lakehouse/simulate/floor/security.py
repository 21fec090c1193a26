"""Security events: they follow people through doors, past checks and to the jackpot.

First what has a cause (violations, escorts, incidents), then the staff's badges on the rota,
exclusion checks at the doors, cameras, and patrols up to the day's exact row count.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import polars as pl

from lakehouse.contracts.floor.slots import ZONES as SLOT_ZONES
from lakehouse.contracts.floor.tables import SHIFTS
from lakehouse.simulate.faults.defects import added
from lakehouse.simulate.faults.house_cases import are_planted
from lakehouse.simulate.floor import access, layout, rota
from lakehouse.simulate.floor.access import holders
from lakehouse.simulate.floor.cage_cash import hand_pays_on
from lakehouse.simulate.floor.happenings import Columns, Happenings, happenings, hashed
from lakehouse.simulate.floor.plan import day_plan
from lakehouse.simulate.kernel import frames, person
from lakehouse.simulate.kernel.arrays import join, order_of, take
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below, chance, pick
from lakehouse.simulate.kernel.ids import event_ids, machines, numbered, players
from lakehouse.simulate.kernel.producers import producer
from lakehouse.simulate.kernel.world import World

BADGES = 3
"""Position among the causes."""
ESCORT_CENTS = 1_000_000
"""A hand-pay from here on is walked to the door."""
# Shares of a day's rows [assumptions].
_BADGES, _CHECKS, _CAMERAS, _INCIDENTS = 0.45, 0.30, 0.03, 0.006
_WATCHED, _CHECKED = 0.60, 0.22
"""Badges and checks where staff misbehaves and doors are watched."""
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
_SEVERITIES = {"ACCESS_DENIED": "MEDIUM", "CAMERA_OBSTRUCTION": "MEDIUM"}
"""Of events that are no incident; the others are low."""
_LOCATION_CHARACTERS = 10
_SCHEMA = pl.Schema(
    {
        "event_type": pl.String(),
        "zone": pl.String(),
        "location_detail": pl.String(),
        "security_level": pl.String(),
        "employee_id": pl.String(),
        "badge_number": pl.String(),
        "visitor_id": pl.String(),
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
    }
)


def dress(config: WorldConfig, r: Happenings) -> pl.DataFrame:
    """Turns the numbers of a stretch into rows of bronze."""
    by_cause = order_of(r.cause)
    sizes = np.bincount(r.cause, minlength=len(_CAUSES))
    ends = np.cumsum(sizes)
    parts = [
        _part(n, make(config, take(r, by_cause[end - n : end])))
        for make, n, end in zip(_CAUSES, sizes.tolist(), ends.tolist(), strict=True)
        if n
    ]
    back = np.empty(len(r), dtype=np.int64)
    back[by_cause] = np.arange(len(r))
    whole = pl.concat([_SCHEMA.to_frame(), *parts], how="diagonal")[back]
    return frames.frame(
        "security_events",
        {
            "event_id": event_ids(config.seed, "security_events", r.day, r.ordinal),
            **{c: whole[c] for c in _SCHEMA},
            "location_id": _location_ids(whole["location_detail"]),
            "severity_level": _severities(whole["event_type"], whole["incident_severity"]),
            "event_timestamp": frames.utc(r.event),
            "shift": frames.code(SHIFTS, layout.shift_of(r.second)),
            "player_id": players(r.player),
            **stamp("security_events", gaming_days(config.start, r.day), r.event),
        },
    )


@producer(
    "security_events",
    dress=dress,
    clashing="location_detail",
    needed_rows=pl.col("event_type") == "ACCESS_GRANTED",
)
def rows_of(world: World, day: int) -> Happenings:
    """A day's events in order of time: exactly its quota of rows, less those that defects
    will add."""
    config = world.config
    rows = max(0, config.quota("security_events", day) - added(config, "security_events", day))
    badges, checks = (_BADGES, _CHECKS) if not are_planted(config) else (_WATCHED, _CHECKED)
    parts = [
        _violations(world, day),
        _escorts(world, day),
        _incidents(world, day, rows),
        _badges(world, day, int(badges * rows)),
        take(_checks(world, day), slice(int(checks * rows))),
        _cameras(world, day, int(_CAMERAS * rows)),
    ]
    if are_planted(config):
        parts = [*access.happened(world, day, rows), *parts]
    spare = rows - sum(len(p) for p in parts)
    whole = take(join([*parts, _patrols(world, day, spare)]), slice(rows))
    order = order_of(whole.second)
    whole = take(whole, order)
    return dataclasses.replace(
        whole,
        day=np.full(len(whole), day),
        ordinal=order,
        event=world.utc(day, whole.second),
    )


def _location_ids(detail: pl.Series) -> pl.Series:
    """LOC-CHECKPNT07 of Checkpoint 07: its beginning and its end, as the number stands there."""
    plain = detail.str.to_uppercase().str.replace_all("[^A-Z0-9]", "")
    whole = plain.str.len_chars() <= _LOCATION_CHARACTERS
    return "LOC-" + plain.zip_with(whole, plain.str.head(6) + plain.str.tail(4))


def _severities(kind: pl.Series, incident: pl.Series) -> pl.Series:
    usual = kind.replace_strict(_SEVERITIES, default="LOW", return_dtype=pl.String)
    return incident.str.to_uppercase().zip_with(incident.is_not_null(), usual)


def _part(n: int, columns: dict[str, pl.Series | str | bool]) -> pl.DataFrame:
    """One cause's rows: what it says of them; a plain value holds for all."""
    return pl.DataFrame(
        {
            c: v if isinstance(v, pl.Series) else pl.repeat(v, n, dtype=_SCHEMA[c], eager=True)
            for c, v in columns.items()
        }
    )


def _violations(world: World, day: int) -> Happenings:
    """Excluded patrons whom the doors let in, found while they play."""
    plan = day_plan(world, day)
    v = plan.visits
    at = np.flatnonzero(person.excluded(world.config, v.player, day))
    h = hashed(world, day, "violation", v.key[at])
    found = v.start[at] + (plan.leave[at] - v.start[at]) * (40 + below(h, 50)) // 100
    zones = np.full(len(v), -1, dtype=np.int64)
    zones[plan.slots.visit] = _machine_zone(world.config, plan.slots.machine)
    place = np.where(zones[at] >= 0, zones[at], below(h, 4))
    return happenings(0, h, found, player=v.player[at], place=place)


def _violation_columns(config: WorldConfig, r: Happenings) -> Columns:
    return dict(
        event_type="EXCLUSION_VIOLATION",
        zone=frames.code(SLOT_ZONES, r.place),
        location_detail="Gaming floor",
        security_level="Public",
        camera_id=_camera(r.h),
        access_granted=True,
        incident_number=_incident_number(r.h),
        incident_category="Self-exclusion",
        incident_severity="High",
        incident_description="Self-excluded patron found at play and led out.",
        responding_officer_id=rota.guard_on_duty(config, r.second, r.h),
        resolution_status="Resolved",
    )


def _escorts(world: World, day: int) -> Happenings:
    """One per big hand-pay, from the machine, two minutes after it was paid."""
    pays, plan = hand_pays_on(world, day), day_plan(world, day)
    at = np.flatnonzero(pays.cents >= ESCORT_CENTS)
    session = pays.session[at]
    h = hashed(world, day, "escort", plan.slots.key[session], pays.cents[at])
    second = np.minimum(pays.paid[at] + 120, plan.length - 1)
    return happenings(1, h, second, player=pays.player[at], place=plan.slots.machine[session])


def _escort_columns(config: WorldConfig, r: Happenings) -> Columns:
    return dict(
        event_type="ESCORT_REQUEST",
        zone=frames.code(SLOT_ZONES, _machine_zone(config, r.place)),
        location_detail=machines(r.place),
        security_level="Public",
        responding_officer_id=rota.guard_on_duty(config, r.second, r.h),
        resolution_status="Resolved",
    )


def _incidents(world: World, day: int, rows: int) -> Happenings:
    """What happens among patrons: as busy as the floor, at a time when somebody is there."""
    plan = day_plan(world, day)
    v = plan.visits
    count = min(round(_INCIDENTS * rows), len(v))
    at = order_of(hashed(world, day, "incident", v.key))[:count]
    h = hashed(world, day, "incident-kind", v.key[at])
    return happenings(2, h, v.start[at] + (plan.leave[at] - v.start[at]) * below(h, 100) // 100)


def _incident_columns(config: WorldConfig, r: Happenings) -> Columns:
    kind = pick(r.h, _INCIDENT_WEIGHTS)
    trespass = kind == 5
    letter = frames.code("ABCDEFGHJKLM", below(r.h, 12))
    plate = "7" + letter + "XX" + numbered("", below(r.h, 1000), 3)
    field = [frames.code([i[k] for i in INCIDENTS], kind) for k in range(4)]
    return dict(
        event_type=field[0],
        zone=frames.code(SLOT_ZONES, below(r.h << np.uint64(9), 5)),
        location_detail=frames.code(("Gaming floor", "Garage"), trespass.astype(np.int64)),
        security_level="Public",
        camera_id=_camera(r.h),
        incident_number=_incident_number(r.h),
        incident_category=field[1],
        incident_severity=field[2],
        incident_description=field[3],
        responding_officer_id=rota.guard_on_duty(config, r.second, r.h),
        resolution_status=frames.code(("Resolved", "Open", "Escalated"), pick(r.h, (80, 14, 6))),
        vehicle_license_plate=frames.only(plate, trespass),
    )


def _badges(world: World, day: int, room: int) -> Happenings:
    """Badges on the rota: everybody comes and goes; breaks follow while rows last. A refused
    badge is tried at a door where its owner has no business."""
    s = rota.swipes(world, day, room)
    h = hashed(world, day, "badge", s.badge, s.second)
    return happenings(BADGES, h, s.second, place=s.is_break.astype(np.int64), badge=s.badge)


def _badge_columns(config: WorldConfig, r: Happenings) -> Columns:  # noqa: ARG001
    refused = chance(r.h, DENIED)
    reason = below(r.h << np.uint64(17), len(DENIED_REASONS))
    kind = np.where(refused, 2, r.place)
    return dict(
        event_type=frames.code(("BADGE_SWIPE", "DOOR_ENTRY", "ACCESS_DENIED"), kind),
        zone=frames.code(SLOT_ZONES, below(r.h, 5)),
        location_detail=frames.code(("Staff Entrance", "Break Room", "Vault Corridor"), kind),
        security_level=frames.code(("Employee", "Employee", "Restricted"), kind),
        employee_id=holders(r.badge),
        badge_number=numbered("BDG-", r.badge, 5),
        access_granted=pl.Series(~refused),
        access_denied_reason=frames.code(DENIED_REASONS, reason, refused),
    )


def _checks(world: World, day: int) -> Happenings:
    """Carded arrivals checked against the exclusion list; a violator slipped past."""
    v = day_plan(world, day).visits
    at = np.flatnonzero((v.player >= 0) & ~person.excluded(world.config, v.player, day))
    h = hashed(world, day, "check", v.key[at])
    order = order_of(h)
    at = at[order]
    return happenings(4, h[order], v.start[at], player=v.player[at])


def _check_columns(config: WorldConfig, r: Happenings) -> Columns:  # noqa: ARG001
    door = below(r.h << np.uint64(5), len(ENTRANCES))
    return dict(
        event_type="EXCLUSION_CHECK",
        zone=frames.code(_ENTRANCE_ZONES, door),
        location_detail=frames.code(ENTRANCES, door),
        security_level="Public",
        camera_id=numbered("CAM-", door + 1, 3),
        access_granted=True,
    )


def _cameras(world: World, day: int, count: int) -> Happenings:
    h = hashed(world, day, "camera", np.arange(count))
    return happenings(5, h, below(h, day_plan(world, day).length))


def _camera_columns(config: WorldConfig, r: Happenings) -> Columns:  # noqa: ARG001
    kind = pick(r.h, (60, 34, 6))
    return dict(
        event_type=frames.code([e for e, _ in CAMERA_EVENTS], kind),
        zone=frames.code(SLOT_ZONES, below(r.h << np.uint64(9), 7)),
        location_detail=frames.code(("Corridor", "Gaming floor", "Loading dock"), kind),
        security_level=frames.code(("Restricted", "Public", "Restricted"), kind),
        camera_id=_camera(r.h),
        alarm_type=frames.code([a for _, a in CAMERA_EVENTS], kind),
    )


def _patrols(world: World, day: int, count: int) -> Happenings:
    """Rounds by the guards on duty, evenly over the day."""
    k = np.arange(max(count, 0))
    second = k * day_plan(world, day).length // max(count, 1)
    return happenings(6, hashed(world, day, "patrol", k), second)


def _patrol_columns(config: WorldConfig, r: Happenings) -> Columns:
    route = below(r.h, len(ROUTES))
    return dict(
        event_type="SECURITY_PATROL",
        zone=frames.code(SLOT_ZONES, below(r.h << np.uint64(9), 7)),
        location_detail="Checkpoint " + numbered("", 1 + below(r.h << np.uint64(13), 40), 2),
        security_level=frames.code(
            ("Public", "Employee", "Public", "High Security", "Public"), route
        ),
        employee_id=rota.guard_on_duty(config, r.second, r.h),
        patrol_route=frames.code(ROUTES, route),
    )


_CAUSES: tuple[Callable[[WorldConfig, Happenings], Columns], ...] = (
    _violation_columns,
    _escort_columns,
    _incident_columns,
    _badge_columns,
    _check_columns,
    _camera_columns,
    _patrol_columns,
    access.technician_columns,
    access.inside_columns,
    access.visitor_columns,
)


def _machine_zone(config: WorldConfig, machine: I64) -> I64:
    return layout.machines(config.seed, config.machine_count).zone[machine]


def _camera(h: U64) -> pl.Series:
    return numbered("CAM-", 10 + below(h << np.uint64(3), 240), 3)


def _incident_number(h: U64) -> pl.Series:
    return numbered("INC-", (h >> np.uint64(24)).astype(np.int64), 13)
