"""How visitors of the shop came to buy."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.contracts.shop.sales import ALL
from lakehouse.gold.marts import mart, silver
from lakehouse.gold.money import as_table, within
from lakehouse.regulation.gaming_day import Days
from lakehouse.silver.sessions import sessions

USER = ("user_id", "gaming_day")
STEPS = {"view_product": 1, "add_to_cart": 2, "checkout_start": 3, "purchase": 4}
NAMES = ("viewed", "carted", "checked_out", "bought")
_SESSION = [*USER, "session"]


@mart(silver("shop_actions"), days_in_hand=31)
def funnel(shop_actions: pl.LazyFrame, *, days: Days, session_silence_minutes: int) -> pl.LazyFrame:
    """Mart `funnel` of `days`, from silver."""
    silence = dt.timedelta(minutes=session_silence_minutes)
    return as_table(steps(within(shop_actions, days), silence), "funnel")


def steps(actions: pl.LazyFrame, silence: dt.timedelta) -> pl.LazyFrame:
    """Sessions and visitors by category, `ALL` of them and gaming day that reached each step."""
    rows = sessions(actions, USER, "timestamp", silence, "session_id")
    taken = rows.with_columns(
        step=pl.col("action").replace_strict(STEPS, default=None, return_dtype=pl.Int64)
    ).filter(pl.col("step").is_not_null())
    deepest = taken.group_by(_SESSION).agg(deepest=pl.col("step").max())
    own = taken.filter(pl.col("category").is_not_null()).group_by(*_SESSION, "category")
    in_cart = pl.col("step") >= STEPS["add_to_cart"]
    by_category = (
        own.agg(pl.col("step").max())
        .join(deepest, on=_SESSION)
        .with_columns(step=pl.when(in_cart).then(pl.max_horizontal("step", "deepest")).otherwise(1))
    )
    whole = deepest.select(*_SESSION, category=pl.lit(ALL), step="deepest")
    return _counted(pl.concat([by_category.select(*_SESSION, "category", "step"), whole]))


def _counted(reached: pl.LazyFrame) -> pl.LazyFrame:
    counts = {}
    for k, name in enumerate(NAMES, 1):
        at_least = pl.col("step") >= k
        counts[f"sessions_{name}"] = at_least.sum().cast(pl.Int64)
        counts[f"visitors_{name}"] = pl.col("user_id").filter(at_least).n_unique()
    rate = (pl.col("sessions_bought") / pl.col("sessions_viewed")).round(6)
    return (
        reached.group_by("gaming_day", product_category="category")
        .agg(**counts)
        .with_columns(conversion_rate=rate)
    )
