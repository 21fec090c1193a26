"""Who plays on a day, in which sessions, where and with what: before games and stakes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from lakehouse.contracts.columns import DEVICES
from lakehouse.simulate.kernel import accounts
from lakehouse.simulate.kernel.arrays import join, ordinals, owners, starts, take, within
from lakehouse.simulate.kernel.clock import day_seconds, day_start
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import (
    I64,
    U64,
    below,
    chance,
    draw,
    exp,
    exponential,
    key,
    mix,
    normal,
    pick,
)
from lakehouse.simulate.kernel.places import ABROAD, at_local
from lakehouse.simulate.kernel.world import World
from lakehouse.simulate.online.cases import Case, cases
from lakehouse.simulate.online.games import GAMES, SLOTS

MOBILE, DESKTOP, TABLET = range(len(DEVICES))
HOLIDAY, NIGHT_WORKER, HIGH_ROLLER = range(3)
"""Honest kinds that look like problem play."""
_PLAYS = 0.35
"""Of those online, who is in the casino [assumption]; the others are on platform or shop."""
_LOYALTY = 0.6
"""Spread of the logarithm of how often, and how much, accounts play: a few play most."""
# Visits by the clock of the player's place, from midnight [assumption: evenings, later at
# weekends].
_WEEKDAY = (
    20,
    12,
    7,
    4,
    3,
    4,
    8,
    14,
    18,
    20,
    22,
    26,
    32,
    30,
    28,
    30,
    36,
    48,
    66,
    82,
    94,
    92,
    72,
    42,
)
_WEEKEND = (
    48,
    34,
    22,
    12,
    7,
    5,
    6,
    9,
    16,
    26,
    36,
    44,
    50,
    50,
    50,
    52,
    54,
    58,
    68,
    80,
    90,
    96,
    92,
    70,
)
_SITTINGS = (70, 22, 8)
_MOST_ROUNDS = 80
_MEAN_ROUNDS = 5.0
_DEVICE_WEIGHTS = (60, 32, 8)
_CARRIERS = 64
"""Networks of mobile carriers in each place; homes have one of their own."""
_CASES_SHARE = 3
"""Cases have no more than one of so many rows."""


@dataclass(frozen=True)
class Visits:
    """Sessions, one entry each. `stream`: 1 for a second person in the same account."""

    account: I64
    stream: I64
    h: U64
    case: I64
    """Number of the case that it is part of, or -1."""
    place: I64
    network: I64
    device: I64
    second: I64
    """When it would begin, in seconds of the gaming day."""
    sittings: I64
    """Games played one after another."""
    rounds: I64
    """Rounds of each game at the most; 0: as they come."""
    level: I64
    """Thousandths of the account's usual stake."""
    chase: I64
    """Thousandths by which a stake rises for each loss in a row."""
    period: I64
    """Milliseconds between events that come regularly, or 0."""
    jitter: I64

    def __len__(self) -> int:
        return len(self.account)


def visits_on(world: World, day: int, rows: int) -> Visits:
    """Sessions of a day, those of cases first: more than `rows` events have room in."""
    config = world.config
    online = accounts.online_on(config, day)
    planted = _of_cases(world, day, online)
    left = rows // _CASES_SHARE
    kept = []
    for v in planted:
        left -= int((2 + 2 * np.where(v.rounds > 0, v.rounds, _MOST_ROUNDS)).sum())
        kept += [v] if left > 0 else []
    busy = np.array([c.account for c in cases(config, day)], dtype=np.int64)
    ordinary = _ordinary(world, day, np.setdiff1d(online, busy), rows)
    return join([*kept, ordinary])


def _ordinary(world: World, day: int, who: I64, rows: int) -> Visits:
    config = world.config
    loyal = exp(_LOYALTY * normal(_of_account(config, "loyalty", who)))
    plays = chance(draw(key(config.seed, "casino", day), who), _PLAYS * loyal)
    if plays.any():
        who, loyal = who[plays], loyal[plays]
    count = rows // 6 + 8 if len(who) else 0
    h = draw(key(config.seed, "casino-visit", day), np.arange(count))
    edges = np.cumsum((1_000 * loyal).astype(np.int64) + 1)
    at = np.searchsorted(edges, below(h, int(edges[-1]) if len(who) else 1), side="right")
    return _visits(world, day, who[at], draw(1, h))


