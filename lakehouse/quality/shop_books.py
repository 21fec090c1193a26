"""Truths of the web shop: what was bought was paid, what is given back had been, and every mart
has the same revenue."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.money import cents
from lakehouse.quality.findings import entries_of, findings, summed, truth, unequal

_PAID = ("completed", "pending")


def _bought(shop_actions: pl.LazyFrame, shop_orders: pl.LazyFrame) -> pl.LazyFrame:
    bought = shop_actions.filter(pl.col("action") == "purchase", pl.col("order_id").is_not_null())
    paid = shop_orders.filter(pl.col("status").is_in(_PAID))
    return pl.concat(
        [
            entries_of(bought, "order_id", expected=cents("amount")),
            entries_of(paid, "order_id", found=cents("amount")),
        ]
    )


@truth(
    "silver.shop_actions",
    "silver.shop_orders",
    sides=("bought", "paid or pending"),
    entries=_bought,
    hidden_by="order_id",
)
def purchases_are_paid(shop_actions: pl.LazyFrame, shop_orders: pl.LazyFrame) -> pl.LazyFrame:
    """Per order that the client reports as bought, its completed and pending payments of the
    gaming day are the sum of the purchase. Refused attempts and refunds are beside it."""
    by_order = summed(_bought(shop_actions, shop_orders)).filter(pl.col("expected") > 0)
    return findings(by_order.filter(pl.col("expected") != pl.col("found")))


@truth("gold.refunds", sides=("left of the payment", "given back"))
def refunds_are_of_a_payment(refunds: pl.LazyFrame) -> pl.LazyFrame:
    """Every refund names a completed payment of its order of the 90 gaming days before, and all
    that was given back of it is no more than was paid."""
    left = cents("paid_amount").fill_null(0) - cents("refunded_before")
    wrong = refunds.filter(~pl.col("is_covered"))
    return findings(
        wrong.with_columns(subject="transaction_id", expected=left, found=cents("amount"))
    )


@truth(
    "silver.shop_orders",
    "gold.product_performance",
    "gold.daily_sales_summary",
    "gold.kpi",
    "gold.refunds",
    sides=("silver", "mart"),
    blocking=True,
)
def shop_revenue_is_in_every_mart(
    shop_orders: pl.LazyFrame,
    product_performance: pl.LazyFrame,
    daily_sales_summary: pl.LazyFrame,
    kpi: pl.LazyFrame,
    refunds: pl.LazyFrame,
) -> pl.LazyFrame:
    """Per gaming day, completed payments are the revenue of products, of the summary and of the
    figures, and what was given back is the sum of refunds."""
    marts = {
        "product_performance": (product_performance, "total_revenue"),
        "daily_sales_summary": (daily_sales_summary, "total_revenue"),
        "kpi": (kpi, "gross_revenue"),
    }
    done = shop_orders.filter(pl.col("status") == "completed")
    back = shop_orders.filter(pl.col("status") == "refunded")
    sides = [
        *(entries_of(done, pl.lit(name), expected=cents("amount")) for name in marts),
        *(entries_of(rows, pl.lit(n), found=cents(c)) for n, (rows, c) in marts.items()),
        entries_of(back, pl.lit("refunds"), expected=cents("amount")),
        entries_of(refunds, pl.lit("refunds"), found=cents("amount")),
    ]
    return unequal(pl.concat(sides))
