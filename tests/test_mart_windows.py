"""Each window and input of each declared mart is enough, and none is more than is needed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import polars as pl
import pytest
from mart_witnesses import DAYS, silver_rows
from polars.testing import assert_frame_equal

from lakehouse.gold.marts import EVERY, Input, Mart, marts, reach
from lakehouse.regulation.gaming_day import Days
from lakehouse.regulation.law import load
from lakehouse.settings import DOMAINS, load_settings

SETTINGS = load_settings(
    domains=DOMAINS, carded_bill_in_knowledge=True, multiple_transaction_log_over="2500"
)
LAW = load(SETTINGS.profile)
NOW = dt.datetime(2040, 1, 1, tzinfo=dt.UTC)
ALWAYS = (dt.date(2023, 12, 1), dt.date(2037, 6, 1))


@cache
def table(name: str) -> pl.LazyFrame:
    """All rows of an input: silver by hand, a mart from all of its inputs."""
    given = silver_rows()
    if name in given:
        return given[name]
    return whole(name, ALWAYS).lazy()


def whole(name: str, days: Days) -> pl.DataFrame:
    mart = marts()[name]
    frames = {i.table: table(i.table) for i in mart.reads(SETTINGS)}
    return mart.rows(frames, settings=SETTINGS, days=days, as_of=NOW).collect()


def windowed(mart: Mart, day: dt.date) -> pl.DataFrame:
    """The mart's rows of one day, from what its windows let through."""
    days = (day, day)
    inside = pl.col("gaming_day")
    frames = {
        i.table: table(i.table).filter(inside.is_between(*i.window(days, LAW)))
        for i in mart.reads(SETTINGS)
    }
    return mart.rows(frames, settings=SETTINGS, days=days, as_of=NOW).collect()


@cache
def right(name: str, day: dt.date) -> pl.DataFrame:
    return whole(name, (day, day))


@pytest.mark.slow
@pytest.mark.parametrize("name", list(marts()))
def test_the_windows_are_enough(name: str) -> None:
    for day in DAYS:
        assert_frame_equal(windowed(marts()[name], day), right(name, day))


def narrowed() -> Iterator[tuple[str, Input, str]]:
    for name, mart in marts().items():
        for given in mart.inputs:
            for side in ("back", "ahead"):
                if reach(getattr(given, side), LAW):
                    yield name, given, side


def is_noticed(mart: Mart, old: Input, new: Input) -> bool:
    changed = replace(mart, inputs=tuple(new if i == old else i for i in mart.inputs))
    return any(not windowed(changed, day).equals(right(mart.name, day)) for day in DAYS)


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
    nothing = table(given.table).clear()

    def without(day: dt.date) -> pl.DataFrame:
        frames = {i.table: table(i.table) for i in mart.reads(SETTINGS)} | {given.table: nothing}
        return mart.rows(frames, settings=SETTINGS, days=(day, day), as_of=NOW).collect()

    assert any(not without(day).equals(right(name, day)) for day in DAYS)


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


@pytest.mark.slow
@pytest.mark.parametrize("name", list(marts()))
def test_days_with_others_between_are_as_each_alone(name: str) -> None:
    mart = marts()[name]
    frames = {i.table: table(i.table) for i in mart.reads(SETTINGS)}
    days = sorted(DAYS)
    found = mart.rows(
        frames, settings=SETTINGS, days=(days[0], days[-1]), wanted=days, as_of=NOW
    ).collect()
    assert_frame_equal(found, pl.concat(right(name, d) for d in days), check_row_order=False)
