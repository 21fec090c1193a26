"""The weekly lifetime models and what they expect of each patron."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import polars as pl

from lakehouse.gold.floor import lifetime_value as ltv

PRIOR_VISITS = ltv.BgNbd(r=1.0, alpha=2.0, a=0.8, b=8.0)
"""Weak prior in weeks (assumption): a visit every other week, one in eleven the last."""
PRIOR_WORTH = ltv.GammaGamma(p=2.0, q=4.0, v=150.0)
"""Weak prior in dollars (assumption): a mean of $100 of theo a day."""
HORIZON_WEEKS = 52.0


@dataclass(frozen=True)
class Model:
    """Fitted on the play days before Monday `fitted_on`, of `players` patrons."""

    fitted_on: dt.date
    players: int
    visits: ltv.BgNbd
    worth: ltv.GammaGamma


def monday(day: dt.date) -> dt.date:
    """The Monday on or before `day`, whose model serves it: a day's forecast then depends on
    no other day that is asked for, and a month costs five fits."""
    return day - dt.timedelta(days=day.weekday())


def fit(standing: pl.DataFrame, fitted_on: dt.date) -> Model:
    """Model of the patrons' `standing` on the day before `fitted_on` (columns `play_days`,
    `first_play`, `last_play`, `gaming_day`, `theo` in cents)."""
    played = standing.filter(pl.col("play_days") > 0)
    if played.is_empty():
        return Model(fitted_on, 0, PRIOR_VISITS, PRIOR_WORTH)
    x, tx, age, worth = _arrays(played)
    return Model(
        fitted_on,
        played.height,
        ltv.fit_bg_nbd(x, tx, age, prior=PRIOR_VISITS),
        ltv.fit_gamma_gamma(x + 1, worth, prior=PRIOR_WORTH),
    )


def forecast(standing: pl.DataFrame, models: list[Model]) -> pl.DataFrame:
    """What the models, in order and with one for each week of a row, expect of each row of
    `standing`: one row each, in the same order; null for those who never played. Rounded, so that
    the last bits of floating point never reach a table."""
    fitted = pl.Series([m.fitted_on for m in models], dtype=pl.Date)
    weeks = fitted.search_sorted(standing["gaming_day"], side="right").to_numpy() - 1
    columns = _arrays(standing)
    alive, days, worth = (np.empty(standing.height) for _ in range(3))
    for week, model in enumerate(models):
        at = np.flatnonzero(weeks == week)
        x, tx, age, mean = (c[at] for c in columns)
        alive[at] = ltv.p_alive(model.visits, x, tx, age)
        days[at] = ltv.expected_transactions(model.visits, HORIZON_WEEKS, x, tx, age)
        worth[at] = ltv.expected_value(model.worth, x + 1, mean)
    played = standing["play_days"] > 0
    expected = pl.DataFrame(
        {
            "p_alive": pl.Series(alive).round(6),
            "expected_play_days": pl.Series(days).round(4),
            "expected_theo_per_day": pl.Series(worth * 100).round(),
        }
    ).select(pl.when(played).then(pl.all()))
    value = pl.col("expected_play_days") * pl.col("expected_theo_per_day")
    return expected.with_columns(
        expected_value_12m=value.round(),
        model_fitted_on=fitted.gather(weeks),
        model_players=pl.Series([m.players for m in models], dtype=pl.Int64).gather(weeks),
    )


def _arrays(standing: pl.DataFrame) -> tuple[ltv.Array, ltv.Array, ltv.Array, ltv.Array]:
    """Repeat play days, weeks from first to last and from first to now, dollars a play day.
    Those who never played get a placeholder, which `forecast` takes out again."""
    weeks = standing.select(
        x=pl.max_horizontal(pl.col("play_days") - 1, 0).cast(pl.Float64),
        tx=_days("last_play", "first_play") / 7,
        age=_days("gaming_day", "first_play") / 7,
        worth=pl.col("theo") / pl.max_horizontal("play_days", 1) / 100,
    ).fill_null(0.0)
    x, tx, age, worth = (weeks[c].to_numpy() for c in weeks.columns)
    return x, tx, age, worth


def _days(later: str, earlier: str) -> pl.Expr:
    return (pl.col(later) - pl.col(earlier)).dt.total_days()