def _visits(world: World, day: int, who: I64, h: U64) -> Visits:
    """Honest sessions of these accounts, one each."""
    config, n = world.config, len(who)
    known, at = np.unique(who, return_inverse=True)
    place = accounts.home(config, known)[at] if n else who
    usual = pick(_of_account(config, "device", who), _DEVICE_WEIGHTS)
    device = np.where(chance(draw(2, h), 0.15), pick(draw(3, h), _DEVICE_WEIGHTS), usual)
    nothing = np.zeros(n, dtype=np.int64)
    return Visits(
        account=who,
        stream=nothing,
        h=h,
        case=np.full(n, -1),
        place=place,
        network=_networks(config, who, place, device, h),
        device=device,
        second=_begins(config, day, place, _local(config, day, h)),
        sittings=1 + pick(draw(4, h), _SITTINGS),
        rounds=nothing,
        level=np.full(n, 1_000),
        chase=nothing,
        period=nothing,
        jitter=nothing,
    )


def rounds_of(v: Visits, session: I64, h: U64) -> I64:
    """Rounds of each game of the sessions: as many as the session says, else as they come."""
    free = 1 + (_MEAN_ROUNDS * exponential(h)).astype(np.int64)
    fixed = v.rounds[session]
    return np.where(fixed > 0, fixed, np.minimum(free, _MOST_ROUNDS))


def games_of(config: WorldConfig, v: Visits, session: I64, h: U64) -> I64:
    """The game of each sitting: an account has a favourite, and regular play is at machines."""
    weights = tuple(g.plays for g in GAMES)
    favourite = pick(_of_account(config, "favourite", v.account[session]), weights)
    found = np.where(chance(h, 0.6), favourite, pick(draw(6, h), weights))
    return np.where(v.period[session] > 0, SLOTS, found)


def _networks(config: WorldConfig, who: I64, place: I64, device: I64, h: U64) -> I64:
    """A home has a network of its own; half of the time a phone is on a carrier's."""
    own = below(_of_account(config, "network", who), 2**31 - 1)
    carrier = 2**31 + place * _CARRIERS + below(draw(7, h), _CARRIERS)
    return np.where((device == MOBILE) & chance(draw(8, h), 0.5), carrier, own)


def _local(config: WorldConfig, day: int, h: U64) -> I64:
    """Seconds since midnight by the player's clock."""
    weekend = config.date(day).weekday() >= 4
    hour = pick(draw(9, h), _WEEKEND if weekend else _WEEKDAY)
    return hour * 3_600 + below(draw(10, h), 3_600)


def _begins(config: WorldConfig, day: int, place: I64, local: I64) -> I64:
    date = config.date(day)
    opens = day_start(date, config.timezone) // 1_000_000 % 86_400
    return at_local(date, opens, day_seconds(date, config.timezone), place, local)


def _of_account(config: WorldConfig, what: str, who: I64) -> U64:
    return draw(key(config.seed, f"casino-account:{what}"), who)


def _of_cases(world: World, day: int, online: I64) -> list[Visits]:
    """Sessions of each case whose account is online: honest ones, made together, and changed."""
    every = cases(world.config, day)
    who = np.array([c.account for c in every], dtype=np.int64)
    found = [every[k] for k in np.flatnonzero(within(who, online)).tolist()]
    luck = np.array([key(c.seed, "case-visit", c.number, day) for c in found], dtype=np.uint64)
    count = np.array([_SESSIONS[c.kind](c, day) for c in found], dtype=np.int64)
    of = owners(count)
    h = mix(luck[of] ^ ordinals(count).astype(np.uint64))
    account = np.array([c.account for c in found], dtype=np.int64)[of]
    number = np.array([c.number for c in found], dtype=np.int64)[of]
    v, g = _visits(world, day, account, h), draw(11, h)
    v = dataclasses.replace(v, case=number, sittings=np.ones(len(v), dtype=np.int64))
    places = [slice(a, a + n) for a, n in zip(starts(count).tolist(), count.tolist(), strict=True)]
    return [
        _CHANGES[c.kind](world, day, c, take(v, at), g[at])
        for c, at in zip(found, places, strict=True)
    ]


def _problem(world: World, day: int, c: Case, v: Visits, g: U64) -> Visits:
    """Many short sessions, more and more of them at night, at stakes that rise over the day and
    over weeks and after each loss."""
    if c.is_look_alike:
        return _like_problem(world, day, c, v, g)
    night = chance(g, 0.2 + 0.6 * c.intensity * c.passed(day))
    local = np.where(night, below(draw(1, g), 6 * 3_600), _local(world.config, day, draw(2, g)))
    second = np.sort(_begins(world.config, day, v.place, local))
    risen = c.intensity * (800 * c.passed(day) + 800 * np.arange(len(v)) / max(len(v), 1))
    return dataclasses.replace(
        v,
        second=second,
        rounds=1 + below(draw(3, g), 4),
        level=1_000 + risen.astype(np.int64),
        chase=np.full(len(v), c.scaled(40, 350)),
    )


