"""A day's sessions in the shop, and what comes of each: how far it goes is a fact, planned first.

A session is rows of actions in slots of time: looking around, perhaps a burst of page
refreshes, then each product looked at and put into the cart, the checkout, the purchase.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lakehouse.errors import BadInput
from lakehouse.simulate.faults.defects import added
from lakehouse.simulate.kernel.arrays import (
    in_parts,
    narrow,
    order_of,
    ordinals,
    parts,
    take,
    wide,
)
from lakehouse.simulate.kernel.clock import day_seconds, day_start
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below, chance, exponential, pick
from lakehouse.simulate.kernel.memory import by_day, in_work
from lakehouse.simulate.kernel.places import at_local
from lakehouse.simulate.kernel.world import World
from lakehouse.simulate.shop import profiles
from lakehouse.simulate.shop.cases import cases, scripts
from lakehouse.simulate.shop.profiles import Origin, hashed

Bools = NDArray[np.bool_]

TABLE = "shop_actions"
QUIET = 3_000
"""Milliseconds between two actions of an honest session at the least, but in a burst."""
# Chances [assumptions].
_COMES = 0.8
_CARTED, _CHECKED_OUT, _BOUGHT = 0.35, 0.60, 0.85
_BURSTY, _BURSTS = 0.15, 0.5
"""Accounts that at times act in bursts, and how often they do on a day on which they come."""
_TELLS = 0.9
"""Sessions whose client tells their number."""
RETRY = 4_000
"""Milliseconds until paying is tried again."""
_MOST_ACTIONS = 40
"""Of a session, on average: where more rows are asked for, more sessions are made."""
_MOST = 4_000
"""Actions for each who is online on a day."""
_HOURS = (2, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 8, 9, 8, 7, 7, 8, 9, 11, 13, 14, 12, 8, 4)


@dataclass(frozen=True)
class Sessions:
    """Ordinary sessions of a day, by account: as planned, or as `placed`."""

    account: I64
    luck: U64
    begins: I64
    """Milliseconds since the gaming day opened, as all times here; of what is only planned, its
    turn among the account's."""
    pace: I64
    """Length of a slot: an action each; of what is only planned, the account's sessions."""
    views: I64
    burst: I64
    """Actions of its burst."""
    carted: I64
    """Products put into the cart, each looked at before."""
    checks_out: Bools
    failures: I64
    """Times that paying fails."""
    is_bought: Bools
    tells: Bools

    def __len__(self) -> int:
        return len(self.account)

    @property
    def browsed(self) -> I64:
        """Slots before the burst."""
        return self.views - self.carted

    @property
    def rows(self) -> I64:
        return self.views + self.burst + self.carted + self.checks_out + self.is_bought

    @property
    def held_up(self) -> I64:
        """Time that the burst takes."""
        return np.where(self.burst > 0, 2_000 * self.burst + QUIET, 0)

    @property
    def checkout(self) -> I64:
        """When it begins to pay; where it does, the slot after the cart's."""
        return self.begins + self.pace * (self.views + self.carted) + self.held_up

    @property
    def paid(self) -> I64:
        """When it is paid, after what failed."""
        return self.checkout + self.pace + RETRY * self.failures


@dataclass(frozen=True)
class _Turns:
    """Sessions of accounts: one entry each, numbered within its account."""

    account: I64
    turn: I64
    of: I64
    """How many the account has."""
    luck: U64


@by_day(in_work)
def sessions(world: World, day: int) -> Sessions:
    """The ordinary sessions of a day as planned. With the planted cases they have exactly the
    day's quota of actions, less those that defects will add; where nobody is online there are
    none. Raises BadInput for more than those who are online can have."""
    config = world.config
    room = config.quota(TABLE, day) - added(config, TABLE, day)
    room -= sum(len(s.actions) for s in scripts(world, day))
    who = _visitors(world, day)
    if len(who) and room > _MOST * len(who):
        raise BadInput(
            f"{room} rows of {TABLE} on {config.date(day)} of {len(who)} visitors; {_MOST} for "
            "each are allowed: ask for fewer rows, more days or more players"
        )
    made = _sessions(config, day, who, max(room, 0))
    fit = np.searchsorted(np.cumsum(made.rows), room, side="right")
    return narrow(_filled(take(made, slice(fit)), max(room, 0)))


def placed(config: WorldConfig, day: int, s: Sessions) -> tuple[Sessions, Origin]:
    """Planned sessions with their times, and from where each is."""
    s = wide(s)
    origin = profiles.origin(config, s.account, day, s.luck << np.uint64(11))
    return _timed(config, day, s, origin.place), origin


