"""Slot telemetry: the events of sessions, and the fillers that bring a day to its row count.

Everything is integer arithmetic keyed by session, so a session's events are the same
whatever else is in the call, and their sums equal the plan to the cent.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from lakehouse.contracts.floor.slots import EVENT_TYPES, MACHINE_TYPES, ZONES
from lakehouse.simulate.floor import layout
from lakehouse.simulate.floor.fillers import (
    BILL,
    DOOR_OPEN,
    JACKPOT,
    METER,
    PLAY,
    TICKET,
    TILT,
    filler_kinds,
    filler_seconds,
    fillers,
)
from lakehouse.simulate.floor.plan import day_plan
from lakehouse.simulate.floor.running_totals import everybody_through
from lakehouse.simulate.floor.slot_play import SlotPlay
from lakehouse.simulate.floor.tampering import metered
from lakehouse.simulate.kernel import frames, ids, producers
from lakehouse.simulate.kernel.arrays import (
    order_of,
    ordinals,
    owners,
    running,
    running_max,
    starts,
    sums,
    take,
)
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below, draw, key
from lakehouse.simulate.kernel.memory import by_day
from lakehouse.simulate.kernel.producers import producer
from lakehouse.simulate.kernel.world import World

_ERRORS = {TILT: ("E021", "Reel tilt"), DOOR_OPEN: ("D001", "Main door open")}


@dataclass(frozen=True)
class Segments:
    """A session's play cut into stretches of about two minutes; one entry per stretch."""

    owner: I64
    games: I64
    coin_in: I64
    coin_out: I64
    end: I64
    """Microseconds since 06:00."""


@functools.cache
def _shares() -> I64:
    """Exponential quantiles as integers: how the wins spread over the stretches."""
    return np.array([1 + round(-1024 * math.log1p(-(k + 0.5) / 4096)) for k in range(4096)])


