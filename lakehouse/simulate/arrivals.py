"""When each row of the world would come by a topic, and the rows of a day in that order.

An event comes when it happens. What was sent again, or late, comes as much later as it reached
bronze later than the hour's other rows: on a day after, if need be. A row whose clock was off or
that has no time comes with the row before it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl

from lakehouse.contracts import contract
from lakehouse.regulation.gaming_day import day_bounds
from lakehouse.simulate.kernel.clock import SENT_AFTER
from lakehouse.simulate.world import World

_AT = "_at"
LATEST = 4
"""Gaming days after its own on which a row may still come: three days later, past the close."""
_DAY = dt.timedelta(days=1)


class Arrivals:
    """Rows as topics get them, of each table's gaming days from its `since` on. Days are asked
    for one after another; a day is the same whichever was asked for first."""

    def __init__(self, world: World, since: Mapping[str, dt.date]) -> None:
        self._world = world
        self._since = since
        self._next = min(since.values())
        self._late: dict[str, pl.DataFrame] = {}

    def day(self, day: dt.date) -> dict[str, tuple[pl.Series, pl.DataFrame]]:
        """By table, what comes on a gaming day, of this day and of those before it: when, and
        the rows, in that order."""
        if day != self._next:
            self._next = max(min(self._since.values()), day - LATEST * _DAY)
            self._late = {}
            while self._next < day:
                self._taken(self._next)
        found = self._taken(day)
        return {table: (rows[_AT], rows.drop(_AT)) for table, rows in found.items()}

    def _taken(self, day: dt.date) -> dict[str, pl.DataFrame]:
        _, closes = day_bounds(day, self._world.config.timezone)
        found = {}
        for table in (t for t, since in self._since.items() if since <= day):
            mine = self._placed(table, day)
            whole = pl.concat([self._late.get(table, mine.clear()), mine]).sort(
                _AT, maintain_order=True
            )
            is_now = whole[_AT] < closes
            found[table], self._late[table] = whole.filter(is_now), whole.filter(~is_now)
        self._next = day + _DAY
        return found

    def _placed(self, table: str, day: dt.date) -> pl.DataFrame:
        rows = self._world.frame(table, day)
        opens, closes = day_bounds(day, self._world.config.timezone)
        told = pl.col(str(contract(table).event_time))
        happened = (
            pl.when(told.is_between(opens, closes, closed="left")).then(told).forward_fill()
        ).fill_null(opens)
        usual = happened.dt.truncate("1h") + dt.timedelta(hours=1) + SENT_AFTER
        waited = pl.max_horizontal(pl.col("_ingested_at") - usual, dt.timedelta())
        return rows.with_columns((happened + waited).alias(_AT))
