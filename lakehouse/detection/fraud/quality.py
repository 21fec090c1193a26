"""Rules, profiles and the learned score against the truth, transaction by transaction.

`planted`: of truth/plants, the rows of cases and look-alikes of fraud; they name transactions by
their numbers, which are no personal data and the same in bronze, silver and gold. Average precision
is exact: equal scores are one step of the curve (Boyd, Eng and Page 2013, without interpolation).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.contracts.shop.fraud import ALL, IN_FORCE, KINDS, PROFILES, WINDOW
from lakehouse.detection.fraud.boosting import Boosted
from lakehouse.detection.fraud.profiles import limit, profile
from lakehouse.detection.fraud.rules import RULES, column, judged
from lakehouse.regulation.gaming_day import Days, each_day

DIGITS = 9
LEARNED = "learned"
Bools = NDArray[np.bool_]


def scored(measures: pl.DataFrame, model: Boosted) -> pl.DataFrame:
    """`transaction_id`, `gaming_day`, `cents`, and of each detector `score:…` and `alert:…`. The
    learned score alerts from the level that is MEDIUM in the tuned profile."""
    found = measures.select("transaction_id", "gaming_day", "cents")
    for name in PROFILES:
        rows = judged(measures, name)
        found = found.with_columns(
            rows["score"].alias(f"score:profile:{name}"),
            rows["level"].is_not_null().alias(f"alert:profile:{name}"),
        )
        if name == IN_FORCE:
            found = found.with_columns(
                *(rows[column(r.name)].alias(f"score:rule:{r.name}") for r in RULES),
                *((rows[column(r.name)] > 0).alias(f"alert:rule:{r.name}") for r in RULES),
            )
    return found.with_columns(
        model.probability(measures).fill_null(0.0).alias(f"score:{LEARNED}")
    ).with_columns(_learned_alert().alias(f"alert:{LEARNED}"))


def _learned_alert() -> pl.Expr:
    at = limit(profile(IN_FORCE), "levels", "medium", (dt.date.min, dt.date.max))
    return pl.col(f"score:{LEARNED}") >= at


def detectors() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each detector, and the kinds of fraud that it is scored of."""
    for r in RULES:
        yield f"rule:{r.name}", (ALL, *([r.finds] if r.finds else ()))
    for name in (*(f"profile:{p}" for p in PROFILES), LEARNED):
        yield name, (ALL, *KINDS)


def labelled(plants: pl.DataFrame) -> pl.DataFrame:
    """`transaction_id`, `plant_id`, `kind`, `is_look_alike`: of each order that a case or a
    look-alike rests on."""
    ours = plants.filter(
        (pl.col("table_name") == "shop_orders")
        & pl.col("row_key").is_not_null()
        & pl.col("intensity").is_not_null()
        & pl.col("expected_rule").is_in(KINDS)
    )
    return ours.select(
        pl.col("row_key").alias("transaction_id"), "plant_id",
        pl.col("expected_rule").alias("kind"), "is_look_alike",
    ).unique("transaction_id", keep="first", maintain_order=True)  # fmt: skip


def quality(
    rows: pl.DataFrame, plants: pl.DataFrame, days: Days, window: int = WINDOW
) -> pl.DataFrame:
    """Rows in the shape of `fraud_quality` for each of `days` in whose `window` fraud shows.
    `rows`: what `scored` gives, of those days and the window before them."""
    joined = rows.join(labelled(plants), on="transaction_id", how="left", maintain_order="left")
    told: list[dict[str, Any]] = []
    for day in each_day(days):
        since = day - dt.timedelta(days=window - 1)
        inside = joined.filter(pl.col("gaming_day").is_between(since, day))
        told += [{"gaming_day": day} | figures for figures in _figures(inside)]
    return pl.DataFrame(told, schema=_SCHEMA, orient="row")


def _figures(rows: pl.DataFrame) -> Iterator[dict[str, Any]]:
    if rows.is_empty():
        return
    truth = _Truth.of(rows)
    for detector, kinds in detectors():
        score, alert = (rows[f"{what}:{detector}"].to_numpy() for what in ("score", "alert"))
        for kind in kinds:
            if truth.of_kind(kind).any():
                yield {"detector": detector, "kind": kind} | truth.figures(score, alert, kind)


@dataclass(frozen=True)
class _Truth:
    cents: NDArray[np.int64]
    case: NDArray[np.int64]
    """Number of the case that a transaction is of, -1 for none."""
    kind: NDArray[np.object_]
    looks: Bools
    days: int

    @classmethod
    def of(cls, rows: pl.DataFrame) -> _Truth:
        looks = rows["is_look_alike"].fill_null(value=False)
        cases = rows.select(pl.when(~looks).then("plant_id").rank("dense")).to_series()
        return cls(
            rows["cents"].to_numpy(),
            cases.cast(pl.Int64).fill_null(-1).to_numpy(),
            rows["kind"].fill_null("").to_numpy(),
            looks.to_numpy(),
            rows["gaming_day"].n_unique(),
        )

    def of_kind(self, kind: str) -> Bools:
        return (self.case >= 0) & ((kind == ALL) | (self.kind == kind))

    def figures(self, score: NDArray[np.float64], alert: Bools, kind: str) -> dict[str, Any]:
        """Transactions of other kinds are left out."""
        hit = self.of_kind(kind)
        kept = hit | (self.case < 0)
        hit, alert, score = hit[kept], alert[kept], score[kept]
        case, cents = self.case[kept], self.cents[kept]
        cases, true = len(np.unique(case[hit])), int((alert & hit).sum())
        found, alerts = len(np.unique(case[hit & alert])), int(alert.sum())
        return {
            "days": self.days,
            "transactions": len(hit),
            "cases": cases,
            "cases_found": found,
            "alerts": alerts,
            "alerts_true": true,
            "alerts_on_look_alikes": int((alert & self.looks[kept]).sum()),
            "recall": found / cases,
            "transaction_recall": true / int(hit.sum()),
            "precision": true / alerts if alerts else None,
            "alerts_per_day": alerts / self.days,
            "base_rate": round(float(hit.mean()), DIGITS),
            "auprc": average_precision(score, hit),
            "amount_auprc": average_precision(cents.astype(np.float64), hit),
        }


def average_precision(score: NDArray[np.float64], hit: Bools) -> float:
    """Area under the steps of precision by recall."""
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(hit[order])
    last = np.flatnonzero(np.diff(score[order], append=np.nan) != 0)
    gained = np.diff(hits[last], prepend=0)
    return round(float((gained * hits[last] / (last + 1)).sum() / hits[-1]), DIGITS)


_SCHEMA = pl.Schema(
    {"gaming_day": pl.Date, "detector": pl.String, "kind": pl.String}
    | dict.fromkeys(
        ("days", "transactions", "cases", "cases_found", "alerts", "alerts_true",
         "alerts_on_look_alikes"), pl.Int64)
    | dict.fromkeys(
        ("recall", "transaction_recall", "precision", "alerts_per_day", "base_rate", "auprc",
         "amount_auprc"), pl.Float64)
)  # fmt: skip
