"""The weekly lifetime models and what they expect of each patron."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import polars as pl

from lakehouse.gold import lifetime_value as ltv

PRIOR_VISITS = ltv.BgNbd(r=1.0, alpha=2.0, a=0.8, b=8.0)
"""Weak prior in weeks (assumption): a visit every other week, one in eleven the last."""
PRIOR_WORTH = ltv.GammaGamma(p=2.0, q=4.0, v=150.0)
"""Weak prior in dollars (assumption): a mean of $100 of theo a day."""
HORIZON_WEEKS = 52.0
_NO_PLAY = pl.lit(None, pl.Float64)


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


def forecast(standing: pl.DataFrame, model: Model) -> pl.DataFrame:
    """`standing` with the model's expectations; null for those who never played. Rounded, so
    that the last bits of floating point never reach a table."""
    x, tx, age, worth = _arrays(standing)
    alive = ltv.p_alive(model.visits, x, tx, age)
    days = ltv.expected_transactions(model.visits, HORIZON_WEEKS, x, tx, age)
    dollars = ltv.expected_value(model.worth, x + 1, worth)
    played = pl.col("play_days") > 0
    found = standing.with_columns(
        p_alive=pl.Series(alive).round(6),
        expected_play_days=pl.Series(days).round(4),
        expected_theo_per_day=pl.Series(np.rint(dollars * 100)),
        model_fitted_on=pl.lit(model.fitted_on),
        model_players=pl.lit(model.players, pl.Int64),
    )
    names = ("p_alive", "expected_play_days", "expected_theo_per_day")
    return found.with_columns(
        pl.when(played).then(pl.col(n)).otherwise(_NO_PLAY).alias(n) for n in names
    ).with_columns(
        expected_value_12m=(pl.col("expected_play_days") * pl.col("expected_theo_per_day")).round()
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
