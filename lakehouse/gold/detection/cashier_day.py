"""Transactions by cashier: the partial that cashiers are held against their peers from."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.marts import mart, silver
from lakehouse.gold.money import as_table, cents, within
from lakehouse.regulation.games import house_rate
from lakehouse.regulation.gaming_day import Days

_KEY = ("cashier_id", "gaming_day")


@mart(silver("financial_txn"))
def cashier_day(financial_txn: pl.LazyFrame, *, days: Days) -> pl.LazyFrame:
    """Mart `cashier_day` of `days`."""
    amount, approver = pl.col("amount"), pl.col("supervisor_id")
    rows = within(financial_txn, days).with_columns(
        amount=cents("amount"),
        is_small=cents("amount") * 100 <= house_rate("approval"),
        is_void=pl.col("notes").str.to_lowercase().str.contains("void", literal=True),
    )
    override, void = pl.col("is_small") & approver.is_not_null(), pl.col("is_void")
    found = rows.group_by(_KEY).agg(
        transactions=pl.len(),
        amount=amount.sum(),
        small=pl.col("is_small").sum(),
        overrides=override.sum(),
        overridden=amount.filter(override).sum(),
        voids=void.sum(),
        voided=amount.filter(void).sum(),
        main_approver_id=approver.filter(override).mode().sort().first(),
    )
    return as_table(found, "cashier_day")