def segments(p: SlotPlay) -> Segments:
    n = p.segments
    owner, place = owners(n), ordinals(n)
    h = draw(0, p.key[owner], place)
    whole = np.int64(1) << np.int64(24)
    jitter = ((h >> np.uint64(40)).astype(np.int64) * 7) // 10
    last = place == n[owner] - 1
    cut = (place + 1) * whole - np.where(last, 0, jitter)
    full = n[owner] * whole
    games = _differences(p.games[owner] * cut // full, n)
    weight = running(_shares()[(h & np.uint64(4095)).astype(np.int64)], n)
    unit = layout.DENOMINATION_CENTS[p.denomination]
    credits = (p.coin_out // unit)[owner] * weight // np.repeat(weight[starts(n) + n - 1], n)
    seconds = (p.end - p.start)[owner] * cut
    micro = p.start[owner] * 1_000_000 + seconds // n[owner] * 1_000_000 // whole
    return Segments(
        owner=owner,
        games=games,
        coin_in=games * p.bet[owner],
        coin_out=_differences(credits, n) * unit[owner],
        end=micro,
    )


def _differences(cumulative: I64, counts: I64) -> I64:
    out = np.diff(cumulative, prepend=0)
    first = starts(counts)
    out[first] = cumulative[first]
    return out


@dataclass(frozen=True)
class Cash:
    """What goes into and comes out of a machine in a session. Cents."""

    bills: I64
    """One entry per planned insertion (ragged by `SlotPlay.bills`); 0: none was needed."""
    ticket: I64
    """One entry per session."""


def cash(p: SlotPlay, s: Segments) -> Cash:
    """Bills just in time: the balance never falls below zero inside a stretch."""
    n = p.segments
    spent = running(s.coin_in, n)
    won_before = running(s.coin_out, n) - s.coin_out
    need = running_max(spent - won_before, n)
    bill_of, place = owners(p.bills), ordinals(p.bills)
    until = (place + 1) * n[bill_of] // p.bills[bill_of] - 1
    unit = np.where(p.bet >= 2_000, 10_000, 2_000)[bill_of]
    total = -(-need[starts(n)[bill_of] + until] // unit) * unit
    bills = _differences(total + p.stuffed[bill_of], p.bills)
    ticket = sums(bills, p.bills) + p.coin_out - p.coin_in
    return Cash(bills, ticket)


@dataclass(frozen=True)
class Events:
    """Rows of slot telemetry before they are dressed with names; in order of machine, time."""

    kind: I64
    machine: I64
    session: I64
    """Position in the sessions given, or -1."""
    micro: I64
    coin_in: I64
    coin_out: I64
    jackpot: I64
    games: I64
    amount: I64


def session_events(p: SlotPlay) -> Events:
    """Events of sessions sorted by machine and start, laid out without a sort."""
    s = segments(p)
    c = cash(p, s)
    rows = p.rows
    base = starts(rows)
    session = owners(rows)
    n, seg_place, of = p.segments, ordinals(p.segments), s.owner
    bills_before = ((seg_place + 1) * p.bills[of] + n[of] - 1) // n[of]
    pay_of, pay_column = np.nonzero(p.paid)
    pay_segment = below(draw(1, p.key[pay_of], pay_column), n[pay_of])
    pays = np.zeros(len(of), dtype=np.int64)
    np.add.at(pays, starts(n)[pay_of] + pay_segment, 1)
    pays_through = running(pays, n)
    play_at = base[of] + seg_place + bills_before + pays_through - pays
    bill_of, bill_place = owners(p.bills), ordinals(p.bills)
    bill_segment = bill_place * n[bill_of] // p.bills[bill_of]
    bill_at = play_at[starts(n)[bill_of] + bill_segment] - 1
    pay_at = _handpay_rows(play_at, starts(n)[pay_of] + pay_segment)
    ticket_at = base + rows - 1

    total = int(rows.sum())
    kind, micro = np.empty(total, np.int64), np.empty(total, np.int64)
    columns = {c: np.zeros(total, np.int64) for c in ("coin_in", "coin_out", "games", "amount")}
    jackpot = np.zeros(total, np.int64)
    kind[play_at], micro[play_at] = np.where(p.games[of] > 0, PLAY, METER), s.end
    columns["coin_in"][play_at], columns["coin_out"][play_at] = s.coin_in, s.coin_out
    columns["games"][play_at] = s.games
    kind[bill_at] = np.where(c.bills > 0, BILL, METER)
    previous = np.where(bill_segment > 0, s.end[starts(n)[bill_of] + bill_segment - 1], 0)
    micro[bill_at] = np.maximum(previous, p.start[bill_of] * 1_000_000)
    columns["amount"][bill_at] = c.bills
    kind[pay_at], micro[pay_at] = JACKPOT, s.end[starts(n)[pay_of] + pay_segment]
    columns["amount"][pay_at] = jackpot[pay_at] = p.paid[pay_of, pay_column]
    kind[ticket_at] = np.where(c.ticket > 0, TICKET, METER)
    micro[ticket_at], columns["amount"][ticket_at] = p.end * 1_000_000, c.ticket
    micro += ordinals(rows) * 1_000
    return Events(kind, p.machine[session], session, micro, jackpot=jackpot, **columns)


def _handpay_rows(play_at: I64, segment: I64) -> I64:
    """Row after its stretch; two hand-pays of one stretch stand one after the other."""
    order = order_of(segment)
    again = np.concatenate([[0], np.diff(segment[order])]) == 0 if len(order) else order
    step = np.zeros(len(order), dtype=np.int64)
    for k in range(1, len(order)):
        step[order[k]] = step[order[k - 1]] + 1 if again[k] else 0
    return play_at[segment] + 1 + step


def jackpots(p: SlotPlay) -> tuple[I64, I64, I64]:
    """(session, cents, microseconds since 06:00) of each hand-pay."""
    hit = take(p, p.handpays > 0)
    e = session_events(hit)
    at = e.kind == JACKPOT
    return np.flatnonzero(p.handpays > 0)[e.session[at]], e.amount[at], e.micro[at]


def with_fillers(
    e: Events,
    machines: range,
    rows: int,
    kinds: I64,
    count: int,
    length: int,
) -> Events:
    """Adds the machines' part of a day's fillers (meter readings, doors, tilts) of some `kinds`,
    evenly over machines and day, in place by time."""
    quota = len(kinds)
    k = np.arange(-(-machines.start * quota // count), -(-machines.stop * quota // count))
    machine = k * count // max(quota, 1)
    micro = filler_seconds(k, length) * 1_000_000 + 999_000
    order = np.lexsort((micro, machine))
    k, machine, micro = k[order], machine[order], micro[order]
    span = np.int64(1) << np.int64(38)
    at = np.searchsorted(e.machine * span + e.micro, machine * span + micro, side="right")
    place = at + np.arange(len(k))
    keep = np.ones(rows + len(k), dtype=bool)
    keep[place] = False
    old = np.flatnonzero(keep)

    def merged(values: I64, filler: I64 | int) -> I64:
        out = np.empty(len(keep), dtype=np.int64)
        out[old], out[place] = values, filler
        return out

    return Events(
        kind=merged(e.kind, kinds[k]),
        machine=merged(e.machine, machine),
        session=merged(e.session, -1),
        micro=merged(e.micro, micro),
        **{
            c: merged(getattr(e, c), 0)
            for c in ("coin_in", "coin_out", "jackpot", "games", "amount")
        },
    )


@functools.lru_cache(maxsize=4)
def _names(seed: int, count: int) -> dict[str, pl.Series]:
    """Columns of text and money by machine."""
    m = layout.machines(seed, count)
    index = np.arange(count)
    zone = frames.code(ZONES, m.zone)
    return {
        "machine_id": ids.machines(index),
        "asset_number": ids.numbered("AST-", index + 1, 1),
        "location_id": zone.str.replace(" ", "") + "-" + ids.numbered("", index % 97 + 1, 2),
        "zone": zone,
        "denomination": frames.money(layout.DENOMINATION_CENTS[m.denomination]),
        "theoretical_hold": frames.rate(m.hold_bp),
        "machine_type": frames.code(MACHINE_TYPES, m.kind),
        "manufacturer": frames.code(layout.MANUFACTURERS, m.maker),
        "game_theme": frames.code(layout.THEMES, m.theme),
    }


@dataclass(frozen=True)
class Rows:
    """Slot telemetry as numbers: whole machines of a gaming day, in order of day,
    machine and time. Money in cents."""

    day: I64
    kind: I64
    machine: I64
    ordinal: I64
    """Machine and position of the row among the machine's rows of the day."""
    event: I64
    """Microseconds since the epoch."""
    coin_in: I64
    coin_out: I64
    jackpot: I64
    games: I64
    amount: I64
    meter: I64
    """The machine's coin-in meter after the row."""
    session: I64
    """Position among the sessions, or -1."""
    players: I64
    """Player of each session, or -1."""
    keys: U64
    """Key of each session."""

    def __len__(self) -> int:
        return len(self.kind)

    @staticmethod
    def joined(parts: Sequence[Rows]) -> Rows:
        """Sessions are counted on from part to part."""
        before = np.cumsum([0, *(len(r.keys) for r in parts)]).tolist()
        columns = {f.name: [getattr(r, f.name) for r in parts] for f in fields(Rows)} | {
            "session": [
                np.where(r.session < 0, -1, r.session + n)
                for r, n in zip(parts, before, strict=False)
            ]
        }
        return Rows(**{name: np.concatenate(values) for name, values in columns.items()})


@dataclass(frozen=True)
class Stretch:
    """Whole machines of one gaming day and the sessions on them: a fixed part of the day."""

    number: int
    machines: range
    sessions: slice
    rows: range
    """Positions among the day's rows."""


def stretches(p: SlotPlay, count: int, fillers: int, most: int | None) -> list[Stretch]:
    """A day's machines in runs of about `most` rows; None: all together."""
    rows = np.bincount(p.machine, weights=p.rows, minlength=count).astype(np.int64)
    through = np.cumsum(rows) + -(-np.arange(1, count + 1) * fillers // count)
    run = through // most if most else 0 * through
    ends = np.flatnonzero(np.diff(run, append=-1))
    edges = np.concatenate([[0], ends + 1]).tolist()
    sessions = np.searchsorted(p.machine, edges).tolist()
    at = np.concatenate([[0], through[ends]]).tolist()
    return [
        Stretch(
            k,
            range(edges[k], edges[k + 1]),
            slice(sessions[k], sessions[k + 1]),
            range(at[k], at[k + 1]),
        )
        for k in range(len(ends))
    ]


@by_day(2)
def stretches_on(world: World, day: int) -> list[Stretch]:
    """A day's parts; where several days are made together, each is one part."""
    most = producers.STRETCH_ROWS if world.block == 1 else None
    slots, count = day_plan(world, day).slots, world.config.machine_count
    return stretches(slots, count, fillers(world, day), most)


def row_ranges(world: World, day: int) -> list[range]:
    return [at.rows for at in stretches_on(world, day)]


def dress(config: WorldConfig, r: Rows) -> pl.DataFrame:
    """Turns the numbers of a stretch into rows of bronze."""
    kind, session = r.kind, r.session
    play, carded = kind == PLAY, session >= 0
    money = (kind == BILL) | (kind == TICKET) | (kind == JACKPOT)
    kept = np.where(play, r.coin_in - r.coin_out, 0)
    safe = np.maximum(r.coin_in, 1)
    hold = (20_000 * kept + safe) // (2 * safe)
    keys = draw(key(config.seed, "session-id"), r.keys)
    return frames.frame(
        "slot_telemetry",
        {
            "event_id": ids.event_ids(config.seed, "slot_telemetry", r.day, r.ordinal),
            **{
                n: frames.gather(s, r.machine)
                for n, s in _names(config.seed, config.machine_count).items()
            },
            "event_type": frames.code(EVENT_TYPES, kind),
            "event_timestamp": frames.utc(r.event),
            "coin_in": frames.money(r.coin_in, play),
            "coin_out": frames.money(r.coin_out, play),
            "jackpot_amount": frames.money(r.jackpot, kind == JACKPOT),
            "games_played": frames.count(r.games, play),
            "actual_hold": frames.rate(hold, play & (r.coin_in > 0)),
            "player_id": frames.gather(ids.players(r.players), session, carded),
            "session_id": frames.gather(ids.hexadecimal(keys), session, carded),
            "error_code": _error(kind, 0),
            "error_message": _error(kind, 1),
            "amount": frames.money(r.amount, money),
            "meter_coin_in": frames.money(r.meter, kind == METER),
            **stamp("slot_telemetry", gaming_days(config.start, r.day), r.event),
        },
    )


def _error(kind: I64, part: int) -> pl.Series:
    names = tuple(e[part] for e in _ERRORS.values())
    which = np.full(len(EVENT_TYPES), len(names))
    which[list(_ERRORS)] = np.arange(len(names))
    return frames.code(names, which[kind], which[kind] < len(names))


@producer("slot_telemetry", dress=dress, stretches=row_ranges, clashing="location_id")
def rows_of(world: World, day: int, stretch: int) -> Rows:
    """The rows of a stretch of a day. Meters go on from the day before."""
    at = stretches_on(world, day)[stretch]
    return rows_of_machines(world, day, at.machines, at.sessions)


def rows_of_machines(world: World, day: int, machines: range, sessions: slice) -> Rows:
    """The day's rows of some machines, whose `sessions` stand together among the day's."""
    config, p = world.config, day_plan(world, day)
    meters = everybody_through(world, day - 1).coin_in
    part = take(p.slots, sessions)
    e = session_events(part)
    kinds, count = filler_kinds(world, day), config.machine_count
    e = with_fillers(e, machines, len(e.kind), kinds, count, p.length)
    counts = np.bincount(e.machine - machines.start, minlength=len(machines))
    played = running(e.coin_in, counts)
    return Rows(
        day=np.full(len(e.kind), day),
        kind=e.kind,
        machine=e.machine,
        ordinal=(e.machine << np.int64(20)) | ordinals(counts),
        event=p.start + e.micro,
        coin_in=e.coin_in,
        coin_out=e.coin_out,
        jackpot=e.jackpot,
        games=e.games,
        amount=e.amount,
        meter=metered(config, day, e.machine, played) + meters[e.machine],
        session=e.session,
        players=part.player,
        keys=part.key,
    )
