"""What the shop gave back, beside what was paid."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.marts import mart, silver
from lakehouse.gold.money import as_table, cents, within
from lakehouse.gold.shop.payments import sales
from lakehouse.regulation.gaming_day import Days

LOOKED_BACK = 90
"""Gaming days in which the payment is looked for."""


@mart(silver("shop_orders", back=LOOKED_BACK), days_in_hand=31)
def refunds(shop_orders: pl.LazyFrame, *, days: Days) -> pl.LazyFrame:
    """Mart `refunds` of `days`, from silver."""
    return as_table(within(covered(shop_orders), days), "refunds")


def covered(shop_orders: pl.LazyFrame) -> pl.LazyFrame:
    """Every refund among the payments given, in cents, with the payment that it names where that
    is among them and no more than `LOOKED_BACK` gaming days older."""
    paid = sales(shop_orders).select(
        "order_id", refund_of="transaction_id", paid_on="gaming_day", paid_amount="cents"
    )
    back = shop_orders.filter(pl.col("status") == "refunded").with_columns(amount=cents("amount"))
    age = (pl.col("gaming_day") - pl.col("paid_on")).dt.total_days()
    is_near = age.is_between(0, LOOKED_BACK)
    found = (
        back.join(paid, on=["refund_of", "order_id"], how="left")
        .sort("timestamp", "transaction_id")
        .with_columns(pl.when(is_near).then(pl.col("paid_on", "paid_amount")))
        .with_columns(given=pl.col("amount").cum_sum().over("refund_of", "paid_on"))
    )
    is_covered = pl.col("given") <= pl.col("paid_amount")
    return found.with_columns(
        refunded_before=pl.col("given") - pl.col("amount"),
        is_covered=is_covered.fill_null(value=False),
    )
