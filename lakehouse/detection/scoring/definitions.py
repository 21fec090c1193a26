"""Which patterns meet the definition of their rule, by the currency itself.

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
        return min(self.met_on(moved), default=None)

    def met_on(self, moved: Sequence[Moved]) -> set[dt.date]:
        """The gaming days on which an amount or a total of one side completes the pattern."""
        done = set[dt.date]()
        for run in self._runs(moved):
            singles = [m for m in run if self._in_band(m.cents)]
            for first, last in _spans(singles, self.amounts):
                if last.at - first.at <= dt.timedelta(hours=self.hours):
                    done.add(last.gaming_day)
            totals: dict[dt.date, int] = defaultdict(int)
            for m in run:
                totals[m.gaming_day] += m.cents
            near = sorted(day for day, cents in totals.items() if self._in_band(cents))
            for start, end in _spans(near, self.totals):
                if end - start <= dt.timedelta(days=self.days):
                    done.add(end)
        return done

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
    the pattern within `window` have the strength BY_DEFINITION. Cases that do not, and whatever
    else does (other kinds, honest look-alikes, patrons of whom nothing was planted), have another
    one: that the rule says so is neither right nor wrong by the definition. The rest is left out.

    `plants`: truth/plants; `currency`: player_id, side, gaming_day, at, amount in dollars."""
    definition = Structuring.of(params)
    is_ours = (pl.col("expected_rule") == "structuring") & ~pl.col("is_look_alike")
    ours = plants.filter(
        is_ours, pl.col("entity_type") == "player", pl.col("intensity").is_not_null()
    )
    moved = _moved(ours, currency)
    theirs = moved.rename({"entity_id": "player_id"}).select(currency.columns)
    rest = currency.join(theirs, on=currency.columns, how="anti")
    in_window = pl.col("completed").is_between(*window).fill_null(value=False)
    strength = pl.when(in_window).then(pl.lit(BY_DEFINITION)).otherwise(pl.lit(_OTHER))
    meets = _completed(moved, definition)
    cases = ours.join(meets, on=["plant_id", "entity_id"], how="left")
    told = [cases.with_columns(strength=strength), _others(rest, definition)]
    return pl.concat(told, how="diagonal_relaxed").select(plants.columns)


def _others(currency: pl.DataFrame, definition: Structuring) -> pl.DataFrame:
    """A row for each gaming day on which somebody meets it of whom no structuring was planted."""
    met = [
        (entity, day)
        for (entity, _), rows in _by_side(currency, "player_id").items()
        for day in definition.met_on(rows)
    ]
    found = pl.DataFrame(met, schema={"entity_id": pl.String, "gaming_day": pl.Date}, orient="row")
    return found.unique(maintain_order=True).with_columns(
        plant_id="nobody:" + pl.col("entity_id"),
        entity_type=pl.lit("player"),
        window_start="gaming_day",
        window_end="gaming_day",
        expected_rule=pl.lit("structuring"),
        intensity=pl.lit(0.0),
        strength=pl.lit(_OTHER),
        is_look_alike=pl.lit(value=False),
    )


def _moved(cases: pl.DataFrame, currency: pl.DataFrame) -> pl.DataFrame:
    """What moved between the first and the last day of each case."""
    return (
        cases.select("plant_id", "entity_id", "window_start", "window_end")
        .unique()
        .join(currency, left_on="entity_id", right_on="player_id")
        .filter(pl.col("gaming_day").is_between("window_start", "window_end"))
    )


def _completed(moved: pl.DataFrame, definition: Structuring) -> pl.DataFrame:
    """plant_id, entity_id and the day on which the definition was met."""
    sides = _by_side(moved, "plant_id", "entity_id")
    met = [(p, e, definition.completed(rows)) for (p, e, _), rows in sides.items()]
    shape = {"plant_id": pl.String, "entity_id": pl.String, "completed": pl.Date}
    found = pl.DataFrame(met, schema=shape, orient="row")
    return found.group_by("plant_id", "entity_id").agg(pl.col("completed").min())


def _by_side(moved: pl.DataFrame, *of: str) -> dict[tuple[str, ...], list[Moved]]:
    sides: dict[tuple[str, ...], list[Moved]] = defaultdict(list)
    for *key, at, day, usd in moved.select(*of, "side", "at", "gaming_day", "amount").iter_rows():
        sides[tuple(key)].append(Moved(at, day, int(usd * 100)))
    return sides
