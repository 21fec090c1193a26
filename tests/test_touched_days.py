"""Which gaming days of a mart a run makes anew: all that a day of its sources may change."""

from __future__ import annotations

import datetime as dt
from functools import cache
from pathlib import Path

import pytest
from mart_rows import SETTINGS

from lakehouse.gold.marts import SOURCES, marts, reach
from lakehouse.pipeline.marts import touched
from lakehouse.regulation.gaming_day import Days, each_day
from lakehouse.regulation.law import load
from lakehouse.storage import Lake

LAW = load(SETTINGS.profile)
DAY = dt.date(2030, 1, 1)
AROUND = each_day((dt.date(2028, 6, 1), dt.date(2031, 7, 1)))
"""Wider than any window that has an end."""


@cache
def changed(name: str) -> Days:
    """The first and last day whose windows let DAY through, or a day that it changes of an input;
    with those that it settles, as the lake has no day before it."""
    mart, found = marts()[name], set[dt.date]()
    for given in mart.reads(SETTINGS):
        first, last = (DAY, DAY) if given.layer in SOURCES else changed(given.table)
        for day in AROUND:
            back, ahead = given.window((day, day), LAW)
            # What is looked up is known before it is named.
            if back <= last and first <= (day if given.is_lookup else ahead):
                found.add(day)
    if mart.settles:
        found.add(DAY - dt.timedelta(days=reach(mart.settles, LAW)))
    return min(found), max(found)


@pytest.mark.parametrize("name", list(marts()))
def test_days_are_made_anew_whose_windows_let_a_changed_day_through(
    name: str, tmp_path: Path
) -> None:
    first, last = touched(marts()[name], Lake(str(tmp_path)), SETTINGS, (DAY, DAY))
    assert (max(first, AROUND[0]), min(last, AROUND[-1])) == changed(name)
