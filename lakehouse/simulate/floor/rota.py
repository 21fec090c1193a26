"""Who of the staff is on the property, by shift: dealers, cashiers and guards; and whose badges
come in behind another's, are read again, or are read where their owner is not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.simulate.faults.house_cases import Case, are_planted, of_kind
from lakehouse.simulate.floor import layout
from lakehouse.simulate.floor.plan import day_plan
from lakehouse.simulate.kernel.arrays import order_of, take
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below, draw, key
from lakehouse.simulate.kernel.ids import employees
from lakehouse.simulate.kernel.staff import (
    CASHIERS,
    DEALER_BADGES,
    FIRST_GUARD,
    SHIFTS,
    badge_at,
    guards,
)
from lakehouse.simulate.kernel.world import World

_SHIFT_SECONDS = 28_800
_CALM = 1_200
"""Seconds that an honest walk from the entrance to a door inside takes at the least."""


def guard_on_duty(config: WorldConfig, second: I64, h: U64) -> pl.Series:
    """A guard of the shift at each moment."""
    n = guards(config)
    return employees(FIRST_GUARD + layout.shift_of(second) * n + below(h << np.uint64(21), n))


@dataclass(frozen=True)
class Crew:
    """Who works on a day, in the order in which the day's book has room for them."""

    badge: I64
    comes: I64
    goes: I64
    pause: I64

    def __len__(self) -> int:
        return len(self.badge)


@dataclass(frozen=True)
class Swipes:
    """One badge read per entry: first everybody's coming and going, then breaks."""

    badge: I64
    second: I64
    is_break: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.badge)


def crew(world: World, day: int) -> Crew:
    """Each within his shift."""
    tables, count = world.config.table_count, guards(world.config)
    sizes = (tables, CASHIERS, count)
    firsts = (0, 0, FIRST_GUARD)
    index, shift, is_dealer = [], [], []
    for kind, (size, first) in enumerate(zip(sizes, firsts, strict=True)):
        k = np.arange(SHIFTS * size)
        index.append(first + k)
        shift.append(k // size)
        is_dealer.append(np.full(len(k), kind == 0))
    who, at, dealing = (np.concatenate(c) for c in (index, shift, is_dealer))
    ends = np.array([_SHIFT_SECONDS, 2 * _SHIFT_SECONDS, day_plan(world, day).length])
    h = draw(key(world.config.seed, "swipe", day), who, dealing)
    begin, end = at * _SHIFT_SECONDS, ends[at]
    return take(
        Crew(
            badge=np.where(dealing, DEALER_BADGES + who, who),
            comes=begin + below(h, 420),
            goes=end - 1 - below(h << np.uint64(7), 420),
            pause=begin + 7_200 + below(h << np.uint64(15), 12_000),
        ),
        order_of(h),
    )


def swipes(world: World, day: int, room: int) -> Swipes:
    """At most `room` of the day's. Where staff misbehaves and is watched, whoever is in the book
    has both his coming and his going there, but for those who come or go behind another."""
    c = crew(world, day)
    if not are_planted(world.config):
        each = Swipes(
            np.concatenate([c.badge] * 4),
            np.concatenate([c.comes, c.goes, c.pause, c.pause + 1_200]),
            np.repeat([False, False, True, True], len(c)),
        )
        return take(each, slice(room))
    here = take(c, slice(room // 2))
    reads = np.stack([here.comes, here.goes], axis=1)
    kept = np.ones(reads.shape, dtype=bool)
    for behind in tailgating(world.config, day):
        kept[here.badge == badge_at(world.config, behind.entity), _unread(behind, day)] = False
    breaks = take(c, slice((room - 2 * len(here)) // 2))
    return Swipes(
        np.concatenate([np.repeat(here.badge, 2)[kept.reshape(-1)], breaks.badge, breaks.badge]),
        np.concatenate([reads[kept], breaks.pause, breaks.pause + 1_200]),
        np.repeat([False, True], [int(kept.sum()), 2 * len(breaks)]),
    )


def _unread(c: Case, day: int) -> int | slice:
    """Which of coming and going leaves no read: of a visitor's pass neither does."""
    return slice(None) if c.is_look_alike else int(c.luck("goes behind", day) < 0.3)


def tailgating(config: WorldConfig, day: int) -> list[Case]:
    """Who comes or goes behind another on the day; a look-alike forgot his badge at home."""
    return [
        c
        for c in of_kind(config, day, "tailgating")
        if c.is_look_alike or c.luck("active", day) < 0.3 + 0.6 * c.intensity
    ]


@dataclass(frozen=True)
class Reads:
    """Reads of badges at doors inside, one an entry."""

    badge: I64
    second: I64
    door: I64
    """0: the next one from the entrance; from 1 on those that take a walk."""
    case: I64
    """Number of the case, or -1: nobody's."""

    def __len__(self) -> int:
        return len(self.badge)


def inside(world: World, day: int, count: int) -> Reads:
    """Reads inside: what copies of badges open and what is read twice, then `count` of people
    about their work."""
    c = crew(world, day)
    works = np.flatnonzero(c.badge < DEALER_BADGES)
    at = works[np.arange(count) % len(works)]
    h = draw(key(world.config.seed, "inside", day), c.badge[at], np.arange(count))
    span = c.goes[at] - c.comes[at] - 2 * _CALM
    planted = [r for one in cloning(world.config, day) for r in _of_badge(world, one, day, c)]
    own = np.array(planted, dtype=np.int64).reshape(len(planted), 4)
    return Reads(
        badge=np.concatenate([own[:, 0], c.badge[at]]),
        second=np.concatenate([own[:, 1], c.comes[at] + _CALM + below(h, span)]),
        door=np.concatenate([own[:, 2], 1 + below(h << np.uint64(9), 2)]),
        case=np.concatenate([own[:, 3], np.full(count, -1)]),
    )


def cloning(config: WorldConfig, day: int) -> list[Case]:
    """Badges of which a copy is used on the day, and such as are read again at the next door."""
    return [
        c
        for c in of_kind(config, day, "badge_cloning")
        if c.is_look_alike or c.luck("active", day) < 0.4 + 0.5 * c.intensity
    ]


def _of_badge(world: World, one: Case, day: int, c: Crew) -> list[tuple[int, int, int, int]]:
    """(badge, second, door, case): a copy is used while its owner comes in, the sooner the
    bolder, and where it is blatant on another's shift too."""
    badge = badge_at(world.config, one.entity)
    comes = int(c.comes[c.badge == badge][0])
    if one.is_look_alike:
        return [(badge, comes + 45 + int(195 * one.luck("again", day)), 0, one.number)]
    door = 1 + int(2 * one.luck("door", day))
    wait = 15 + int((1 - one.intensity) * 420 * (0.5 + one.luck("wait", day)))
    found = [(badge, comes + wait, door, one.number)]
    if one.luck("absent", day) < one.intensity - 0.3:
        away = (comes + _SHIFT_SECONDS + int(14_400 * one.luck("away", day))) % (3 * _SHIFT_SECONDS)
        found.append((badge, min(away, day_plan(world, day).length - 1), door, one.number))
    return found
