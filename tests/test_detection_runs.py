"""The sequential test: where a run begins, when it is said, and how rarely chance makes one."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import polars as pl
import pytest

from lakehouse.detection.runs import UNITS, runs, runs_since

FIRST = dt.date(2026, 1, 1)


def found(
    *evidence: float | None, reaches: float = 3.0, window: int = 28
) -> list[tuple[int, int, float]]:
    """(day, first day of the run, height) from the evidence of days; None: no row."""
    days = [(n, e) for n, e in enumerate(evidence) if e is not None]
    frame = pl.LazyFrame(
        {
            "who": ["M"] * len(days),
            "gaming_day": [FIRST + dt.timedelta(n) for n, _ in days],
            "evidence": [round(e * UNITS) for _, e in days],
        }
    )
    out = runs(frame, by="who", window=window, reaches=pl.lit(reaches)).sort("gaming_day").collect()
    return [
        ((r["gaming_day"] - FIRST).days, (r["since"] - FIRST).days, round(r["height"], 6))
        for r in out.to_dicts()
    ]


def test_a_run_is_said_from_the_day_on_which_it_reaches_the_height() -> None:
    assert found(-1, 1, 1, 1, 1) == [(3, 1, 3.0), (4, 1, 4.0)]
    assert found(-1, 1, 1, 0.999999) == []


def test_a_run_begins_after_what_speaks_against_it_most() -> None:
    """2 - 1 + 3 is more than 3 alone; 2 - 2.5 + 3 is less."""
    assert found(2, -1, 3) == [(2, 0, 4.0)]
    assert found(2, -2.5, 3) == [(2, 2, 3.0)]
    assert found(0, 3) == [(1, 1, 3.0)]


def test_a_run_that_falls_is_not_said_again_until_it_is_higher() -> None:
    assert found(3, -0.5, 0.4, 0.2) == [(0, 0, 3.0), (3, 0, 3.1)]


def test_days_without_a_row_count_for_the_window() -> None:
    assert found(2, *[None] * 26, 2) == [(27, 0, 4.0)]
    assert found(2, *[None] * 27, 2) == []


def test_a_peak_of_two_weeks_before_no_longer_hides_a_lower_one() -> None:
    assert [d for d, _, _ in found(3.5, -0.4, *[None] * 11, 0.1, 0.1)] == [0, 14]


@pytest.mark.parametrize("reaches", [2.0, 3.0])
def test_honest_days_reach_a_height_no_oftener_than_the_bound(reaches: float) -> None:
    """Fair bets with two even outcomes: the mean exponential is 1, so that a run of height h is
    at least exp(h) days away on average."""
    up, down = math.log(1.6), math.log(0.4)
    luck = np.random.default_rng(7).random((400, 200)) < 0.5
    frame = pl.LazyFrame(
        {
            "who": np.repeat(np.arange(400), 200),
            "gaming_day": [FIRST + dt.timedelta(n) for n in range(200)] * 400,
            "evidence": (np.where(luck, up, down).reshape(-1) * UNITS).round().astype(np.int64),
        }
    )
    out = runs(frame, by="who", window=28, reaches=pl.lit(reaches)).collect()
    firsts = out.group_by("who").agg(pl.col("gaming_day").min())
    waited = (firsts["gaming_day"] - FIRST).dt.total_days() + 1
    days = int(waited.sum()) + 200 * (400 - firsts.height)
    assert days / firsts.height >= math.exp(reaches)


def test_a_stretch_from_a_given_day_keeps_what_speaks_against_it() -> None:
    """2 - 3 + 3 is 2 from the first day on, and 3 from the last; a start of others is not ours."""
    days = pl.LazyFrame(
        {
            "who": ["M"] * 3,
            "gaming_day": [FIRST + dt.timedelta(n) for n in range(3)],
            "evidence": [round(e * UNITS) for e in (2, -3, 3)],
        }
    )
    starts = pl.LazyFrame({"who": ["M", "M", "N"], "since": [FIRST, days_after(2), FIRST]})
    out = runs_since(days, starts, by="who", window=28, reaches=pl.lit(2.0)).collect()
    assert sorted((r["gaming_day"], r["since"], r["height"]) for r in out.to_dicts()) == [
        (FIRST, FIRST, 2.0),
        (days_after(2), FIRST, 2.0),
        (days_after(2), days_after(2), 3.0),
    ]


def days_after(count: int) -> dt.date:
    return FIRST + dt.timedelta(count)
