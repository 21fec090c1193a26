"""Markers of harm, worked out on paper."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from silver_rows import mart, record

from lakehouse.gold.detection.player_markers import player_markers

D = dt.date(2026, 3, 6)
Row = dict[str, Any]


def ago(days: int, day: dt.date = D) -> dt.date:
    return day - dt.timedelta(days)


def day(before: int = 0, player: str = "P1", **more: Any) -> Row:
    row = {"player_id": player, "gaming_day": ago(before), "sessions": 1, "slot_sessions": 1}
    return row | {"minutes": 60} | more


def stake(before: int, usd: str, at_tables: bool = False) -> Row:
    """A round of so much."""
    at = {"slot_sessions": 0} if at_tables else {"coin_in": usd, "games_played": 1}
    return day(before, staked=usd, rounds=1, **at)


def markers(rows: list[Row], on: dt.date = D) -> Row:
    return record(player_markers(mart("player_behaviour", rows), days=(on, on)))


def test_frequency_is_of_thirty_days_and_of_the_thirty_before() -> None:
    found = markers([day(n) for n in (0, 29, 30, 59, 60, 90, 91)])
    assert (found["active_days"], found["active_days_before"]) == (2, 2)
    assert (found["history_days"], found["known_days"]) == (5, 90)


def test_sums_shares_and_the_most_by_hand() -> None:
    found = markers([
        day(0, minutes=100, night_minutes=25, staked="600.00", rounds=200, loss="80.00",
            stake_squares=30_000_000.0, deposits=5, most_deposits=4, deposited="200.00",
            withdrawn="50.00", rows_behind=8, rows_raised=2, sessions_behind=2,
            sessions_raised=1, cash_outs=3, reversals=1, games=2, longest_stretch_minutes=90),
        day(3, sessions=3, minutes=60, night_minutes=15, staked="400.00", rounds=100,
            stake_squares=20_000_000.0, deposits=3, most_deposits=2, deposited="100.00",
            games=4, long_stretches=1, longest_stretch_minutes=200),
    ])  # fmt: skip
    wanted = {
        "sessions": 4,
        "most_sessions": 3,
        "minutes": 160,
        "minutes_per_day": 80.0,
        "night_share": 0.25,
        "longest_stretch_minutes": 200,
        "long_stretches": 1,
        "rounds_per_day": 150.0,
        "chasing_rows": 0.25,
        "chasing_sessions": 0.5,
        "deposits_per_session": 2.0,
        "most_deposits": 4,
        "games": 4,
        "reversals": 1,
    }
    assert {n: found[n] for n in wanted} == wanted
    assert str(found["stake_mean"]) == "3.33"
    assert (str(found["staked_per_day"]), str(found["net_deposits"])) == ("500.00", "250.00")
    # Mean square 166,666.67 cents squared less 333.33 squared: a deviation of 235.70 over 333.33.
    assert found["stake_variation"] == pytest.approx(235.702 / 333.333, abs=1e-4)


def test_stakes_that_double_each_week() -> None:
    found = markers([stake(7 * n, f"{2 ** (6 - n)}.00") for n in range(7)])
    assert found["stake_slope"] == pytest.approx(math.log(2), abs=1e-3)
    # Nothing is left about the line, so that the error is that of four usual days: their sum of
    # squares 4 x 0.7^2 over 7 - 1 + 4 degrees, and days 7 apart have squares of 49 x 28.
    error = 7 * math.sqrt(4 * 0.49 / 10 / (49 * 28))
    assert found["stake_slope_t"] == pytest.approx(math.log(2) / error, rel=1e-3)


@pytest.mark.parametrize(
    "before",
    [(0, 30), range(7)],
    ids=["two days of play", "seven days within a week"],
)
def test_a_few_days_make_no_trajectory(before: range) -> None:
    assert markers([stake(n, "1.00") for n in before])["stake_slope"] is None


def test_a_day_weighs_by_its_sessions() -> None:
    """Days 10 apart at 1, 1 and 4 dollars, and the last of two sessions: weights 1, 1, 2 about the
    mean day -7.5 and mean ln(4)/2. Squares 275 = 156.25 + 6.25 + 2 x 56.25; products 10.397 =
    0.693 x (12.5 + 2.5 + 2 x 7.5) / 2; so that a week is 7 x 0.0378."""
    last = stake(0, "8.00") | {"sessions": 2, "slot_sessions": 2, "games_played": 2}
    found = markers([stake(20, "1.00"), stake(10, "1.00"), last])
    sxx, sxy = 156.25 + 6.25 + 2 * 56.25, math.log(4) / 2 * (12.5 + 2.5 + 2 * 7.5)
    assert found["stake_slope"] == pytest.approx(7 * sxy / sxx, rel=1e-3)


@pytest.mark.parametrize(
    ("past", "lately", "expected"),
    [
        ([], 6, 4.5 / 3),  # (6 - 1.5) / sqrt(9): a usual patron's two weeks, as nothing is known
        # Known for 28 days: 8 + 1.5 sessions in 14 + 14 days are 4.75 in two weeks.
        ([(27, 8)], 6, 1.25 / 3),
        ([(27, 20)], 1, (1 - 10.75) / 2),
    ],
)
def test_sessions_of_two_weeks_are_held_against_those_before(
    past: list[tuple[int, int]], lately: int, expected: float
) -> None:
    known = [day(n, sessions=s, slot_sessions=s) for n, s in past]
    found = markers([*known, day(0, sessions=lately, slot_sessions=lately)])
    assert found["sessions_lately"] == lately
    assert found["more_sessions"] == pytest.approx(expected, abs=1e-5)


def test_stakes_that_follow_lost_sessions() -> None:
    """Sums 2,000 thousandths, 1,200 and 1,000,000 thousandths squared of four degrees: the spread
    (1 + 4 x 0.25) / (4 + 4) is 0.25 a stake, and 1.2 over sqrt(2 x 0.25) is 1.697."""
    sums = {"run_freedom": 2, "run_squares": 1_000, "run_stakes": 600, "stake_spread": 500_000}
    found = markers([day(0, **sums), day(29, **sums), day(30, **sums)])
    assert found["chasing_runs"] == pytest.approx(1.2 / math.sqrt(0.5), abs=1e-5)
    assert markers([day(0)])["chasing_runs"] is None


def test_going_over_to_tables_is_no_rise_of_stakes() -> None:
    at_machines = [stake(n, "1.00") for n in (80, 70, 60, 50)]
    at_tables = [stake(n, "25.00", at_tables=True) for n in (30, 20, 10, 0)]
    assert markers([*at_machines, *at_tables])["stake_slope"] == 0.0


def test_days_that_become_longer() -> None:
    found = markers([day(7 * n, minutes=10 * 2 ** (6 - n)) for n in range(7)])
    assert found["minutes_slope"] == pytest.approx(math.log(2), abs=1e-3)


@pytest.mark.parametrize(
    ("before", "loss", "staked", "expected"),
    [
        (2, "10.00", "125.00", (1, 1.0)),
        (2, "10.00", "124.99", (1, 0.0)),
        (3, "10.00", "125.00", (0, None)),
        (2, "-10.00", "125.00", (0, None)),
    ],
)
def test_chasing_across_days(before: int, loss: str, staked: str, expected: tuple) -> None:
    found = markers([day(before, loss=loss, staked="100.00"), day(0, staked=staked)])
    assert (found["days_behind"], found["chasing_days"]) == expected


SIX = (100, 140, 180, 220, 260, 300)
"""Minutes: the median is 200, the median absolute deviation 60, so that one deviation is 88.956."""


def test_a_day_against_six_before_it() -> None:
    # Gaps of 5 days: at the most two of one weekday.
    past = [day(5 * n + 5, minutes=m) for n, m in enumerate(SIX)]
    found = markers([*past, day(0, minutes=378)])
    assert found["baseline"] == "all days"
    assert found["minutes_deviation"] == pytest.approx(178 / 88.956, abs=1e-5)


def test_days_that_hardly_differ_are_no_yardstick() -> None:
    """A tenth of the median at the least, and a quarter of an hour."""
    past = [day(5 * n + 5, minutes=600) for n in range(6)]
    assert markers([*past, day(0, minutes=720)])["minutes_deviation"] == 2.0
    short = [day(5 * n + 5, minutes=60) for n in range(6)]
    assert markers([*short, day(0, minutes=90)])["minutes_deviation"] == 2.0


@pytest.mark.parametrize(("fridays", "baseline"), [(4, "weekday"), (3, "all days")])
def test_a_friday_is_compared_with_fridays(fridays: int, baseline: str) -> None:
    long = [day(7 * n + 7, minutes=300) for n in range(fridays)]
    others = [day(7 * n + 8, minutes=60) for n in range(6)]
    found = markers([*long, *others, day(0, minutes=300)])
    assert found["baseline"] == baseline
    assert (found["minutes_deviation"] == 0.0) == (baseline == "weekday")


def test_five_days_are_a_cold_start() -> None:
    found = markers([day(5 * n, minutes=60) for n in range(6)])
    assert (found["history_days"], found["baseline"]) == (5, "none")
    assert found["minutes_deviation"] is None


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 120), st.integers(1, 400)),
                min_size=1, max_size=40, unique_by=lambda r: r[:2]))  # fmt: skip
def test_a_day_depends_on_no_other_that_is_asked_for(played: list[tuple[int, int, int]]) -> None:
    rows = [
        day(before, f"P{p}", minutes=m, staked=f"{m}.00", rounds=m, loss=f"{m - 200}.00")
        for p, before, m in played
    ]
    given_rows = mart("player_behaviour", rows)
    together = player_markers(given_rows, days=(ago(40), D)).collect()
    for n in sorted({before for _, before, _ in played if before <= 40})[::3]:
        alone = player_markers(
            given_rows.filter(pl.col("gaming_day") <= ago(n)).reverse(), days=(ago(n), ago(n))
        )
        assert alone.collect().equals(together.filter(gaming_day=ago(n)))
