"""What a day is held against: expected by hand, and the rates of false and true alarms."""

from __future__ import annotations

import numpy as np
import pytest

from lakehouse.quality.drift import MAJOR, REFERENCE_DAYS, chi_squared, drifts, psi
from lakehouse.quality.nulls import null_shares
from lakehouse.quality.volume import BACK, volumes


def test_the_index_of_two_spreads_is_worked_by_hand() -> None:
    # (0.5-0.25) ln 2 + (0.5-0.75) ln(2/3) = 0.1733 + 0.1014; half a row of a million is nothing.
    found = psi(np.array([5e8, 5e8]), np.array([2.5e8, 7.5e8]))
    assert found == pytest.approx(0.2747, abs=1e-4)


def test_the_same_spread_has_no_index() -> None:
    assert psi(np.array([300.0, 100.0]), np.array([300.0, 100.0])) == 0


@pytest.mark.parametrize("free", [1, 4, 9, 30])
def test_the_quantile_is_that_of_chi_squared_or_a_little_wider(free: int) -> None:
    """The upper point for a deviate of 4.8 (7.93e-7), by integrating the density."""
    root = np.linspace(0, 20, 4_000_001)[1:]  # of chi, whose density is finite at 0
    density = root ** (free - 1) * np.exp(-(root**2) / 2)
    beyond = 1 - density.cumsum() / density.sum()
    exact = root[np.argmax(beyond < 7.93e-7)] ** 2
    assert exact * 0.99 <= chi_squared(free) <= exact * 1.2


def _days(rng: np.random.Generator, n: int, shares: list[float], count: int) -> np.ndarray:
    return rng.multinomial(n, shares, size=count).astype(np.int64)


@pytest.mark.parametrize("n", [15, 60, 500, 20_000])
def test_without_drift_a_column_raises_no_alarm_in_years(n: int) -> None:
    rng = np.random.default_rng(5)
    counts = _days(rng, n, [0.4, 0.3, 0.15, 0.1, 0.05], REFERENCE_DAYS + 1_000)
    found = drifts(counts, numeric=False)
    assert not (found.psi > found.bound).any()


def test_days_of_their_own_kind_widen_the_bound() -> None:
    """Saturdays have other guests: every Saturday, so that none of them is news."""
    rng = np.random.default_rng(6)
    counts = _days(rng, 2_000, [0.5, 0.3, 0.2], REFERENCE_DAYS + 70)
    counts[5::7] = _days(rng, 2_000, [0.2, 0.3, 0.5], len(counts[5::7]))
    found = drifts(counts, numeric=False)
    assert not (found.psi > found.bound).any()
    assert found.psi[found.psi > MAJOR].size >= 9


