"""What is done to slot machines: payouts that drift, meters at odds with the play, doors opened
by nobody known, hand-pays that no play won; and what honest machines do that looks like it."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lakehouse.simulate.faults.house_cases import SCENARIOS, Case, of_kind
from lakehouse.simulate.floor import layout
from lakehouse.simulate.floor.slot_play import MAX_BIG_WINS, Payouts, SlotPlay
from lakehouse.simulate.floor.visits import Visits
from lakehouse.simulate.kernel.arrays import join, take
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, draw, key, uniform

FORCED_SECONDS = 300
"""From the first event of a hand-pay without play to the last."""
_THROUGH_THE_DOOR = 0.35
"""Intensity from which a machine was opened to change it."""
_APART = 120
"""Seconds between it and the sessions before and after."""


@functools.lru_cache(maxsize=64)
def payouts(config: WorldConfig, day: int) -> Payouts | None:
    """None where every machine pays as it was built to."""
    found = of_kind(config, day, "hold_drift")
    if not found:
        return None
    n = config.machine_count
    p = Payouts(np.zeros(n, np.int64), np.zeros(n), np.ones(n, np.int64))
    for c in found:
        if c.is_look_alike:
            p.turned[c.entity] = 0.4 + 0.6 * c.intensity
            p.run[c.entity] = 1 if c.luck("run") < 0.6 else -1
        else:
            p.drift_bp[c.entity] = 200 + round(4_800 * c.intensity)
    return p


@functools.lru_cache(maxsize=64)
def _meters(config: WorldConfig, day: int) -> dict[int, int]:
    """Basis points by which a machine's meter runs ahead of the play (below zero: behind)."""
    found = {}
    for c in of_kind(config, day, "meter_against_play"):
        if not c.is_look_alike and c.luck("active", day) < 0.4 + 0.6 * c.intensity:
            ahead = 1 if c.luck("ahead") < 0.25 else -1
            found[c.entity] = ahead * (300 + round(6_700 * c.intensity))
    return found


def tampered_meters(config: WorldConfig, day: int) -> list[int]:
    """Machines whose meter is at odds with the play on a day."""
    return sorted(_meters(config, day))


