"""The loyalty system's book in one file: each patron once as at the end, or with versions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from lakehouse.simulate.faults import defects
from lakehouse.simulate.faults.defects import LATE, UNTIDY, Unit, spoil
from lakehouse.simulate.floor import people
from lakehouse.simulate.kernel import person
from lakehouse.simulate.kernel.config import PEOPLE
from lakehouse.simulate.kernel.counter import I64
from lakehouse.simulate.kernel.world import World

AT_A_TIME = 20_000


def roll(world: World, n: int) -> Iterator[pl.DataFrame]:
    """`n` different patrons in bronze shape, one row each, as the window's last day closes."""
    yield from _rows(world, world.config.days - 1, people.patrons(world, n))


def versions(world: World, n: int, since: int = 0) -> Iterator[pl.DataFrame]:
    """The patrons that `roll` gives, in order of day. There is a row of each as day `since`
    closes (of a newcomer: on his first day), one on each later day on which he did something
    or a filing named him, and one as the window closes, which is that of `roll`."""
    who, last = people.patrons(world, n), world.config.days - 1
    come_later = world.totals(last, who).first_day > since
    known = who[~(come_later & person.newcomer(world.config, who))]
    for day in range(since, last):
        here = known if day == since else np.intersect1d(who, people.acting(world, day))
        yield from _rows(world, day, here)
    yield from _rows(world, last, who)


def _rows(world: World, day: int, who: I64) -> Iterator[pl.DataFrame]:
    """Every row has a consequence, so that defects do only what cleaning heals."""
    struck = defects.counts(world.config, PEOPLE, day, len(who))
    struck[[k for k in range(len(struck)) if k not in (UNTIDY, LATE)]] = 0
    for start in range(0, len(who), AT_A_TIME):
        stop = min(start + AT_A_TIME, len(who))
        clean = people.dress(world.config, people.standing(world, day, who[start:stop]))
        share = struck * stop // len(who) - struck * start // len(who)
        unit = Unit(day, start // AT_A_TIME, clean.height, share)
        yield spoil(world, PEOPLE, clean, [unit]).rows