@pytest.mark.parametrize("n", [500, 20_000])
def test_a_changed_code_list_is_found_on_its_day(n: int) -> None:
    rng = np.random.default_rng(7)
    counts = _days(rng, n, [0.5, 0.5, 0.0], REFERENCE_DAYS + 3)
    counts[-2] = [0, n // 2, n - n // 2]
    found = drifts(counts, numeric=False)
    assert (found.psi > found.bound).tolist() == [False, True, False]


def test_a_changed_unit_is_found() -> None:
    """Cents for dollars move every value out of the reference's bins."""
    rng = np.random.default_rng(8)
    dollars = _days(rng, 400, [0.1] * 10 + [0.0] * 10, REFERENCE_DAYS + 1)
    dollars[-1] = np.roll(dollars[-1], 10)
    found = drifts(dollars, numeric=True)
    assert found.psi[0] > found.bound[0]


@pytest.mark.parametrize(
    ("days_known", "rows", "says"), [(13, 500, False), (14, 500, True), (28, 9, False)]
)
def test_too_few_days_or_rows_say_nothing(days_known: int, rows: int, says: bool) -> None:
    counts = np.zeros((REFERENCE_DAYS + 1, 2), dtype=np.int64)
    counts[REFERENCE_DAYS - days_known : REFERENCE_DAYS] = [50, 50]
    counts[-1] = [rows // 2, rows - rows // 2]
    assert np.isfinite(drifts(counts, numeric=False).psi[0]) == says


def test_a_figure_of_the_day_is_no_spread() -> None:
    counts = np.eye(REFERENCE_DAYS + 1, dtype=np.int64) * 5_000
    assert np.isnan(drifts(counts, numeric=True).psi).all()


def test_the_usual_rows_are_the_median_of_the_weekday() -> None:
    rows = np.full(BACK + 1, 1.0)
    rows[0:BACK:7] = [900, 1000, 1000, 1000, 1000, 1000, 1010, 5000]
    found = volumes(rows)
    # Deviations from 1000: 100, 0, 0, 0, 0, 0, 10, 4000, median 0; chance sqrt(1004) = 31.7,
    # five of them 158; a quarter is 250.
    assert (found.usual[0], found.within[0], found.weekdays[0]) == (1000, 250, 8)


def test_weekdays_that_differ_much_widen_the_bound() -> None:
    rows = np.full(BACK + 1, 1.0)
    rows[0:BACK:7] = [800, 900, 900, 1000, 1000, 1100, 1100, 1200]
    # Median 1000, deviations 200, 100, 100, 0, 0, 100, 100, 200: median 100, times 1.4826 x 6.
    assert volumes(rows).within[0] == pytest.approx(889.56)


def test_rows_that_come_in_clusters_widen_the_bound() -> None:
    """On the other days of eight weeks there were 100 rows, or 40 more or fewer in turn: somebody
    made them. That eight Wednesdays were alike is chance."""
    rows = np.full(BACK + 1, 100.0)
    rows[:BACK] += np.tile([40.0, 40.0, -40.0, -40.0], BACK // 4)
    rows[0:BACK:7] = 100
    # Six of seven days are 40 from their weekday's median; the Poisson deviation is sqrt(104),
    # and so they are 1.4826 x 40 / sqrt(104) = 5.82 times as far as chance takes them.
    assert volumes(rows).within[0] == pytest.approx(5 * 1.4826 * 40)
    rows[:BACK] = 100
    assert volumes(rows).within[0] == pytest.approx(5 * 104**0.5)


@pytest.mark.parametrize(
    ("known", "expected"),
    [(6, None), (7, 200 + 5 * 304**0.5), (21, 200 + 5 * 304**0.5), (28, 5 * 304**0.5)],
)
def test_the_cold_start_is_wide_then_silent(known: int, expected: float | None) -> None:
    """Below four of the weekday, two thirds of the usual and what chance takes beside it; below
    seven days, nothing."""
    rows = np.full(BACK + 1, np.nan)
    rows[BACK - known :] = 300.0
    found = volumes(rows).within[0]
    if expected is None:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(expected)


def test_shares_of_nulls_are_held_against_four_weeks() -> None:
    rows = np.full(REFERENCE_DAYS + 2, 1000.0)
    lack = np.full(REFERENCE_DAYS + 2, 100.0)
    lack[-1] = 200
    found = null_shares(lack, rows)
    assert found.share.tolist() == [0.1, 0.2]
    # Six deviations of a tenth of 1,000 rows beside 28,000: 6 sqrt(.09 (1/1000 + 1/28000)).
    assert found.within[0] == pytest.approx(0.0579, abs=1e-3)
    assert abs(found.share[1] - found.usual[1]) > found.within[1]


def test_few_rows_have_no_share() -> None:
    rows = np.full(REFERENCE_DAYS + 1, 19.0)
    assert np.isnan(null_shares(np.zeros_like(rows), rows).share).all()


def test_a_code_that_was_always_the_same_and_is_another_has_drifted() -> None:
    """A code or flag; a figure that stays for weeks is set anew one day."""
    counts = np.array([[500, 0]] * REFERENCE_DAYS + [[0, 500]], dtype=np.int64)
    found = drifts(counts, numeric=False)
    assert found.psi[0] > found.bound[0]
    assert np.isnan(drifts(counts, numeric=True).psi).all()


@pytest.mark.parametrize(("least", "most", "low"), [(10, 290, 1.0), (0, 300, 0.0), (1, 20, 0.0)])
def test_a_whole_day_is_never_usual_to_miss(least: int, most: int, low: float) -> None:
    """Days from 10 to 290 rows: six deviations reach below nothing, and no day ever had none.
    Where some had none, or chance may leave none of so few, none is usual."""
    rows = np.full(BACK + 1, np.nan)
    rows[BACK - 21 : BACK] = np.linspace(least, most, 21).round()
    found = volumes(rows)
    assert (found.weekdays[0], found.low[0]) == (3, low)


def test_a_column_that_begins_to_be_filled_is_no_alarm() -> None:
    """What looks back over a month is empty on a new lake's first days; one value was there
    before, and the share is judged again."""
    rows = np.full((2, REFERENCE_DAYS + 1), 100.0)
    lack = rows.copy()
    lack[:, -1] = 50
    lack[1, 0] -= 1
    found = null_shares(lack, rows)
    assert np.isnan(found.share[0, 0])
    assert (found.share[1, 0], found.usual[1, 0] < 1) == (0.5, True)
    assert abs(found.share[1, 0] - found.usual[1, 0]) > found.within[1, 0]


@pytest.mark.parametrize(("before", "numeric", "is_judged"),
                         [(0, True, False), (40, True, True), (0, False, True)])  # fmt: skip
def test_figures_that_were_one_figure_on_all_days_have_not_drifted(
    before: int, numeric: bool, is_judged: bool
) -> None:
    """`before`: of 100 rows of each day before, those that had another figure or code."""
    past = np.tile([100 - before, before, 0], (REFERENCE_DAYS, 1))
    counts = np.vstack([past, [20, 40, 40]]).astype(np.int64)
    assert bool(np.isfinite(drifts(counts, numeric=numeric)[0][0])) is is_judged
