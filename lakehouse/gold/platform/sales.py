"""What was sold in the game, and by which purchases fraud is suspected."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.marts import mart, silver
from lakehouse.gold.money import within
from lakehouse.gold.shape import shaped
from lakehouse.regulation.gaming_day import Days

WITHIN = pl.duration(minutes=10)
OFTEN, OFTEN_SHARED = 6, 3
"""Purchases of an account within that time that are suspicious; and from an address that others
buy from."""
SHARED_DAYS = 7
"""Days in which others bought from the address."""
_KEY = ("item_id", "gaming_day")
_TYPE = ("item_type", "gaming_day")
_BY = ("gaming_day", "player_id")


@mart(silver("purchases", back=SHARED_DAYS - 1))
def item_sales(purchases: pl.LazyFrame, *, days: Days) -> pl.LazyFrame:
    """Mart `item_sales` of `days`."""
    bought = _judged(purchases, days).collect().lazy()
    sold = bought.group_by(_KEY).agg(
        item_type=pl.col("item_type").drop_nulls().mode().sort().first(),
        purchases=pl.len(),
        revenue=pl.col("price").sum(),
        buyers=pl.col("player_id").n_unique(),
        suspicious_purchases=pl.col("is_suspicious").sum(),
    )
    found = sold.with_columns(
        type_purchases=pl.col("purchases").sum().over(_TYPE),
        type_revenue=pl.col("revenue").sum().over(_TYPE),
    ).join(_flags(bought), on=_KEY, how="left")
    return shaped(found.with_columns(pl.col("fraud_flags").fill_null([])), "item_sales")


def _flags(bought: pl.LazyFrame) -> pl.LazyFrame:
    flag = pl.struct("player_id", "ip_address", "suspicious_purchase_count")
    return (
        bought.filter("is_suspicious")
        .group_by(*_KEY, "player_id", "ip_address")
        .agg(suspicious_purchase_count=pl.len().cast(pl.Int64))
        .sort(
            "suspicious_purchase_count", "player_id", "ip_address", descending=[True, False, False]
        )
        .group_by(_KEY, maintain_order=True)
        .agg(fraud_flags=flag)
    )


def _judged(purchases: pl.LazyFrame, days: Days) -> pl.LazyFrame:
    """Purchases of `days`, each with whether it is suspicious."""
    from_there = (*_BY, "ip_address")
    rows = (
        within(purchases, days)
        .join(_shared(purchases), on=["gaming_day", "ip_address"], how="left")
        .sort(*_BY, "purchase_timestamp", "transaction_id")
    )
    in_a_burst = _one_of(OFTEN, _BY)
    with_others = _one_of(OFTEN_SHARED, from_there) & pl.col("is_shared").fill_null(value=False)
    return rows.with_columns(is_suspicious=in_a_burst | with_others)


def _one_of(count: int, by: tuple[str, ...]) -> pl.Expr:
    """Whether a row is one of so many of its group within the time; rows in order of time."""
    moment = pl.col("purchase_timestamp")
    begins = ((moment.shift(1 - count) - moment) <= WITHIN).fill_null(value=False)
    return pl.any_horizontal(begins.shift(k, fill_value=False).over(by) for k in range(count))


def _shared(purchases: pl.LazyFrame) -> pl.LazyFrame:
    """Gaming day and address of those that several accounts bought from in the days until it."""
    used = purchases.select("gaming_day", "ip_address", "player_id").drop_nulls().unique()
    later = [
        used.with_columns(pl.col("gaming_day").dt.offset_by(f"{n}d")) for n in range(SHARED_DAYS)
    ]
    return (
        pl.concat(later)
        .group_by("gaming_day", "ip_address")
        .agg(is_shared=pl.col("player_id").n_unique() > 1)
        .filter("is_shared")
    )
