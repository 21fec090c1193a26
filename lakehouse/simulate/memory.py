"""Remembers a day's result for as long as its world lives."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from lakehouse.simulate.world import World

T = TypeVar("T")


def by_day(most: int) -> Callable[[Callable[[World, int], T]], Callable[[World, int], T]]:
    """Keeps the last `most` days of each world. Two threads may compute one day twice: the
    results are equal."""

    def decorate(function: Callable[[World, int], T]) -> Callable[[World, int], T]:
        known: WeakKeyDictionary[World, dict[int, T]] = WeakKeyDictionary()

        @functools.wraps(function)
        def look_up(world: World, day: int) -> T:
            days = known.setdefault(world, {})
            found = days.get(day)
            if found is None:
                found = days[day] = function(world, day)
                for old in list(days)[:-most]:
                    days.pop(old, None)
            return found

        return look_up

    return decorate
