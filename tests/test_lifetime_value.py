"""The lifetime model against published figures (CDNOW, 2,357 customers) and hand arithmetic."""

from __future__ import annotations

import datetime as dt
from importlib import metadata

import numpy as np
import polars as pl
import pytest

from lakehouse.gold.floor.forecast import PRIOR_VISITS, PRIOR_WORTH, fit, forecast, monday
from lakehouse.gold.floor.lifetime_value import (
    BgNbd,
    GammaGamma,
    expected_transactions,
    expected_value,
    fit_bg_nbd,
    fit_gamma_gamma,
    p_alive,
)

MONDAY, SUNDAY = dt.date(2025, 6, 9), dt.date(2025, 6, 8)
DAY, WEEK = dt.timedelta(days=1), dt.timedelta(days=7)
CDNOW = BgNbd(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259)


def _floats(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


@pytest.fixture(scope="module")
def customers() -> dict[str, np.ndarray]:
    name = "cdnow_customers_summary_with_transactions.csv"
    [file] = [f for f in metadata.files("lifetimes") or [] if f.name == name]
    frame = pl.read_csv(str(file.locate())).select(pl.col("x", "t_x", "T", "zbar").cast(float))
    return {c: frame[c].to_numpy() for c in frame.columns}


def test_bg_nbd_reproduces_cdnow(customers: dict[str, np.ndarray]) -> None:
    found = fit_bg_nbd(customers["x"], customers["t_x"], customers["T"])
    parameters = [round(v, 4) for v in (found.r, found.alpha, found.a, found.b)]
    assert parameters == [0.2426, 4.4135, 0.7929, 2.4258]
    assert round(found.log_likelihood, 2) == -9582.43


def test_gamma_gamma_reproduces_cdnow(customers: dict[str, np.ndarray]) -> None:
    repeated = customers["x"] > 0
    assert repeated.sum() == 946
    found = fit_gamma_gamma(customers["x"][repeated], customers["zbar"][repeated])
    assert [round(v, 3) for v in (found.p, found.q, found.v)] == [6.249, 3.745, 15.448]


def test_order_of_customers_does_not_matter(customers: dict[str, np.ndarray]) -> None:
    forward = fit_bg_nbd(customers["x"], customers["t_x"], customers["T"])
    back = fit_bg_nbd(*(customers[c][::-1] for c in ("x", "t_x", "T")))
    assert forward.r == pytest.approx(back.r, rel=1e-6)
    assert forward.alpha == pytest.approx(back.alpha, rel=1e-6)


@pytest.mark.parametrize(
    ("horizon", "x", "tx", "age", "expected"),
    [
        (39, 2, 30.43, 38.86, 1.226),  # Fader, Hardie, Lee: implementing BG/NBD in a spreadsheet
        (52, 26, 30.86, 31, 25.76),  # vignette of the R package BTYD
        (0, 2, 30.43, 38.86, 0.0),
    ],
)
def test_expected_transactions(
    horizon: float, x: float, tx: float, age: float, expected: float
) -> None:
    found = expected_transactions(CDNOW, horizon, _floats(x), _floats(tx), _floats(age))
    assert found[0] == pytest.approx(expected, abs=0.005)


def test_p_alive_by_hand() -> None:
    """x = 1, t_x = 1, T = 2, r = alpha = a = b = 1: odds 1/1 x (3/2)^2, so 1 / 3.25."""
    model = BgNbd(1.0, 1.0, 1.0, 1.0)
    found = p_alive(model, _floats(1, 0), _floats(1, 0), _floats(2, 50))
    assert found == pytest.approx([1 / 3.25, 1.0])


def test_a_regular_of_years_who_left_is_surely_gone() -> None:
    """1100 x log(314.4 / 154.4) = 782: more than exp can hold."""
    gone = p_alive(CDNOW, _floats(1_100), _floats(150), _floats(310))
    assert gone[0] == 0.0


def test_expected_transactions_pass_smoothly_through_a_of_one() -> None:
    point = (_floats(3), _floats(5), _floats(9))
    near = [
        expected_transactions(BgNbd(1.2, 2.0, a, 3.0), 52, *point)[0] for a in (0.999, 1.0, 1.001)
    ]
    assert near[0] > near[1] > near[2]
    assert near[1] == pytest.approx((near[0] + near[2]) / 2, rel=1e-4)


def test_a_patron_of_hundreds_of_visits_has_a_finite_future() -> None:
    """364.2 / 56.4 a week; each visit the last with 0.79 / 367.2: 335.8 (1 - e^-0.725) / 0.725
    = 239 is the continuous approximation, a little low."""
    found = expected_transactions(CDNOW, 52, _floats(364, 364), _floats(52, 52), _floats(52, 60))
    assert 235 < found[0] < 260
    assert 0 <= found[1] < 1e-6


@pytest.mark.parametrize(
    ("x", "mean", "expected"),
    [
        (0, 0.0, 15.448 * 6.249 / 2.745),  # nothing seen: the mean of all, 35.167
        (2, 22.35, 6.249 * (15.448 + 44.70) / (12.498 + 2.745)),  # 24.658
    ],
)
def test_expected_value_shrinks_to_the_mean(x: float, mean: float, expected: float) -> None:
    found = expected_value(GammaGamma(6.249, 3.745, 15.448), _floats(x), _floats(mean))
    assert found[0] == pytest.approx(expected)


def _standing(**columns: list[object]) -> pl.DataFrame:
    day = pl.date(2025, 6, 8)
    return pl.DataFrame(columns).with_columns(gaming_day=day)


def test_without_history_the_prior_speaks() -> None:
    model = fit(_standing(play_days=[0], first_play=[None], last_play=[None], theo=[0]), MONDAY)
    assert (model.players, model.visits, model.worth) == (0, PRIOR_VISITS, PRIOR_WORTH)


def test_a_little_history_moves_the_prior_a_little() -> None:
    first, last = pl.Series([SUNDAY - 10 * WEEK]), pl.Series([SUNDAY - WEEK])
    one = _standing(play_days=[10], theo=[200_000]).with_columns(first_play=first, last_play=last)
    model = fit(one, MONDAY)
    assert model.players == 1
    mean = model.worth.p * model.worth.v / (model.worth.q - 1)
    assert 100 < mean < 200


def test_forecast_uses_each_weeks_model() -> None:
    """One play day of $100 under the prior: 2 x (150 + 100) / (2 + 4 - 1) = 100."""
    nobody = _standing(play_days=[0], first_play=[None], last_play=[None], theo=[0])
    models = [fit(nobody, MONDAY - WEEK), fit(nobody, MONDAY)]
    days = pl.DataFrame(
        {
            "gaming_day": [MONDAY - WEEK, MONDAY - DAY, MONDAY],
            "play_days": [0, 1, 1],
            "first_play": [None, MONDAY - DAY, MONDAY - DAY],
            "last_play": [None, MONDAY - DAY, MONDAY - DAY],
            "theo": [0, 10_000, 10_000],
        }
    )
    found = forecast(days, models)
    assert found["p_alive"].to_list() == [None, 1.0, 1.0]
    assert found["expected_theo_per_day"].to_list() == [None, 10_000.0, 10_000.0]
    assert found["model_fitted_on"].to_list() == [MONDAY - WEEK, MONDAY - WEEK, MONDAY]


@pytest.mark.parametrize("offset", range(7))
def test_a_week_shares_the_model_of_its_monday(offset: int) -> None:
    assert monday(MONDAY + offset * DAY) == MONDAY
