"""Sales of the shop in sliding windows: parts that add up, for the day's table and for the live
path."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from lakehouse.gold.marts import gold, mart, silver
from lakehouse.gold.money import dollars, half_up, in_shape, within
from lakehouse.gold.shop.fraud_rate import FRAUD_RATE, alerted, in_force
from lakehouse.gold.shop.payments import highest, payments
from lakehouse.gold.windows import BY, WHOLE, Part, in_windows, parts_of
from lakehouse.regulation.gaming_day import Days

LENGTH, STEP = dt.timedelta(seconds=60), dt.timedelta(seconds=30)
TOP = 5
_DISTRIBUTIONS = {
    "payment_methods": "payment_method",
    "devices": "device_type",
    "countries": "country",
}
ORDERS = (
    "user_id", "order_id", "product_id", "product_name", "product_category", "amount",
    "payment_method", "status", "device_type", "country",
)  # fmt: skip
"""Columns of `shop_orders` that parts are made of, beside its time and day."""
ACTIONS = ("user_id", "action")
"""The same of `shop_actions`."""
_SALES = {"transactions": pl.col("is_sale").sum(), "amount": pl.col("cents").sum()}
_USERS = {"users": pl.col("user_id").n_unique()}
_PEOPLE = {"people": pl.col("user_id").unique()}
_PAID = {
    "users": pl.col("user_id").filter("is_sale").n_unique(),
    "orders": pl.col("order_id").filter("is_sale").n_unique(),
}
_MANY = {"events": pl.len()}
_ORDER_PARTS = (
    Part(WHOLE, _MANY | _SALES | _PAID | _PEOPLE),
    Part("category", _SALES, "product_category", only="is_sale"),
    Part("product", _SALES, "product_id", "product_name", only="is_sale"),
    *(Part(column, _SALES, column, only="is_sale") for column in _DISTRIBUTIONS.values()),
    Part("status", _MANY | {"amount": pl.col("tried").sum()}, "status"),
)
_ACTION_PARTS = (Part(WHOLE, _MANY | _USERS | _PEOPLE), Part("action", _MANY | _USERS, "action"))


@mart(silver("shop_orders"), silver("shop_actions"), gold("fraud_alerts"), days_in_hand=31)
def sales_windows(
    shop_orders: pl.LazyFrame,
    shop_actions: pl.LazyFrame,
    fraud_alerts: pl.LazyFrame,
    *,
    days: Days,
) -> pl.LazyFrame:
    """Mart `sales_windows` of `days`, from silver and `fraud_alerts`."""
    told = in_force(within(fraud_alerts, days))
    return windows(within(shop_orders, days), within(shop_actions, days), told)


def windows(
    orders: pl.LazyFrame,
    actions: pl.LazyFrame,
    alerts: pl.LazyFrame,
    length: dt.timedelta = LENGTH,
    step: dt.timedelta = STEP,
) -> pl.LazyFrame:
    """Windows of `length`, one beginning every `step` (counted from 1970), in which anything
    happened; `length` is a multiple of `step`. In the shape of the table, by its key. Rows are
    silver's, of any time and in any order; a window holds what is given of it. `alerts` are those
    of the profile in force."""
    sold = order_parts(in_windows(orders, "timestamp", length, step))
    seen = action_parts(in_windows(actions, "timestamp", length, step))
    return from_parts(sold, seen, alert_counts(alerts, "alert_timestamp", length, step), length)


def order_parts(orders: pl.LazyFrame, by: Sequence[str] = BY) -> pl.LazyFrame:
    """Parts of payments, each with its `window_start`, by the columns `by`."""
    paid = payments(orders)
    rows = paid.with_columns(tried="cents", cents=pl.when("is_sale").then("cents").otherwise(0))
    return parts_of(rows, _ORDER_PARTS, by)


def action_parts(actions: pl.LazyFrame, by: Sequence[str] = BY) -> pl.LazyFrame:
    """Parts of what visitors did, in the same way: their `users` are those who did anything."""
    return parts_of(actions, _ACTION_PARTS, by)


def alert_counts(
    alerts: pl.LazyFrame,
    time: str,
    length: dt.timedelta = LENGTH,
    step: dt.timedelta = STEP,
) -> pl.LazyFrame:
    """Payments of each window that are alerted of, a row of `alerts` each: `BY`, alerted."""
    return alerted(in_windows(alerts, time, length, step), BY)


def from_parts(
    orders: pl.LazyFrame,
    actions: pl.LazyFrame,
    alerts: pl.LazyFrame,
    length: dt.timedelta = LENGTH,
) -> pl.LazyFrame:
    """Windows in the shape of the table, of parts of payments and of actions, and of what
    `alert_counts` says. Who visited is known of windows whose parts all name their `people`."""
    sold = orders.collect().lazy()
    whole = pl.concat([p.filter(dimension=WHOLE) for p in (sold, actions)], how="diagonal")
    named = pl.col("people").is_not_null().all()
    visitors = whole.group_by(BY).agg(
        visitors=pl.when(named).then(pl.col("people").explode().n_unique())
    )
    payments_of = sold.filter(dimension=WHOLE).group_by(BY)
    tried = payments_of.agg(payments=pl.col("events").sum())
    totals = sold.filter(pl.col("dimension") == WHOLE, pl.col("transactions") > 0).group_by(BY)
    rated = visitors.join(tried, on=BY, how="left").join(alerts, on=BY, how="left")
    found = rated.join(
        totals.agg(
            pl.col("transactions", "orders").sum(),
            sales=pl.col("amount").sum(),
            unique_users=pl.col("users").sum(),
        ),
        on=BY,
        how="left",
    )
    for dimension, many in (("product", "unique_products"), ("category", "unique_categories")):
        different = sold.filter(dimension=dimension).group_by(BY)
        found = found.join(different.agg(pl.col("value").n_unique().alias(many)), on=BY, how="left")
    found = found.join(_best(sold, "category", {"value": "product_category"}), on=BY, how="left")
    products = _best(sold, "product", {"value": "product_id", "name": "product_name"})
    found = found.join(products, on=BY, how="left")
    for name, column in _DISTRIBUTIONS.items():
        found = found.join(_distribution(sold, name, column), on=BY, how="left")
    return _finished(found, length)


def _best(sold: pl.LazyFrame, dimension: str, what: dict[str, str]) -> pl.LazyFrame:
    rows = sold.filter(dimension=dimension).rename(what).group_by(*BY, *what.values())
    summed = rows.agg(pl.col("transactions").sum(), sales=pl.col("amount").sum())
    top = highest(summed, list(BY), list(what.values()), TOP).with_columns(sales=dollars("sales"))
    name = {"category": "top_categories", "product": "top_products"}[dimension]
    return top.group_by(BY, maintain_order=True).agg(
        pl.struct(*what.values(), "sales", "transactions").alias(name)
    )


def _distribution(sold: pl.LazyFrame, name: str, column: str) -> pl.LazyFrame:
    rows = sold.filter(dimension=column).group_by(*BY, pl.col("value").alias(column))
    ordered = rows.agg(pl.col("transactions").sum()).sort(
        "transactions", column, descending=[True, False]
    )
    return ordered.group_by(BY, maintain_order=True).agg(
        pl.struct(column, "transactions").alias(name)
    )


def _finished(found: pl.LazyFrame, length: dt.timedelta) -> pl.LazyFrame:
    counts = ("transactions", "sales", "orders", "unique_users", "unique_products")
    counted = found.with_columns(
        pl.col(*counts, "unique_categories").fill_null(0),
        *(pl.col(n).fill_null([]) for n in ("top_categories", "top_products", *_DISTRIBUTIONS)),
        FRAUD_RATE,
        window_end=pl.col("window_start") + length,
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
