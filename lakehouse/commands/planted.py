"""What was planted among events that were produced, told in the lake's truth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from lakehouse.ingest.streams.produce import Day
    from lakehouse.simulate.arrivals import Arrivals
    from lakehouse.simulate.shop.burst import Burst
    from lakehouse.simulate.world import World
    from lakehouse.storage import Lake


class ToldDays:
    """What comes on each day, with what was planted among it: both are made ahead."""

    def __init__(self, lake: Lake, world: World, arrivals: Arrivals) -> None:
        self._lake = lake
        self._world = world
        self._arrivals = arrivals
        self._plants: dict[dt.date, tuple[list[str], pl.DataFrame]] = {}

    def day(self, day: dt.date) -> Day:
        found = self._arrivals.day(day)
        self._plants[day] = list(found), self._world.plants(day, list(found))
        return found

    def tell(self, day: dt.date) -> None:
        """Of the tables, what a run would have told of the day; bursts and other tables stay."""
        import polars as pl

        from lakehouse.simulate.shop.burst import is_burst
        from lakehouse.storage.commits import Commit

        tables, planted = self._plants.pop(day)
        is_ours = pl.col("table_name").is_in(tables)

        def build(now: pl.LazyFrame) -> pl.DataFrame:
            others = now.filter(~is_ours | is_burst()).collect()
            return pl.concat([others, planted.filter(is_ours).select(others.columns)])

        commit = Commit("stream produce", "truth/plants", "1")
        self._lake.rebuild("truth", "plants", build, commit=commit, days=(day, day))


def tell_burst(lake: Lake, day: dt.date, burst_of: Callable[[int], Burst]) -> Burst:
    """The next burst of the day, told before it is sent: nobody else has its number."""
    import polars as pl

    from lakehouse.simulate.shop.burst import is_burst
    from lakehouse.storage.commits import Commit

    found: list[Burst] = []

    def build(now: pl.LazyFrame) -> pl.DataFrame:
        known = now.collect()
        number = known.filter(is_burst())["plant_id"].n_unique()
        found.append(burst_of(number))
        return pl.concat([known, found[-1].plants.select(known.columns)])

    commit = Commit("stream plant", "truth/plants", "1")
    lake.rebuild("truth", "plants", build, commit=commit, days=(day, day))
    return found[-1]
