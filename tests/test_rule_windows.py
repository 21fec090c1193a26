"""Each window of each rule of detection is enough, and none is more than is needed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import polars as pl
import pytest
from mart_witnesses import DAYS
from polars.testing import assert_frame_equal
from test_mart_windows import table

from lakehouse.detection.registry import Reads, Rule, rules
from lakehouse.regulation.gaming_day import Days

MONTH = dt.timedelta(days=60)


def found(rule: Rule, day: dt.date, days: Days | None = None) -> pl.DataFrame:
    """Alerts of a day, of `days` made together; of no more rows than the rule asks for."""
    frames = {r.table: table(r.table) for r in rule.reads}
    whole = rule.alerts(frames, days or (day, day)).collect()
    return whole.filter(pl.col("gaming_day") == day).sort("alert_id")


@cache
def right(name: str, day: dt.date) -> pl.DataFrame:
    return found(rules()[name], day)


@pytest.mark.slow
@pytest.mark.parametrize("name", list(rules()))
def test_a_day_has_the_same_alerts_alone_and_among_others(name: str) -> None:
    for day in DAYS:
        together = found(rules()[name], day, (day - MONTH, day + MONTH))
        assert_frame_equal(together, right(name, day))


def read() -> Iterator[tuple[str, Reads]]:
    for name, rule in rules().items():
        yield from ((name, reads) for reads in rule.reads)


def is_noticed(name: str, old: Reads, new: Reads) -> bool:
    rule = rules()[name]
    changed = replace(rule, reads=tuple(new if r == old else r for r in rule.reads))
    return any(not found(changed, day).equals(right(name, day)) for day in DAYS)


def _said(value: object) -> str:
    return value.table if isinstance(value, Reads) else str(value)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "reads"), [(n, r) for n, r in read() if r.back], ids=_said)
def test_a_window_a_day_shorter_is_noticed(name: str, reads: Reads) -> None:
    assert is_noticed(name, reads, replace(reads, back=reads.back - 1))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "reads"), list(read()), ids=_said)
def test_a_table_that_is_not_read_is_noticed(name: str, reads: Reads) -> None:
    rule = rules()[name]

    def without(day: dt.date) -> pl.DataFrame:
        frames = {r.table: table(r.table) for r in rule.reads}
        frames[reads.table] = frames[reads.table].clear()
        return rule.alerts(frames, (day, day)).collect().sort("alert_id")

    assert any(not without(day).equals(right(name, day)) for day in DAYS)
