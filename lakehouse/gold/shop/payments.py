"""Payments of the shop with what several marts need of each, money in cents."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.money import cents

DONE = "completed"


def payments(shop_orders: pl.LazyFrame) -> pl.LazyFrame:
    """Silver `shop_orders` with `cents`, and `is_sale`: the payment went through."""
    return shop_orders.with_columns(cents=cents("amount"), is_sale=pl.col("status") == DONE)


def sales(shop_orders: pl.LazyFrame) -> pl.LazyFrame:
    """The payments that went through, with `cents`."""
    return payments(shop_orders).filter("is_sale")


def best(rows: pl.LazyFrame, by: list[str], what: list[str], n: int) -> pl.LazyFrame:
    """Of each group `by` of sales, the `n` of `what` with the highest sales, ties in order of
    name: `sales` in cents and `transactions`, the highest first."""
    summed = rows.group_by(*by, *what).agg(
        sales=pl.col("cents").sum(), transactions=pl.len().cast(pl.Int64)
    )
    return highest(summed, by, what, n)


def highest(summed: pl.LazyFrame, by: list[str], what: list[str], n: int) -> pl.LazyFrame:
    """The same of what is summed already."""
    ordered = summed.sort(*by, -pl.col("sales"), *what)
    return ordered.group_by(by, maintain_order=True).head(n)
