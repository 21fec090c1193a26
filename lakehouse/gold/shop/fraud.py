"""Fraud in the shop: alerts by each profile, and what they come to a day."""

from __future__ import annotations

from functools import partial

import polars as pl

from lakehouse.contracts import contract
from lakehouse.contracts.shop.fraud import LEVELS, PROFILES
from lakehouse.detection.fraud.alerts import ONE, alerted
from lakehouse.detection.fraud.boosting import model
from lakehouse.detection.fraud.measures import (
    ORDERS,
    REACH,
    measured,
    nothing_remembered,
    remembered,
)
from lakehouse.detection.fraud.rules import judged
from lakehouse.gold.marts import gold, mart, silver
from lakehouse.gold.money import within
from lakehouse.gold.shape import shaped
from lakehouse.regulation.gaming_day import Days

NO_MODEL = "no model of the days before this one"


@mart(silver("shop_orders", back=REACH), days_in_hand=31)
def fraud_alerts(shop_orders: pl.LazyFrame, *, days: Days) -> pl.LazyFrame:
    """Mart `fraud_alerts` of `days`: of each user's orders, by his 30 gaming days before."""
    schema = contract("fraud_alerts").bronze_schema()
    return shaped(pl.defer(partial(_alerts, shop_orders, days), schema=schema), "fraud_alerts")


def _alerts(shop_orders: pl.LazyFrame, days: Days) -> pl.DataFrame:
    orders = shop_orders.select(ORDERS).collect()
    measures, _ = measured(orders, nothing_remembered())
    measures = measures.filter(pl.col("gaming_day").is_between(*days))
    known, columns = remembered(orders), contract("fraud_alerts").bronze_schema()
    told = pl.concat(alerted(judged(measures, p), known, p) for p in PROFILES)
    learned = measures.select(ONE).with_columns(model().probability(measures))
    by = pl.when(pl.col("learned_score").is_null()).then(pl.lit(NO_MODEL))
    return (
        told.join(learned, on=ONE, how="left")
        .with_columns(learned_by=by.otherwise(pl.lit(model().version)))
        .select(pl.col(c).cast(t) for c, t in columns.items())
    )


@mart(gold("fraud_alerts"))
def fraud_analysis(fraud_alerts: pl.LazyFrame, *, days: Days) -> pl.LazyFrame:
    """Mart `fraud_analysis` of `days`."""
    levels = {f"{v.lower()}_alerts": (pl.col("alert_level") == v).sum() for v in LEVELS}
    found = (
        within(fraud_alerts, days)
        .group_by("gaming_day", "profile")
        .agg(
            alert_date=pl.col("gaming_day").first(),
            total_alerts=pl.len(),
            affected_users=pl.col("user_id").n_unique(),
            # A mean's last digits depend on the order of rows; a day made again is the same.
            avg_fraud_score=pl.col("fraud_score").mean().round(9),
            **levels,
        )
    )
    return shaped(found, "fraud_analysis")
