"""What the learned score of protection is made of: features of a day of play, and its training."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import polars as pl

from lakehouse.detection.models.forest import Forest, fit

TRAINING = 84
"""Gaming days before its Monday that a model is trained on."""
FEWEST_ROWS, FEWEST_DAYS = 300, 14
WAITING = f"no model yet: it takes {FEWEST_ROWS} days of play on {FEWEST_DAYS} gaming days"


def _shrunk(share: str, of: str, prior: int) -> pl.Expr:
    """A share of few is worth less than the same of many."""
    return (pl.col(share) * pl.col(of) / (pl.col(of) + prior)).fill_null(0.0)


def _upward(column: str, most: float) -> pl.Expr:
    """Only more than usual counts, and no more than so much."""
    return pl.col(column).fill_null(0.0).clip(0.0, most)


FEATURES: dict[str, pl.Expr] = {
    "active_days": pl.col("active_days"),
    "more_active_days": pl.when(pl.col("known_days") >= 45)
    .then(pl.max_horizontal(pl.col("active_days") - pl.col("active_days_before"), pl.lit(0)))
    .otherwise(0),
    "minutes_per_day": pl.col("minutes_per_day"),
    "long_stretches": pl.col("long_stretches"),
    "night_minutes": pl.col("night_share").fill_null(0.0) * pl.col("minutes"),
    "rounds_per_day": pl.col("rounds_per_day"),
    "stake_slope_t": _upward("stake_slope_t", 10.0),
    "minutes_slope_t": _upward("minutes_slope_t", 10.0),
    "chasing_rows": _shrunk("chasing_rows", "rows_behind", 20),
    "chasing_sessions": _shrunk("chasing_sessions", "sessions_behind", 4),
    "chasing_days": _shrunk("chasing_days", "days_behind", 4),
    "deposits_per_session": _shrunk("deposits_per_session", "sessions", 4),
    "reversals": pl.col("reversals"),
    "games": pl.col("games"),
    "minutes_deviation": _upward("minutes_deviation", 10.0),
    "staked_deviation": _upward("staked_deviation", 10.0),
    "deposited_deviation": _upward("deposited_deviation", 10.0),
}
"""Name → feature of a row of `player_markers`. None says who somebody is, or how much they have:
amounts are there against the patron's own days alone."""


@dataclass(frozen=True)
class Trained:
    """A forest, and what it was trained on."""

    version: str
    forest: Forest
    trained_from: dt.date
    trained_until: dt.date
    rows: int


def matrix(markers: pl.DataFrame) -> np.ndarray:
    """One row a day of play, one column a feature."""
    return markers.select(v.cast(pl.Float64).alias(n) for n, v in FEATURES.items()).to_numpy()


def train(markers: pl.DataFrame, monday: dt.date) -> Trained | None:
    """The model of a Monday from `player_markers` of the days before it; None where they are too
    few."""
    first = monday - dt.timedelta(days=TRAINING)
    past = pl.col("gaming_day").is_between(first, monday, closed="left")
    rows = markers.filter(past).sort("gaming_day", "player_id")
    if len(rows) < FEWEST_ROWS or rows["gaming_day"].n_unique() < FEWEST_DAYS:
        return None
    forest = fit(matrix(rows))
    seen = rows["gaming_day"].to_list()
    until = seen[-1] + dt.timedelta(days=1)
    return Trained(f"forest of {monday}, {forest.digest}", forest, seen[0], until, len(rows))
