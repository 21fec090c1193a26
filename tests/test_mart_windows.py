"""Each window and input of each declared mart is enough, and none is more than is needed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import polars as pl
import pytest
from mart_rows import ALWAYS, NOW, SETTINGS, rows_of
from mart_witnesses import DAYS, silver_rows
from polars.testing import assert_frame_equal

from lakehouse.gold.marts import EVERY, Input, Mart, marts, reach
from lakehouse.regulation.law import load

LAW = load(SETTINGS.profile)


silver = cache(silver_rows)


@cache
def table(name: str) -> pl.LazyFrame:
    """All rows of an input: silver by hand, a mart from all of its inputs."""
    given = silver()
    if name in given:
        return given[name]
    return rows_of(name, table, ALWAYS).lazy()


def let_through(mart: Mart, day: dt.date) -> dict[str, pl.LazyFrame]:
    """What the windows of its inputs let through for one day."""
    is_inside = pl.col("gaming_day").is_between
    return {
        i.table: table(i.table).filter(is_inside(*i.window((day, day), LAW)))
        for i in mart.reads(SETTINGS)
    }


def made(mart: Mart, frames: dict[str, pl.LazyFrame], day: dt.date) -> pl.DataFrame:
    return mart.rows(frames, settings=SETTINGS, days=(day, day), as_of=NOW).collect()


@cache
def alone(name: str, day: dt.date) -> pl.DataFrame:
    """The mart's rows of one day, from what its windows let through."""
    return made(marts()[name], let_through(marts()[name], day), day)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(marts()))
def test_days_alone_are_as_with_others_between_and_all_rows_there_are(name: str) -> None:
    """The windows are enough: nothing beyond them changes a day."""
    found = rows_of(name, table, (min(DAYS), max(DAYS)), sorted(DAYS))
    by_day = found.sort("gaming_day", maintain_order=True)
    assert_frame_equal(by_day, pl.concat(alone(name, d) for d in sorted(DAYS)))


def narrowed() -> Iterator[tuple[str, Input, str]]:
    for name, mart in marts().items():
        for given in mart.inputs:
            for side in ("back", "ahead"):
                if reach(getattr(given, side), LAW):
                    yield name, given, side


def is_noticed(mart: Mart, old: Input, new: Input) -> bool:
    """Whether some day changes: none does for which the two let the same rows through."""

    def rows(given: Input, day: dt.date) -> int:
        is_inside = pl.col("gaming_day").is_between(*given.window((day, day), LAW))
        return table(given.table).select(is_inside.sum()).collect().item()

    changed = replace(mart, inputs=tuple(new if i == old else i for i in mart.inputs))
    days = [day for day in DAYS if rows(new, day) < rows(old, day)]
    return any(
        not made(changed, let_through(changed, d), d).equals(alone(mart.name, d)) for d in days
    )


def _said(value: object) -> str:
    return f"{value.layer}.{value.table}" if isinstance(value, Input) else str(value)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "given", "side"), list(narrowed()), ids=_said)
def test_a_window_a_day_shorter_is_noticed(name: str, given: Input, side: str) -> None:
    """A window without end is cut to the day itself."""
    days = reach(getattr(given, side), LAW)
    shorter = 0 if days >= EVERY else days - 1
    assert is_noticed(marts()[name], given, replace(given, **{side: shorter}))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "given"), [(n, i) for n, m in marts().items() for i in m.inputs], ids=_said
)
def test_an_input_that_is_not_read_is_noticed(name: str, given: Input) -> None:
    mart = marts()[name]

    def without(day: dt.date) -> pl.DataFrame:
        frames = let_through(mart, day)
        return made(mart, frames | {given.table: frames[given.table].clear()}, day)

    assert any(not without(day).equals(alone(name, day)) for day in DAYS)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(marts()))
def test_of_nothing_a_mart_makes_nothing_but_where_it_says_so(name: str) -> None:
    """Days of which no input holds a row are not worked out, for a mart that has none of them. What
    is looked up may be there."""
    mart = marts()[name]
    given = mart.reads(SETTINGS)
    frames = {i.table: table(i.table) if i.is_lookup else table(i.table).clear() for i in given}
    rows = mart.rows(frames, settings=SETTINGS, days=(DAYS[0], DAYS[0]), as_of=NOW).collect()
    assert (rows.height > 0) is mart.has_every_day