def _like_problem(world: World, day: int, c: Case, v: Visits, g: U64) -> Visits:
    kind = c.below(3, "look-alike")
    v = dataclasses.replace(v, rounds=2 + below(g, 6))
    if kind == NIGHT_WORKER:
        local = below(draw(1, g), 6 * 3_600)
        return dataclasses.replace(v, second=_begins(world.config, day, v.place, local))
    if kind == HIGH_ROLLER:
        return dataclasses.replace(v, level=np.full(len(v), 6_000))
    return v


def _shared(world: World, day: int, c: Case, v: Visits, g: U64) -> Visits:
    """While the holder plays, somebody else does elsewhere. An honest traveller is elsewhere
    too, but alone."""
    elsewhere = np.full(len(v), c.below(len(ABROAD), "where"))
    network = np.full(len(v), c.below(2**31 - 1, "network"))
    own = dataclasses.replace(v, rounds=4 + below(g, 8))
    away = dataclasses.replace(own, place=elsewhere, network=network)
    if c.is_look_alike:
        local = _local(world.config, day, draw(1, g))
        return dataclasses.replace(
            away, second=_begins(world.config, day, elsewhere, local), rounds=2 + below(g, 6)
        )
    other = dataclasses.replace(
        away,
        stream=np.ones(len(v), dtype=np.int64),
        h=draw(12, own.h),
        device=(own.device + 1 + below(draw(2, g), 2)) % len(DEVICES),
        second=own.second + below(draw(3, g), 90),
    )
    return join([own, other])


def _bot(world: World, day: int, c: Case, v: Visits, g: U64) -> Visits:  # noqa: ARG001 - as each
    """Regular to the millisecond where it is blatant. A machine that an honest player lets spin
    by itself is regular too, for a while."""
    honest = c.is_look_alike
    n = len(v)
    jitter = c.scaled(400, 60) if honest else c.scaled(900, 8)
    return dataclasses.replace(
        v,
        rounds=(15 + below(g, 20)) if honest else c.scaled(25, 60) + below(g, 40),
        period=np.full(n, 1_200 + c.below(3_000, "period")),
        jitter=np.full(n, jitter),
    )


def _problem_sessions(c: Case, day: int) -> int:
    if not c.is_look_alike:
        return c.scaled(12, 76) - c.below(6, "fewer", day)
    return c.scaled(10, 35) if c.below(3, "look-alike") == HOLIDAY else 4


_SESSIONS: Mapping[str, Callable[[Case, int], int]] = MappingProxyType(
    {
        "problem_play": _problem_sessions,
        "account_sharing": lambda c, _: c.scaled(1, 6),
        "betting_bot": lambda c, day: 1 if c.is_look_alike else 1 + c.below(3, "sessions", day),
    }
)
"""How many sessions a case has on a day, of the holder's own where somebody else plays too."""
_CHANGES: Mapping[str, Callable[[World, int, Case, Visits, U64], Visits]] = MappingProxyType(
    {"problem_play": _problem, "account_sharing": _shared, "betting_bot": _bot}
)


def ordered(v: Visits, lasting: I64, length: int) -> tuple[Visits, I64, I64, I64]:
    """Sessions in the order in which each person has them, where they stood, when each begins
    and how long it lasts (milliseconds): none begins before the one before it has ended, and
    all end within the day, `length` milliseconds; where there is too little room, all are
    played faster."""
    order = np.lexsort((v.second, v.stream, v.account))
    v, wished = take(v, order), v.second[order] * 1_000
    first = np.flatnonzero(np.diff(v.account * 2 + v.stream, prepend=-1))
    counts = np.diff(np.append(first, len(v)))
    pause = 60_000 + below(draw(13, v.h), 600_000)
    took = lasting[order] + pause
    whole = np.add.reduceat(took, first) if len(first) else took
    fits = np.minimum(1.0, (length - 1) / np.maximum(whole, 1))
    rate = np.repeat(fits, counts)
    took = (took * rate).astype(np.int64)
    before = np.cumsum(took) - took
    before -= np.repeat(before[first], counts)
    rest = np.repeat(np.add.reduceat(took, first), counts) - before if len(first) else took
    lift = np.repeat(np.arange(len(first)), counts) << np.int64(41)
    begins = np.maximum.accumulate(wished - before + lift) - lift + before
    begins = np.minimum(begins, length - 1 - rest)
    return v, order, begins, np.minimum(lasting[order], (lasting[order] * rate).astype(np.int64))