def _visitors(world: World, day: int) -> I64:
    """Those who are in a case come as it says, and not otherwise."""
    config, who = world.config, profiles.online(world, day)
    engaged = np.array([c.players[0] for c in cases(world, day)], dtype=np.int64)
    who = np.delete(who, np.searchsorted(who, engaged))
    comes = [chance(hashed(config, "comes", who[at], day), _COMES) for at in parts(len(who))]
    return who[found] if (found := np.concatenate(comes)).any() else who


def _sessions(config: WorldConfig, day: int, who: I64, room: int) -> Sessions:
    """Sessions with as few views as each can have, in an order that favours nobody."""
    many = -(-room // max(_MOST_ACTIONS * len(who), 1))
    each = in_parts(lambda at: _turns(config, day, who[at], many), len(who))
    order = order_of(each.luck).astype(np.uint32)
    return in_parts(lambda at: _planned(config, day, wide(take(each, order[at]))), len(each.luck))


def _turns(config: WorldConfig, day: int, who: I64, many: int) -> _Turns:
    counts = np.maximum(1 + chance(hashed(config, "again", who, day), 0.25), many)
    account, turn = np.repeat(who, counts), ordinals(counts)
    luck = hashed(config, "session", account, turn, day)
    return _Turns(account, turn, np.repeat(counts, counts), luck)


def _planned(config: WorldConfig, day: int, t: _Turns) -> Sessions:
    luck = t.luck
    carted = np.where(chance(luck, _CARTED), 1 + pick(luck << np.uint64(9), (70, 20, 7, 3)), 0)
    pays = (carted > 0) & chance(luck << np.uint64(13), _CHECKED_OUT)
    buys = pays & chance(luck << np.uint64(23), _BOUGHT)
    g = luck << np.uint64(19)
    failures = np.where(buys, pick(g, (984, 12, 4)), np.where(pays, pick(g, (90, 7, 3)), 0))
    burst = np.where(
        _bursts(config, day, t.account, t.turn), 12 + below(luck << np.uint64(5), 19), 0
    )
    return Sessions(
        account=t.account,
        luck=luck,
        begins=t.turn,
        pace=t.of,
        views=np.maximum(carted, 1),
        burst=burst,
        carted=carted,
        checks_out=pays,
        failures=failures,
        is_bought=buys,
        tells=chance(luck << np.uint64(29), _TELLS),
    )


def _bursts(config: WorldConfig, day: int, account: I64, turn: I64) -> Bools:
    found = np.zeros(len(account), dtype=bool)
    first = np.flatnonzero(turn == 0)
    some = first[chance(hashed(config, "bursty", account[first]), _BURSTY)]
    found[some] = chance(hashed(config, "burst", account[some], day), _BURSTS)
    return found


def _filled(s: Sessions, room: int) -> Sessions:
    """Views more, to the last row: to each by how long he likes to look around."""
    if not len(s):
        return s
    # A column in place: four of all sessions would be the most that a day takes.
    ends = np.cumsum(
        np.concatenate([_patience(s.luck[at]) for at in parts(len(s))]), dtype=np.int64
    )
    total, left = int(ends[-1]), room - int(s.rows.sum())
    ends *= left
    ends //= total
    return replace(s, views=s.views + np.diff(ends, prepend=0))


def _patience(luck: U64) -> NDArray[np.int32]:
    return 1_000 + (3_000 * exponential(luck << np.uint64(3))).astype(np.int32)


def _timed(config: WorldConfig, day: int, s: Sessions, place: I64) -> Sessions:
    """The sessions of an account are spread over the day and do not touch."""
    date = config.date(day)
    length = day_seconds(date, config.timezone)
    opens = day_start(date, config.timezone) // 1_000_000 % 86_400
    h = hashed(config, "hour", s.account, day)
    local = pick(h, _HOURS) * 3_600 + below(h << np.uint64(31), 3_600)
    first = at_local(date, opens, length, place, local)
    begins = (first + s.begins * length // s.pace) % length * 1_000
    room = length * 1_000 // (3 * s.pace) - s.held_up - 20_000
    slots = s.views + s.carted + 1
    wanted = 6_000 + below(s.luck << np.uint64(7), 40_000)
    pace = np.maximum(np.minimum(wanted, room // slots), QUIET + 1)
    timed = replace(s, begins=np.zeros(len(s), dtype=np.int64), pace=pace)
    return replace(timed, begins=np.minimum(begins, length * 1_000 - timed.paid - 1_000))
