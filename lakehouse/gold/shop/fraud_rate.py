"""What share of payments an alert of the profile in force is of."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from lakehouse.contracts.shop.fraud import IN_FORCE

FRAUD_RATE = (
    pl.when(pl.col("payments") > 0)
    .then((pl.col("alerted").fill_null(0) / pl.col("payments")).round(6))
    .alias("fraud_rate")
)
"""Of `alerted` and `payments`."""


def in_force(fraud_alerts: pl.LazyFrame) -> pl.LazyFrame:
    """Mart `fraud_alerts`, of the profile that counts: a row a payment."""
    return fraud_alerts.filter(pl.col("profile") == IN_FORCE)


def alerted(alerts: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """How many payments are alerted of, by the columns `by`."""
    return alerts.group_by(by).agg(alerted=pl.len().cast(pl.Int64))
