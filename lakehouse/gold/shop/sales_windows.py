"""Sales of the shop in sliding windows: one function for the day's table and for a live path."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.gold.marts import mart, silver
from lakehouse.gold.money import dollars, half_up, in_shape, within
from lakehouse.gold.shop.payments import best, sales
from lakehouse.regulation.gaming_day import Days

LENGTH, STEP = dt.timedelta(seconds=60), dt.timedelta(seconds=30)
TOP = 5
_BY = ["gaming_day", "window_start"]
_DISTRIBUTIONS = {
    "payment_methods": "payment_method",
    "devices": "device_type",
    "countries": "country",
}


@mart(silver("shop_orders"), silver("shop_actions"), days_in_hand=31)
def sales_windows(
    shop_orders: pl.LazyFrame, shop_actions: pl.LazyFrame, *, days: Days
) -> pl.LazyFrame:
    """Mart `sales_windows` of `days`, from silver."""
    return windows(within(shop_orders, days), within(shop_actions, days))


def windows(
    orders: pl.LazyFrame,
    actions: pl.LazyFrame,
    length: dt.timedelta = LENGTH,
    step: dt.timedelta = STEP,
) -> pl.LazyFrame:
    """Windows of `length`, one beginning every `step` (counted from 1970), in which anything
    happened; `length` is a multiple of `step`. In the shape of the table, by its key. Rows are
    silver's, of any time and in any order; a window holds what is given of it."""
    sold = _in_windows(sales(orders), length, step).collect().lazy()
    seen = pl.concat([_users(actions, length, step), _users(orders, length, step)])
    visitors = seen.group_by(_BY).agg(visitors=pl.col("user_id").n_unique())
    found = visitors.join(_totals(sold), on=_BY, how="left")
    for name, what in (
        ("top_categories", ["product_category"]),
        ("top_products", ["product_id", "product_name"]),
    ):
        found = found.join(_best(sold, name, what), on=_BY, how="left")
    for name, column in _DISTRIBUTIONS.items():
        found = found.join(_distribution(sold, name, column), on=_BY, how="left")
    return _finished(found, length)


def _in_windows(rows: pl.LazyFrame, length: dt.timedelta, step: dt.timedelta) -> pl.LazyFrame:
    """Each row once for each window that it is in."""
    latest = pl.col("timestamp").dt.truncate(step)
    return pl.concat(
        [rows.with_columns(window_start=latest - k * step) for k in range(length // step)]
    )


def _users(rows: pl.LazyFrame, length: dt.timedelta, step: dt.timedelta) -> pl.LazyFrame:
    return _in_windows(rows.select("gaming_day", "user_id", "timestamp"), length, step).drop(
        "timestamp"
    )


def _totals(sold: pl.LazyFrame) -> pl.LazyFrame:
    return sold.group_by(_BY).agg(
        transactions=pl.len(),
        sales=pl.col("cents").sum(),
        orders=pl.col("order_id").n_unique(),
        unique_users=pl.col("user_id").n_unique(),
        unique_products=pl.col("product_id").n_unique(),
        unique_categories=pl.col("product_category").n_unique(),
    )


def _best(sold: pl.LazyFrame, name: str, what: list[str]) -> pl.LazyFrame:
    top = best(sold, _BY, what, TOP).with_columns(sales=dollars("sales"))
    return top.group_by(_BY, maintain_order=True).agg(
        pl.struct(*what, "sales", "transactions").alias(name)
    )


def _distribution(sold: pl.LazyFrame, name: str, column: str) -> pl.LazyFrame:
    counted = sold.group_by(*_BY, column).agg(transactions=pl.len().cast(pl.Int64))
    ordered = counted.sort("transactions", column, descending=[True, False])
    return ordered.group_by(_BY, maintain_order=True).agg(
        pl.struct(column, "transactions").alias(name)
    )


def _finished(found: pl.LazyFrame, length: dt.timedelta) -> pl.LazyFrame:
    counts = ("transactions", "sales", "orders", "unique_users", "unique_products")
    counted = found.with_columns(
        pl.col(*counts, "unique_categories").fill_null(0),
        *(pl.col(n).fill_null([]) for n in ("top_categories", "top_products", *_DISTRIBUTIONS)),
        window_end=pl.col("window_start") + length,
        fraud_rate=pl.lit(None, pl.Float64),
    )
    some = pl.col("unique_users") > 0
    return in_shape(
        counted.with_columns(
            average_order_value=pl.when(some).then(half_up(pl.col("sales"), pl.col("orders"))),
            conversion_rate=(pl.col("unique_users") / pl.col("visitors")).round(6),
            revenue_per_user=pl.when(some).then(half_up(pl.col("sales"), pl.col("unique_users"))),
            transactions_per_user=pl.when(some).then(
                (pl.col("transactions") / pl.col("unique_users")).round(6)
            ),
        ),
        "sales_windows",
    ).sort("window_start", "gaming_day")
