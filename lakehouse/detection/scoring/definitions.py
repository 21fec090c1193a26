"""Which planted patterns meet the definition of their rule, by the currency that was planted.

Between the first and the last day of a planted case its patron moves currency only as the case
says, so that the rows of these days are what was planted. The definition is written here anew, a
patron at a time, and shares no code with the rule that is held against it.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

import polars as pl

from lakehouse.regulation.gaming_day import Days

BY_DEFINITION = "by definition"
_OTHER = "other"
T = TypeVar("T")


class Moved(NamedTuple):
    """One amount of currency."""

    at: dt.datetime
    gaming_day: dt.date
    cents: int


class Structuring(NamedTuple):
    """So many `amounts` in the band within `hours`, or `totals` of gaming days within `days`; an
    amount over `to_cents` is reported, and what came before it counts no longer."""

    from_cents: int
    to_cents: int
    amounts: int
    hours: int
    totals: int
    days: int

    @classmethod
    def of(cls, params: Mapping[str, float]) -> Structuring:
        """From the parameters of the rule in the law."""
        counts = (int(params[n]) for n in ("amounts", "hours", "totals", "days"))
        return cls(int(params["from_usd"] * 100), int(params["to_usd"] * 100), *counts)

    def completed(self, moved: Sequence[Moved]) -> dt.date | None:
        """The first gaming day on which the amounts of one side meet the definition."""
        done: list[dt.date] = []
        for run in self._runs(moved):
            singles = [m for m in run if self._in_band(m.cents)]
            for first, last in _spans(singles, self.amounts):
                if last.at - first.at <= dt.timedelta(hours=self.hours):
                    done.append(last.gaming_day)
            totals: dict[dt.date, int] = defaultdict(int)
            for m in run:
                totals[m.gaming_day] += m.cents
            near = sorted(day for day, cents in totals.items() if self._in_band(cents))
            for start, end in _spans(near, self.totals):
                if end - start <= dt.timedelta(days=self.days):
                    done.append(end)
        return min(done, default=None)

    def _in_band(self, cents: int) -> bool:
        return self.from_cents <= cents <= self.to_cents

    def _runs(self, moved: Sequence[Moved]) -> list[list[Moved]]:
        ordered = sorted(moved)
        breaks = [k for k, m in enumerate(ordered) if m.cents > self.to_cents]
        return [ordered[a + 1 : b] for a, b in pairwise([-1, *breaks, len(ordered)])]


def _spans(items: Sequence[T], count: int) -> list[tuple[T, T]]:
    """The first and last of each `count` in a row."""
    return [(items[k], items[k + count - 1]) for k in range(len(items) - count + 1)]


def structuring_by_definition(
    plants: pl.DataFrame, currency: pl.DataFrame, params: Mapping[str, float], window: Days
) -> pl.DataFrame:
    """Plants as the rule by its definition is to be scored by. Cases of structuring that complete
    the pattern within `window` have the strength BY_DEFINITION. Cases that do not, and what else
    was planted that does (other kinds, honest look-alikes), have another one: that the rule says so
    is neither right nor wrong by the definition. The rest is left out.

    `plants`: truth/plants; `currency`: player_id, side, gaming_day, at, amount in dollars."""
    meets = _completed(plants, currency, Structuring.of(params))
    planted = (pl.col("expected_rule") == "structuring") & ~pl.col("is_look_alike")
    in_window = pl.col("completed").is_between(*window).fill_null(value=False)
    return (
        plants.join(meets, on=["plant_id", "entity_id"], how="left")
        .filter(planted | pl.col("completed").is_not_null())
        .with_columns(
            expected_rule=pl.lit("structuring"),
            is_look_alike=pl.lit(value=False),
            strength=pl.when(planted & in_window)
            .then(pl.lit(BY_DEFINITION))
            .otherwise(pl.lit(_OTHER)),
        )
        .select(plants.columns)
    )


def _completed(
    plants: pl.DataFrame, currency: pl.DataFrame, definition: Structuring
) -> pl.DataFrame:
    """plant_id, entity_id and the day on which the definition was met."""
    cases = plants.filter(
        (pl.col("entity_type") == "player") & pl.col("intensity").is_not_null()
    ).select("plant_id", "entity_id", "window_start", "window_end")
    moved = (
        cases.unique()
        .join(currency, left_on="entity_id", right_on="player_id")
        .filter(pl.col("gaming_day").is_between("window_start", "window_end"))
    )
    sides: dict[tuple[str, str, str], list[Moved]] = defaultdict(list)
    columns = ["plant_id", "entity_id", "side", "at", "gaming_day", "amount"]
    for plant, entity, side, at, day, usd in moved.select(columns).iter_rows():
        sides[plant, entity, side].append(Moved(at, day, int(usd * 100)))
    met = [(p, e, definition.completed(rows)) for (p, e, _), rows in sides.items()]
    shape = {"plant_id": pl.String, "entity_id": pl.String, "completed": pl.Date}
    return (
        pl.DataFrame(met, schema=shape, orient="row")
        .group_by("plant_id", "entity_id")
        .agg(pl.col("completed").min())
    )
