"""Fraud in the shop: alerts by each profile, what they come to, and how good they are."""

from __future__ import annotations

import datetime as dt
from functools import partial

import polars as pl

from lakehouse.contracts import contract
from lakehouse.contracts.shop.fraud import LEVELS, PROFILES, WINDOW
from lakehouse.detection.fraud.alerts import alerted
from lakehouse.detection.fraud.boosting import model
from lakehouse.detection.fraud.measures import (
    ORDERS,
    REACH,
    measured,
    nothing_remembered,
    remembered,
)
from lakehouse.detection.fraud.quality import quality, scored
from lakehouse.detection.fraud.rules import judged
from lakehouse.gold.marts import gold, mart, silver, truth
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
    measures = _of(orders, days)
    known, columns = remembered(orders), contract("fraud_alerts").bronze_schema()
    told = pl.concat(alerted(judged(measures, p), known, p) for p in PROFILES)
    learned = measures.select("transaction_id").with_columns(model().probability(measures))
    by = pl.when(pl.col("learned_score").is_null()).then(pl.lit(NO_MODEL))
    return (
        told.join(learned, on="transaction_id", how="left")
        .with_columns(learned_by=by.otherwise(pl.lit(model().version)))
        .select(pl.col(c).cast(t) for c, t in columns.items())
    )


def _of(orders: pl.DataFrame, days: Days) -> pl.DataFrame:
    """Measures of the orders of `days`."""
    measures, _ = measured(orders, nothing_remembered())
    return measures.filter(pl.col("gaming_day").is_between(*days))


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


@mart(
    silver("shop_orders", back=WINDOW - 1 + REACH),
    truth("plants", back=WINDOW - 1),
    days_in_hand=31,
)
def fraud_quality(shop_orders: pl.LazyFrame, plants: pl.LazyFrame, *, days: Days) -> pl.LazyFrame:
    """Mart `fraud_quality` of `days`, of the four weeks up to each."""
    schema = contract("fraud_quality").bronze_schema()
    made = partial(_quality, shop_orders, plants, days)
    return shaped(pl.defer(made, schema=schema), "fraud_quality")


def _quality(shop_orders: pl.LazyFrame, plants: pl.LazyFrame, days: Days) -> pl.DataFrame:
    first = days[0] - dt.timedelta(days=WINDOW - 1)
    measures = _of(shop_orders.select(ORDERS).collect(), (first, days[1]))
    columns = contract("fraud_quality").bronze_schema()
    found = quality(scored(measures, model()), plants.collect(), days)
    return found.select(pl.col(c).cast(t) for c, t in columns.items())
