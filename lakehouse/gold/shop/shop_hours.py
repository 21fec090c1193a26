"""The shop by the hour: windows of an hour that do not slide."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.gold.marts import gold, mart, silver
from lakehouse.gold.money import cents, dollars, within
from lakehouse.gold.shape import shaped
from lakehouse.gold.shop.fraud_rate import in_force
from lakehouse.gold.shop.sales_windows import windows
from lakehouse.regulation.gaming_day import Days

HOUR = dt.timedelta(hours=1)
_BY = ["hour_start", "gaming_day"]


@mart(silver("shop_orders"), silver("shop_actions"), gold("fraud_alerts"), days_in_hand=31)
def shop_hours(
    shop_orders: pl.LazyFrame,
    shop_actions: pl.LazyFrame,
    fraud_alerts: pl.LazyFrame,
    *,
    days: Days,
) -> pl.LazyFrame:
    """Mart `shop_hours` of `days`, from silver and `fraud_alerts`."""
    told = in_force(within(fraud_alerts, days))
    return hours(within(shop_orders, days), within(shop_actions, days), told)


def hours(orders: pl.LazyFrame, actions: pl.LazyFrame, alerts: pl.LazyFrame) -> pl.LazyFrame:
    """In the shape of the table, of rows as for `windows`; what is said of an hour does not depend
    on the other hours in the call."""
    found = windows(orders, actions, alerts, HOUR, HOUR).rename({"window_start": "hour_start"})
    hour, status = pl.col("timestamp").dt.truncate(HOUR), pl.col("status")
    others = orders.group_by("gaming_day", hour_start=hour).agg(
        failed_transactions=(status == "failed").sum(),
        refunded=cents("amount").filter(status == "refunded").sum(),
    )
    joined = found.join(others, on=_BY, how="left").with_columns(
        pl.col("failed_transactions", "refunded").fill_null(0)
    )
    return shaped(joined.with_columns(refunded=dollars("refunded")), "shop_hours")
