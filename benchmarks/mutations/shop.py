"""Defects of the shop's tables, for the truths between them."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl

from benchmarks.mutations.defects import Mutation, first
from benchmarks.mutations.rows import framed, sound_row
from lakehouse.storage import Lake

_ANY = pl.lit(value=True)


def _of_nothing(rows: pl.DataFrame, _lake: Lake, day: dt.date) -> pl.DataFrame:
    """A refund that names no payment; of no money, so that the revenue stays as it is."""
    made = sound_row("gold", "refunds", day) | {"is_covered": False, "amount": Decimal(0)}
    return pl.concat([rows, framed("gold", "refunds", [made])])


def _named_by_mail(rows: pl.DataFrame, _lake: Lake, _day: dt.date) -> pl.DataFrame:
    named = pl.element().struct.with_fields(product_name=pl.lit("ann@example.com"))
    return rows.with_columns(pl.col("top_products").list.eval(named))


SHOP = [
    Mutation(
        "The client reports a purchase a dollar dearer than was paid",
        "silver",
        "shop_actions",
        first(
            (pl.col("action") == "purchase") & pl.col("order_id").is_not_null(),
            amount=pl.col("amount") + 1,
        ),
        ("silver/shop_orders:purchases_are_paid",),
    ),
    Mutation(
        "The product of the day is somebody's e-mail address",
        "gold",
        "kpi",
        first(_ANY, top_product=pl.lit("ann@example.com")),
        ("gold/kpi:no_personal_data",),
    ),
    Mutation(
        "A product of a window is somebody's e-mail address",
        "gold",
        "sales_windows",
        _named_by_mail,
        ("gold/sales_windows:no_personal_data",),
    ),
    Mutation(
        "A refund names no payment",
        "gold",
        "refunds",
        _of_nothing,
        ("gold/refunds:refunds_are_of_a_payment",),
    ),
    Mutation(
        "The day's summary has a dollar of revenue that nobody paid",
        "gold",
        "daily_sales_summary",
        first(_ANY, total_revenue=pl.col("total_revenue") + 1),
        ("gold/refunds:shop_revenue_is_in_every_mart",),
    ),
]
