"""Remembers a day's result for as long as its world lives."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from lakehouse.simulate.world import World

T = TypeVar("T")
_ONE_AT_A_TIME = threading.RLock()


def by_day(most: int) -> Callable[[Callable[[World, int], T]], Callable[[World, int], T]]:
    """Keeps the last `most` days of each world. One thread at a time computes."""

    def decorate(function: Callable[[World, int], T]) -> Callable[[World, int], T]:
        known: WeakKeyDictionary[World, dict[int, T]] = WeakKeyDictionary()

        @functools.wraps(function)
        def look_up(world: World, day: int) -> T:
            with _ONE_AT_A_TIME:
                days = known.setdefault(world, {})
                if day not in days:
                    days[day] = function(world, day)
                    for old in list(days)[:-most]:
                        del days[old]
                return days[day]

        return look_up

    return decorate
