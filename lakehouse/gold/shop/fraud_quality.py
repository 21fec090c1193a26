"""How good rules, profiles and learned score of fraud are, on days that were simulated: beside the
scoring of the floor's detection the one mart that reads the truth."""

from __future__ import annotations

import datetime as dt
from functools import partial

import polars as pl

from lakehouse.contracts import contract
from lakehouse.contracts.shop.fraud import WINDOW
from lakehouse.detection.fraud.boosting import model
from lakehouse.detection.fraud.measures import ORDERS, REACH, measured, nothing_remembered
from lakehouse.detection.fraud.quality import quality, scored
from lakehouse.gold.marts import mart, silver, truth
from lakehouse.gold.shape import shaped
from lakehouse.regulation.gaming_day import Days


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
    measures, _ = measured(shop_orders.select(ORDERS).collect(), nothing_remembered())
    first = days[0] - dt.timedelta(days=WINDOW - 1)
    asked = measures.filter(pl.col("gaming_day").is_between(first, days[1]))
    found = quality(scored(asked, model()), plants.collect(), days)
    columns = contract("fraud_quality").bronze_schema()
    return found.select(pl.col(c).cast(t) for c, t in columns.items())
