"""Rules of access: doors of machines, badges at doors; each at its bounds, by hand."""

from __future__ import annotations

from typing import Any

import pytest
from floor_witnesses import event, read
from found_alerts import alerts, at, day, days_named, keys

Row = dict[str, Any]
B = "BDG-00001"


def opened(key: str, when: str, machine: str = "SLOT-0100") -> Row:
    return event(key, machine, "DOOR_OPEN", when)


def technician(when: str, machine: str, **more: Any) -> Row:
    return read(f"t{when}{machine}", "BDG-00800", "ACCESS_GRANTED", when, machine, **more)


ELSEWHERE = technician(at("20:00"), "SLOT-0400")


def doors(slots: list[Row], *reads: Row) -> list[tuple[str, float]]:
    found = alerts("door_without_badge", slot_telemetry=slots, security_events=list(reads))
    return [(r["severity"], r["score"]) for r in found.to_dicts()]


@pytest.mark.parametrize(
    ("read_at", "is_told"),
    [("11:49", False), ("11:48", True), ("12:01", False), ("12:02", True)],
)
def test_a_badge_counts_for_eleven_minutes(read_at: str, is_told: bool) -> None:
    rows = [opened("d", at("12:00"))]
    assert bool(doors(rows, technician(at(read_at), "SLOT-0100"), ELSEWHERE)) is is_told


@pytest.mark.parametrize(
    ("machine", "is_told"),
    [("SLOT-0099", False), ("SLOT-0101", False), ("SLOT-0098", True), ("SLOT-0102", True)],
)
def test_a_badge_at_the_machine_beside_counts(machine: str, is_told: bool) -> None:
    assert bool(doors([opened("d", at("12:00"))], technician(at("11:55"), machine))) is is_told


def test_a_refused_badge_or_none_does_not_count() -> None:
    rows = [opened("d", at("12:00"))]
    assert doors(rows, technician(at("11:55"), "SLOT-0100", access_granted=False), ELSEWHERE)
    assert doors(rows, technician(at("11:55"), "SLOT-0100", access_granted=None), ELSEWHERE)
    assert doors(rows, technician(at("11:55"), "SLOT-0100", badge_number=None), ELSEWHERE)


def test_more_openings_weigh_more_and_the_alert_opens_each() -> None:
    """n / (n + 1): a half, two thirds, three quarters."""
    rows = [opened(f"d{n}", at(f"12:0{n}")) for n in range(3)]
    assert doors(rows[:1], ELSEWHERE) == [("WARNING", 0.5)]
    assert doors(rows[:2], ELSEWHERE) == [("WARNING", 0.666667)]
    assert doors(rows, ELSEWHERE) == [("CRITICAL", 0.75)]
    found = alerts("door_without_badge", slot_telemetry=rows, security_events=[ELSEWHERE])
    assert keys(found) == [("slot_telemetry", f"d{n}") for n in range(3)]
    assert found["said"][0].startswith("Opened at 19:00, 19:01, 19:02 UTC; no badge")


def test_where_nobody_records_badges_at_machines_nothing_is_told() -> None:
    rows = [opened("d", at("12:00"))]
    assert doors(rows) == doors(rows, technician(at("11:00"), "Staff Entrance")) == []
    assert doors([], ELSEWHERE) == []


def swipe(key: str, when: str, badge: str = B, **more: Any) -> Row:
    return read(key, badge, "BADGE_SWIPE", when, "Staff Entrance", **more)


def behind(*reads: Row) -> list[tuple[str, str, float]]:
    found = alerts("tailgating", security_events=list(reads))
    return [(r["entity_id"], r["severity"], r["score"]) for r in found.to_dicts()]


def test_two_odd_days_of_two_weeks_are_told() -> None:
    """n / (n + 2): a half for two days."""
    first, today = swipe("a", at("08:00", -13)), swipe("b", at("08:00"))
    assert behind(first, today) == [(B, "INFO", 0.5)]
    assert behind(today) == behind(first, swipe("c", at("16:00", -13)), today) == []
    found = alerts("tailgating", security_events=[first, today])
    assert keys(found) == [("security_events", "a"), ("security_events", "b")]
    assert days_named(found) == [day(-13), day(0)]
    assert (found["window_start"][0], found["window_end"][0]) == (day(-13), day(0))


def test_nothing_is_told_on_a_day_that_is_not_odd_itself() -> None:
    before = [swipe("a", at("08:00", -2)), swipe("b", at("08:00", -1))]
    assert behind(*before) == []
    assert behind(*before, swipe("c", at("08:00")), swipe("d", at("16:00"))) == []
    three = [*before, swipe("c", at("08:00"))]
    assert behind(*three) == [(B, "WARNING", 0.6)]


def test_a_refused_read_and_a_visitors_pass_excuse_the_day() -> None:
    odd = [swipe("a", at("08:00", -1)), swipe("b", at("08:00"))]
    refused = read("r", B, "ACCESS_DENIED", at("16:00"), "Vault Corridor", access_granted=False)
    visitor = read(
        "v", B, "ACCESS_GRANTED", at("16:00"), "Staff Entrance", badge_number=None, visitor_id="V1"
    )
    assert behind(*odd)
    assert behind(*odd, refused) == behind(*odd, visitor) == []
    assert behind(*odd, visitor | {"employee_id": "EMP-00009"})


def inside(key: str, when: str, place: str = "Count Room", level: str = "Restricted") -> Row:
    return read(key, B, "DOOR_ENTRY", when, place, security_level=level)


def copied(*reads: Row) -> list[tuple[str, float]]:
    found = alerts("badge_cloning", security_events=list(reads))
    return [(r["severity"], r["score"]) for r in found.to_dicts()]


SHIFT = (swipe("in", at("08:00")), swipe("out", at("16:00")))


@pytest.mark.parametrize(
    ("when", "told"),
    [
        ("08:15", []),
        ("08:14", [("INFO", 0.066667)]),
        ("08:03", [("CRITICAL", 0.8)]),
        ("15:45", []),
        ("15:57", [("CRITICAL", 0.8)]),
    ],
)
def test_the_walk_takes_a_quarter_of_an_hour_either_way(
    when: str, told: list[tuple[str, float]]
) -> None:
    """Three of fifteen minutes: four fifths of the walk are missing."""
    assert copied(*SHIFT, inside("x", at(when))) == told


def test_while_the_owner_is_out_nobody_has_the_badge() -> None:
    assert copied(*SHIFT, inside("x", at("20:00"))) == [("CRITICAL", 1.0)]
    assert copied(*SHIFT, inside("x", at("07:00"))) == [("CRITICAL", 1.0)]
    assert copied(*SHIFT, inside("x", at("12:00"))) == []


def test_whether_the_owner_was_out_is_not_known_of_an_odd_number_of_reads() -> None:
    assert copied(SHIFT[0], inside("x", at("20:00"))) == []
    assert copied(inside("x", at("20:00"))) == []


def test_the_next_door_and_refused_reads_are_no_other_place() -> None:
    assert copied(*SHIFT, inside("x", at("08:02"), "Break Room", "Employee")) == []
    assert copied(*SHIFT, inside("x", at("08:02")) | {"access_granted": False}) == []
    assert copied(*SHIFT, inside("x", at("08:02")) | {"badge_number": "BDG-00002"}) == []


def test_an_alert_opens_both_reads() -> None:
    found = alerts("badge_cloning", security_events=[*SHIFT, inside("x", at("08:03"))])
    assert keys(found) == [("security_events", "in"), ("security_events", "x")]
    assert found["said"][0] == "Count Room at 15:03 UTC, 3.0 minutes from the staff entrance."
