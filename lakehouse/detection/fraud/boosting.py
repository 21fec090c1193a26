"""Gradient boosting as plain numbers: trained with scikit-learn, applied with NumPy alone.

Trees of histograms (scikit-learn's HistGradientBoostingClassifier, after LightGBM: Ke et al. 2017)
add up to a log-odds; two numbers, fitted on later days, make it a probability (Platt 1999).
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.detection.training import without_pandas

F64 = NDArray[np.float64]
TREES, LEAVES, FEWEST, SEED = 100, 12, 40, 20_240_701
HELD_OUT = 1 / 3
"""Share of the training's days, the last ones, that calibrate what the others taught."""
UNKNOWN = -1.0
MODEL = "model.json"
_DIGITS = 6

FEATURES: dict[str, pl.Expr] = {
    "usd": pl.col("cents") / 100,
    "deviation": pl.col("deviation"),
    "paid_before": pl.col("paid_before"),
    "tried_before": pl.col("tried_before"),
    "tried_5s": pl.col("tried_5s"),
    "tried_60s": pl.col("tried_60s"),
    "tried_10min": pl.col("tried_10min"),
    "tried_hour": pl.col("tried_hour"),
    "tried_day": pl.col("tried_day"),
    "usd_60s": pl.col("cents_60s") / 100,
    "usd_10min": pl.col("cents_10min") / 100,
    "usd_hour": pl.col("cents_hour") / 100,
    "usd_day": pl.col("cents_day") / 100,
    "small_hour": pl.col("small_hour"),
    "failed_hour": pl.col("failed_hour"),
    "is_gift": pl.col("is_gift"),
    "gift_usd_day": pl.col("gift_cents_day") / 100,
    "gifts_day": pl.col("gifts_day"),
    "km": pl.col("km"),
    "kmh": pl.col("kmh"),
    "is_stranger": pl.col("is_stranger"),
    "is_new_device": pl.col("is_new_device"),
    "is_new_network": pl.col("is_new_network"),
    "is_refund": ~pl.col("is_tried"),
    "refunds": pl.col("refunds"),
    "refunded_share": pl.col("refunded_cents") / pl.max_horizontal("paid_cents", 1),
}
"""Name → feature of an order's measures. None says who somebody is, or where."""


@dataclass(frozen=True)
class Boosted:
    """Trees as columns of nodes, one list a tree: a row goes left where its feature is at or under
    the threshold; a leaf has feature -1 and its `value`."""

    version: str
    features: list[str]
    trained_from: str
    trained_until: str
    """The day after the last one: it is for days from there on."""
    trained_on: str
    orders: int
    frauds: int
    base: float
    slope: float
    offset: float
    feature: list[list[int]]
    threshold: list[list[float]]
    left: list[list[int]]
    right: list[list[int]]
    value: list[list[float]]

    def odds(self, rows: F64) -> F64:
        """Log-odds of each row, one column a feature, before calibration."""
        told = np.full(len(rows), self.base)
        trees = zip(self.feature, self.threshold, self.left, self.right, self.value, strict=True)
        for nodes in trees:
            feature, threshold, left, right, value = (np.array(n) for n in nodes)
            at = np.zeros(len(rows), dtype=np.int64)
            going = np.arange(len(rows))
            while len(going):
                node = at[going]
                goes_left = rows[going, feature[node]] <= threshold[node]
                at[going] = np.where(goes_left, left[node], right[node])
                going = going[feature[at[going]] >= 0]
            told += value[at]
        return told

    def probability(self, measures: pl.DataFrame) -> pl.Series:
        """Of fraud, for each order; null on days that it was trained on, or before them."""
        until = dt.date.fromisoformat(self.trained_until)
        odds = self.slope * self.odds(matrix(measures)) + self.offset
        told = pl.Series("learned_score", np.round(1 / (1 + np.exp(-odds)), _DIGITS))
        days = measures.select(pl.col("gaming_day") >= until).to_series()
        return told.zip_with(days, pl.Series([None], dtype=pl.Float64))


def matrix(measures: pl.DataFrame) -> F64:
    """One row an order, one column a feature."""
    columns = (e.cast(pl.Float64).fill_null(UNKNOWN).alias(n) for n, e in FEATURES.items())
    return measures.select(columns).to_numpy()


@functools.cache
def model() -> Boosted:
    """The model that is shipped."""
    text = (resources.files("lakehouse.detection.fraud") / MODEL).read_text("utf-8")
    return Boosted(**json.loads(text))


def trained(measures: pl.DataFrame, is_fraud: pl.Series, trained_on: str) -> Boosted:
    """A model of orders of which it is known whether they were fraud; the same for the same rows
    in the same order. The last third of the days is held out to calibrate it."""
    days = measures["gaming_day"].unique().sort()
    split = days[round(len(days) * (1 - HELD_OUT))]
    early = (measures["gaming_day"] < split).to_numpy()
    rows, labels = matrix(measures), is_fraud.to_numpy()
    learned = _boosted(rows[early], labels[early])
    raw = Boosted(
        "", list(FEATURES), str(days[0]), str(days[-1] + dt.timedelta(days=1)), trained_on,
        len(rows), int(labels.sum()), **learned, slope=1.0, offset=0.0,
    )  # fmt: skip
    slope, offset = _calibrated(raw.odds(rows[~early]), labels[~early])
    numbers = asdict(raw) | {"slope": slope, "offset": offset}
    digest = hashlib.sha256(json.dumps(numbers, sort_keys=True).encode()).hexdigest()[:8]
    return Boosted(**numbers | {"version": f"boosted trees of {split}, {digest}"})


def _calibrated(odds: F64, labels: NDArray[np.bool_]) -> tuple[float, float]:
    with without_pandas():
        from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=1e6).fit(odds[:, None], labels)
    return round(float(fitted.coef_[0, 0]), 9), round(float(fitted.intercept_[0]), 9)


def _boosted(rows: F64, labels: NDArray[np.bool_]) -> dict[str, Any]:
    with without_pandas():
        from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    model = HistGradientBoostingClassifier(
        max_iter=TREES, max_leaf_nodes=LEAVES, min_samples_leaf=FEWEST, learning_rate=0.1,
        l2_regularization=1.0, early_stopping=False, random_state=SEED,
    )  # fmt: skip
    # Threads that wait for each other on a busy machine cost more than they save.
    with threadpool_limits(1):
        grown = model.fit(rows, labels)
    trees = [t[0].nodes for t in grown._predictors]
    return {
        "base": float(grown._baseline_prediction[0, 0]),
        "feature": [np.where(t["is_leaf"], -1, t["feature_idx"]).tolist() for t in trees],
        "threshold": [np.where(t["is_leaf"], 0, t["num_threshold"]).tolist() for t in trees],
        "left": [t["left"].tolist() for t in trees],
        "right": [t["right"].tolist() for t in trees],
        "value": [np.where(t["is_leaf"], t["value"], 0).round(9).tolist() for t in trees],
    }
