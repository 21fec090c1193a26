"""What was worked out before, for as long as its world lives."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64
from lakehouse.simulate.kernel.world import World

T = TypeVar("T")
ONE_AT_A_TIME = threading.RLock()
"""Held while something that is remembered is worked out."""


def of_world(make: Callable[[], T]) -> Callable[[World], T]:
    """One thing per world, made by `make` when it is first asked for."""
    known: WeakKeyDictionary[World, T] = WeakKeyDictionary()

    def look_up(world: World) -> T:
        with ONE_AT_A_TIME:
            return known.setdefault(world, make())

    return look_up


def near(world: World) -> int:
    """How many days a world keeps: those around the day in work are asked for again."""
    return world.near


def at_hand(world: World) -> int:
    """The days in work and the one before them; where days are small, all that are near."""
    return world.near if world.block > 1 else 2


def in_work(world: World) -> int:
    """The days that are made together, and their neighbours; a large day alone, as memory is to
    hold no second one."""
    return world.block + 2 if world.block > 1 else 1


def in_the_window(world: World) -> int:
    """All days of the window and those near: for what is small, and asked for at the end."""
    return world.config.days + world.near


class Remembered(Generic[T]):
    """A function of a world and a day that keeps the days of each world that were asked for
    last. One thread at a time computes."""

    def __init__(
        self, function: Callable[[World, int], T], most: int | Callable[[World], int]
    ) -> None:
        functools.update_wrapper(self, function)
        self._function, self._most = function, most
        self._days: Callable[[World], dict[int, T]] = of_world(dict)

    def __call__(self, world: World, day: int) -> T:
        with ONE_AT_A_TIME:
            days = self._days(world)
            room = self._most if isinstance(self._most, int) else self._most(world)
            if day not in days:
                # Before another is made: a large day is not to be held beside the next.
                _forget(days, room - 1)
            days[day] = days.pop(day) if day in days else self._function(world, day)
            _forget(days, room)
            return days[day]

    def let_go(self, world: World) -> None:
        """Forgets a large day of which all that follows is made; who asks again makes it anew."""
        with ONE_AT_A_TIME:
            if world.block == 1:
                self._days(world).clear()


def by_day(
    most: int | Callable[[World], int],
) -> Callable[[Callable[[World, int], T]], Remembered[T]]:
    """Keeps the `most` days of each world that were asked for last."""
    return lambda function: Remembered(function, most)


def _forget(days: dict[int, T], room: int) -> None:
    """All but the `room` that were asked for last."""
    for old in list(days)[: max(len(days) - room, 0)]:
        del days[old]


def asked_last(
    most: int,
) -> Callable[[Callable[[WorldConfig, int], I64]], Callable[[WorldConfig, int], I64]]:
    """Keeps the days that were asked for last, as many as have `most` entries together."""

    def decorate(function: Callable[[WorldConfig, int], I64]) -> Callable[[WorldConfig, int], I64]:
        known: dict[tuple[WorldConfig, int], I64] = {}

        @functools.wraps(function)
        def look_up(config: WorldConfig, day: int) -> I64:
            with ONE_AT_A_TIME:
                asked = config, day
                found = known[asked] = known.pop(asked) if asked in known else function(config, day)
                held = sum(map(len, known.values()))
                while held > most and len(known) > 1:
                    held -= len(known.pop(next(iter(known))))
                return found

        return look_up

    return decorate


def carried_over(
    empty: Callable[[World], T],
) -> Callable[[Callable[[World, int, T], T]], Callable[[World, int], T]]:
    """Makes of a function that closes a day (world, day, total before → total after) one that
    gives the total through any day; before the first it is `empty`. Kept are the days in work
    and every sixteenth, so that any day is near one."""

    def decorate(close: Callable[[World, int, T], T]) -> Callable[[World, int], T]:
        remembered: Callable[[World], dict[int, T]] = of_world(dict)

        @functools.wraps(close)
        def through(world: World, day: int) -> T:
            with ONE_AT_A_TIME:
                known = remembered(world)
                last = max((d for d in known if d <= day), default=-1)
                total = known[last] if last >= 0 else empty(world)
                for d in range(last + 1, day + 1):
                    total = known[d] = close(world, d, total)
                    for old in [k for k in known if k < d - 2 * world.block and k % 16]:
                        del known[old]
                return total

        return through

    return decorate
