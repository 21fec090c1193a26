"""The shop's day: its sales, its products, and the figures by which it is led."""

from __future__ import annotations

import polars as pl

from lakehouse.contracts.shop.sales import ALL
from lakehouse.gold.marts import gold, mart, silver
from lakehouse.gold.money import as_table, cents, half_up, within
from lakehouse.gold.shop.fraud_rate import FRAUD_RATE, alerted, in_force
from lakehouse.gold.shop.payments import best, payments, sales
from lakehouse.regulation.gaming_day import Days, day_bounds, each_day

NEW_DAYS = 30
"""Gaming days without a payment, after which a customer is new again."""
_PRODUCT = ["gaming_day", "product_category", "product_name"]


@mart(silver("shop_orders"), days_in_hand=31)
def daily_sales_summary(shop_orders: pl.LazyFrame, *, days: Days) -> pl.LazyFrame:
    """Mart `daily_sales_summary` of `days`, from silver."""
    done = pl.col("is_sale")
    revenue, count = pl.col("cents").filter(done).sum(), done.sum().cast(pl.Int64)
    summed = (
        payments(within(shop_orders, days))
        .group_by("gaming_day")
        .agg(
            total_transactions=pl.len(),
            total_revenue=revenue,
            avg_transaction_value=pl.when(count > 0).then(half_up(revenue, count)),
            unique_customers=pl.col("user_id").filter(done).n_unique(),
            categories_sold=pl.col("product_category").filter(done).n_unique(),
            completed_transactions=count,
            failed_transactions=(pl.col("status") == "failed").sum(),
        )
    )
    return as_table(summed.with_columns(sale_date="gaming_day"), "daily_sales_summary")


@mart(silver("shop_orders"), days_in_hand=31)
def product_performance(shop_orders: pl.LazyFrame, *, days: Days) -> pl.LazyFrame:
    """Mart `product_performance` of `days`, from silver."""
    revenue = pl.col("cents").sum()
    sold = (
        sales(within(shop_orders, days))
        .group_by(_PRODUCT)
        .agg(
            total_sales=pl.len(),
            total_revenue=revenue,
            avg_price=half_up(revenue, pl.col("quantity").sum()),
            unique_customers=pl.col("user_id").n_unique(),
        )
    )
    rank = pl.col("total_revenue").rank("min", descending=True).over(_PRODUCT[:2])
    return as_table(sold.with_columns(category_rank=rank), "product_performance")


@mart(silver("shop_orders", back=NEW_DAYS), gold("funnel"), gold("fraud_alerts"), days_in_hand=31)
def kpi(
    shop_orders: pl.LazyFrame,
    funnel: pl.LazyFrame,
    fraud_alerts: pl.LazyFrame,
    *,
    days: Days,
    timezone: str,
) -> pl.LazyFrame:
    """Mart `kpi` of `days`, from silver, `funnel` and `fraud_alerts`."""
    done = sales(shop_orders)
    by_day = done.group_by("gaming_day").agg(
        gross_revenue=pl.col("cents").sum(),
        transactions=pl.len(),
        orders=pl.col("order_id").n_unique(),
        customers=pl.col("user_id").n_unique(),
    )
    converted = funnel.filter(product_category=ALL).select("gaming_day", "conversion_rate")
    found = by_day
    told = alerted(in_force(fraud_alerts), ["gaming_day"])
    for part in (_before(by_day), _tried(shop_orders), told, converted, _new(done)):
        found = found.join(part, on="gaming_day", how="left")
    for name, what in (("top_category", "product_category"), ("top_product", "product_name")):
        top = best(done, ["gaming_day"], [what], 1).select("gaming_day", pl.col(what).alias(name))
        found = found.join(top, on="gaming_day", how="left")
    counted = found.pipe(within, days).join(_minutes(days, timezone), on="gaming_day")
    return as_table(_figures(counted), "kpi")


def _figures(found: pl.LazyFrame) -> pl.LazyFrame:
    gross = pl.col("gross_revenue")
    return found.with_columns(
        FRAUD_RATE,
        revenue=gross - pl.col("refunded"),
        average_order_value=half_up(gross, pl.col("orders")),
        acquisition_rate=(pl.col("new") / pl.col("customers")).round(6),
        growth_rate=(gross / pl.col("before") - 1).round(6),
        transactions_per_minute=(pl.col("transactions") / pl.col("minutes")).round(6),
    )


def _before(by_day: pl.LazyFrame) -> pl.LazyFrame:
    return by_day.select(
        pl.col("gaming_day").dt.offset_by("1d"),
        before=pl.when(pl.col("gross_revenue") > 0).then("gross_revenue"),
    )


def _tried(shop_orders: pl.LazyFrame) -> pl.LazyFrame:
    """By gaming day, payments whatever became of them, and what was given back."""
    back = pl.col("status") == "refunded"
    return shop_orders.group_by("gaming_day").agg(
        payments=pl.len(), refunded=cents("amount").filter(back).sum()
    )


def _new(done: pl.LazyFrame) -> pl.LazyFrame:
    """By gaming day, the customers who paid nothing in the `NEW_DAYS` before."""
    paid = done.select("user_id", "gaming_day").unique().sort("user_id", "gaming_day")
    since = (pl.col("gaming_day") - pl.col("gaming_day").shift().over("user_id")).dt.total_days()
    back_after = pl.col("since").fill_null(NEW_DAYS + 1) > NEW_DAYS
    return paid.with_columns(since=since).group_by("gaming_day").agg(new=back_after.sum())


def _minutes(days: Days, timezone: str) -> pl.LazyFrame:
    """Length of each gaming day."""
    dates = each_day(days)
    bounds = (day_bounds(d, timezone) for d in dates)
    minutes = [int((end - start).total_seconds()) // 60 for start, end in bounds]
    return pl.LazyFrame({"gaming_day": dates, "minutes": minutes})
