"""How an account shops: taste, payment, devices, networks, and where it is on a day."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lakehouse.contracts.columns import DEVICES
from lakehouse.contracts.shop.orders import PAYMENT_METHODS
from lakehouse.simulate.kernel import accounts
from lakehouse.simulate.kernel.arrays import parts
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below, chance, draw, key, pick
from lakehouse.simulate.kernel.memory import by_day
from lakehouse.simulate.kernel.places import ABROAD, WEIGHTS, places
from lakehouse.simulate.kernel.world import World

Bools = NDArray[np.bool_]

MOBILE, DESKTOP, TABLET = range(len(DEVICES))
_TASTES = (16, 20, 12, 14, 10, 12, 9, 5, 2)
"""Of those who buy beside their favourites, by category [assumption]."""
_TRIPS, _BLOCK = 0.08, 28
"""Accounts that travel in a block of so many days [assumption]."""
_JITTER = 8
"""Hundredths of a degree that a home is off its city's centre at the most."""


KEPT = 20
"""Days of which what is small is remembered: refunds look back on those before."""
_AHEAD = 17
"""Days of which it is known who is online: a case looks ahead on those in which it gives back, the
last of them 14 days away, which is asked for again after four; 16 others are in between."""


@dataclass(frozen=True)
class Origin:
    """From where and with what somebody shops: one entry per session."""

    device: U64
    kind: I64
    """Position among the kinds of device."""
    browser: I64
    network: I64
    place: I64
    latitude: I64
    """Hundredths of a degree, as the longitude."""
    longitude: I64

    def __len__(self) -> int:
        return len(self.kind)


def hashed(config: WorldConfig, what: str, *entities: I64 | int) -> U64:
    return draw(key(config.seed, f"shop:{what}"), *entities)


def category(config: WorldConfig, account: I64, h: U64) -> I64:
    """What somebody looks for: mostly one of two favourites."""
    favourite = hashed(config, "favourite", account)
    first, second = below(favourite, 8), below(favourite << np.uint64(31), 8)
    turn = below(h, 100)
    other = pick(h << np.uint64(31), _TASTES)
    return np.where(turn < 45, first, np.where(turn < 70, second, other))


def method(config: WorldConfig, account: I64, h: U64) -> I64:
    """How somebody pays: nearly always as usual."""
    mine = pick(hashed(config, "method", account), (36, 26, 18, 12, 8))
    return np.where(chance(h, 0.9), mine, below(h << np.uint64(31), len(PAYMENT_METHODS)))


@by_day(_AHEAD)
def _online(world: World, day: int) -> NDArray[np.uint8]:
    """A bit for each account, as of a large house all days that are looked at are held."""
    there = accounts.is_online(world.config, day)
    for at in parts(len(there), accounts.SPAN):
        who = at.start + np.flatnonzero(there[at])
        there[who] = ~is_in_transit(world.config, who, day)
    return np.packbits(there, bitorder="little")


def online(world: World, day: int) -> I64:
    """Sorted accounts of those who are online on a day and not on the way."""
    return np.flatnonzero(np.unpackbits(_online(world, day), bitorder="little"))


def are_online(world: World, day: int, account: I64) -> Bools:
    """Which accounts are among `online`."""
    octet = _online(world, day)[account >> 3]
    return (octet >> (account & 7).astype(np.uint8) & 1).astype(bool)


def is_in_transit(config: WorldConfig, account: I64, day: int) -> Bools:
    """Who is on the way, and does not shop that day."""
    found = np.zeros(len(account), dtype=bool)
    goes, begins, ends = _trips(config, account, day)
    found[goes] = (begins == day) | (ends == day)
    return found


def origin(config: WorldConfig, account: I64, day: int, luck: U64) -> Origin:
    """Where each is that day, at home or on a trip, and on which of the usual devices."""
    begins, ends = _travels(config, account, day)
    travels = (day > begins) & (day < ends)
    place = accounts.home(config, account)
    place[travels] = _destination(config, account[travels], day)
    second = chance(hashed(config, "two-devices", account), 0.5) & chance(luck, 0.25)
    device, kind = devices(config, account, day, second & ~travels)
    mobile = (kind == MOBILE) & chance(luck << np.uint64(20), 0.3)
    network = np.where(mobile, carrier(config, account, day), home_network(config, account))
    hotel = networks(hashed(config, "hotel", account, begins))
    lat, lon = near(place, hashed(config, "jitter", account, np.where(travels, begins, -1)))
    return Origin(
        device, kind, browser(device, kind), np.where(travels, hotel, network), place, lat, lon
    )


def devices(config: WorldConfig, account: I64, day: int, second: Bools) -> tuple[U64, I64]:
    """(device, kind of it): each is replaced now and then."""
    slot = second.astype(np.int64)
    h = hashed(config, "device", account, slot)
    period = 300 + below(h, 600)
    turn = (day + below(h << np.uint64(31), period)) // period
    kind = np.where(second, pick(h, (20, 60, 20)), pick(h, (65, 30, 5)))
    return draw(1, h, turn), kind


def browser(device: U64, kind: I64) -> I64:
    handheld = pick(device, (55, 35, 4, 6))
    return np.where(kind == DESKTOP, pick(device, (58, 12, 12, 18)), handheld)


def home_network(config: WorldConfig, account: I64) -> I64:
    return networks(hashed(config, "network", account))


def carrier(config: WorldConfig, account: I64, day: int) -> I64:
    """The mobile network gives another address each fortnight."""
    return networks(hashed(config, "carrier", account, (day + account) // 14))


def networks(h: U64) -> I64:
    return (h >> np.uint64(32)).astype(np.int64)


def near(place: I64, h: U64) -> tuple[I64, I64]:
    """Hundredths of a degree of places, off their centres by up to `_JITTER`."""
    (north, east), (up, right) = centres(), jitter(h)
    return north[place] + up, east[place] + right


def jitter(h: U64) -> tuple[I64, I64]:
    """How far off a place's centre something is, in hundredths of a degree."""
    n = 2 * _JITTER + 1
    return below(h, n) - _JITTER, below(h << np.uint64(31), n) - _JITTER


@functools.cache
def centres() -> tuple[I64, I64]:
    """By place, latitude and longitude in hundredths of a degree."""
    north, east = (
        np.rint(places()[c].to_numpy() * 100).astype(np.int64) for c in ("latitude", "longitude")
    )
    return north, east


def _travels(config: WorldConfig, account: I64, day: int) -> tuple[I64, I64]:
    """(day on the way there, day on the way back) of the block's trip; days of -9 where there is
    none. At least a day lies between two places, so that no honest one is out of reach of the
    other."""
    begins, ends = (np.full(len(account), -9) for _ in range(2))
    goes, *days = _trips(config, account, day)
    begins[goes], ends[goes] = days
    return begins, ends


def _trips(config: WorldConfig, account: I64, day: int) -> tuple[I64, I64, I64]:
    """Positions of those who travel in the block, and both days."""
    block = day // _BLOCK
    h = hashed(config, "trip", account, block)
    goes = np.flatnonzero(chance(h, _TRIPS))
    begins = block * _BLOCK + below(h[goes] << np.uint64(9), 17)
    return goes, begins, begins + 4 + below(h[goes] << np.uint64(14), 6)


def _destination(config: WorldConfig, account: I64, day: int) -> I64:
    """Where the block's trip goes."""
    g = hashed(config, "destination", account, day // _BLOCK)
    abroad = pick(g, WEIGHTS)
    anywhere = len(ABROAD) + below(g, places().height - len(ABROAD))
    return np.where(chance(g << np.uint64(31), 0.7), abroad, anywhere)