def metered(config: WorldConfig, day: int, machine: I64, played: I64) -> I64:
    """What the meters of machines advanced through the day by the time that so many cents were
    played on them since its beginning, in whole credits."""
    wrong = _meters(config, day)
    if not wrong:
        return played
    at = np.flatnonzero(np.isin(machine, list(wrong)))
    out = played.copy()
    if len(at):
        units = layout.machines(config.seed, config.machine_count).denomination[machine[at]]
        unit = layout.DENOMINATION_CENTS[units]
        share = np.array([wrong[m] for m in machine[at].tolist()])
        out[at] += np.sign(share) * (played[at] * np.abs(share) // 10_000 // unit * unit)
    return out


@dataclass(frozen=True)
class Opening:
    """A machine opened by nobody known."""

    case: Case
    covered: float
    """How likely a technician was at the machine beside at the time."""


def unknown_openings(
    config: WorldConfig, day: int, readings: NDArray[np.bool_]
) -> dict[int, Opening]:
    """By the number of the meter reading that is an opened door instead. A payout or meter that
    was changed by more than a little was reached through the door. `readings`: of each of the
    day's rows beside those of sessions, whether it is a meter reading."""
    found = {}
    for c in of_kind(config, day, "door_without_badge"):
        if not c.is_look_alike:
            often = 1 + round(2 * c.intensity)
            for k in _of_machine(config, c.entity, readings)[:often].tolist():
                found[k] = Opening(c, 0.6 * (1 - c.intensity))
    for c in of_kind(config, day, "hold_drift", "meter_against_play"):
        if not c.is_look_alike and c.intensity >= _THROUGH_THE_DOOR and day == c.first_day:
            for k in _of_machine(config, c.entity, readings)[:1].tolist():
                found[k] = Opening(c, 0.6 * (1 - c.intensity))
    return found


def known_openings(
    config: WorldConfig, day: int, readings: NDArray[np.bool_]
) -> dict[int, Opening]:
    """The same of repairs: opened by a technician."""
    return {
        int(k): Opening(c, 1.0)
        for c in of_kind(config, day, "door_without_badge")
        if c.is_look_alike
        for k in _of_machine(config, c.entity, readings)[: 1 + round(c.intensity)]
    }


def quiet_readings(config: WorldConfig, day: int, readings: NDArray[np.bool_]) -> list[int]:
    """Readings of machines that do not report, tilts instead: play before the first and after
    the last reading is more than usual, and nothing between is wrong."""
    quiet = [c for c in of_kind(config, day, "meter_against_play") if c.is_look_alike]
    return [int(k) for c in quiet for k in _of_machine(config, c.entity, readings)]


def _of_machine(config: WorldConfig, machine: int, readings: NDArray[np.bool_]) -> I64:
    count, fillers = config.machine_count, len(readings)
    k = np.arange(-(-machine * fillers // count), -(-(machine + 1) * fillers // count))
    return k[readings[k]]


def forced_number(c: Case) -> int:
    return SCENARIOS + c.number


def forced(
    config: WorldConfig, day: int, slots: SlotPlay, first_visit: int, limit: int, length: int,
    left_out: frozenset[int],
) -> tuple[Visits, SlotPlay]:  # fmt: skip
    """The hand-pays of a day that no play won, and honest ones on the first games of a session:
    visits of nobody known, numbered from `first_visit`, and their sessions."""
    placed = [
        (c, at)
        for c in of_kind(config, day, "jackpot_without_play")
        if forced_number(c) not in left_out and (at := _free(c, slots, length)) is not None
    ]
    cases, start = [c for c, _ in placed], np.array([at for _, at in placed], dtype=np.int64)
    n, number = len(cases), np.array([forced_number(c) for c in cases], dtype=np.int64)
    machine = np.array([c.entity for c in cases], dtype=np.int64)
    keys = draw(key(config.seed, "forced", day), number)
    like = np.array([c.is_look_alike for c in cases], dtype=bool)
    m = layout.machines(config.seed, config.machine_count)
    unit = layout.DENOMINATION_CENTS[m.denomination[machine]]
    games = np.where(like, 1 + (uniform(draw(1, keys)) * 3).astype(np.int64), 0)
    bet = np.maximum(unit, -(-100 // unit) * unit)
    force = np.array([c.intensity for c in cases])
    size = uniform(draw(2, keys)) * 0.4 + 0.8
    cents = (limit * (1.02 + np.where(like, 1.5, 9 * force**2) * size)).astype(np.int64)
    paid = np.zeros((n, MAX_BIG_WINS), dtype=np.int64)
    paid[:, 0] = -(-cents // unit) * unit
    nobody, zero = np.full(n, -1), np.zeros(n, dtype=np.int64)
    visits = Visits(nobody, keys, start, np.ones(n), np.zeros(n), number)
    return visits, SlotPlay(
        visit=first_visit + np.arange(n),
        player=nobody,
        key=keys,
        machine=machine,
        start=start,
        end=start + FORCED_SECONDS,
        denomination=m.denomination[machine],
        hold_bp=m.hold_bp[machine],
        bet=bet,
        games=games,
        coin_in=games * bet,
        coin_out=zero,
        paid=paid,
        segments=zero + 1,
        bills=zero + 1,
        stuffed=zero,
        scenario=number,
    )


def _free(c: Case, slots: SlotPlay, length: int) -> int | None:
    """When the machine stands idle: blatant cases take the middle of the longest time, faint
    ones come soon after somebody played."""
    on = take(slots, slots.machine == c.entity)
    order = np.argsort(on.start)
    begins = np.concatenate([[0], on.end[order] + _APART])
    ends = np.concatenate([on.start[order] - _APART, [length - 3_600]])
    room = ends - begins - FORCED_SECONDS
    if c.intensity < 1 / 2 or c.is_look_alike:
        after = np.flatnonzero(room[1:] >= 0) + 1
        if len(after):
            return int(begins[after[int(c.luck("after") * len(after))]])
    if room.max() < 0:
        return None
    longest = int(room.argmax())
    return int(begins[longest] + room[longest] // 2)


def with_forced(slots: SlotPlay, more: SlotPlay) -> SlotPlay:
    """All sessions in order of machine and start."""
    if not len(more):
        return slots
    whole = join([slots, more])
    return take(whole, np.lexsort((whole.start, whole.machine)))
