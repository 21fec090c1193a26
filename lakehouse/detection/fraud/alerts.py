"""Alerts of fraud: the transactions that a profile has a level for, with words and evidence."""

from __future__ import annotations

import polars as pl

from lakehouse.contracts.shop.fraud import MOST_EVIDENCE
from lakehouse.detection.fraud.measures import DAY, HOUR, REACH, measured, remembered
from lakehouse.detection.fraud.rules import RULES, column, dollars, judged
from lakehouse.texts import formatted

CONTEXT = (
    "tried_before", "tried_5s", "tried_60s", "tried_hour", "cents_60s", "cents_hour",
    "small_hour", "failed_hour", "gift_cents_day", "refunds", "refunded_cents", "paid_cents",
    "deviation", "km", "kmh", "is_new_device", "is_new_network",
)  # fmt: skip
"""Measures that an alert tells."""
ONE = ("transaction_id", "gaming_day")
"""What tells a payment: an id that comes again on another gaming day is of another."""
_RULE = pl.Struct({"rule": pl.String, "score": pl.Float64})


def alert_id(profile: str) -> pl.Expr:
    """Of a payment, by a profile: gaming days have no id in common, as those of anomalies."""
    return formatted("{}-{}-{}", pl.lit(profile), "gaming_day", "transaction_id")


def fraud_of(
    orders: pl.DataFrame, state: pl.DataFrame, profile: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Alerts of a batch of orders by a profile, and what is remembered after it: the way of a
    stream. `orders` and `state` are those of `measured`."""
    measures, after = measured(orders, state)
    return alerted(
        judged(measures, profile), pl.concat([state, remembered(orders)]), profile
    ), after


def alerted(rows: pl.DataFrame, known: pl.DataFrame, profile: str) -> pl.DataFrame:
    """Alerts in the shape of `fraud_alerts`, but for the learned score, by transaction. `rows`:
    what `judged` gives; `known`: what is remembered of their users, with the orders themselves."""
    found = rows.filter(pl.col("level").is_not_null())
    context = pl.struct(CONTEXT).struct.json_encode()
    told = found.select(
        *ONE,
        "user_id",
        alert_id=alert_id(profile),
        amount=dollars("cents"),
        fraud_score="score",
        alert_level="level",
        alert_timestamp="timestamp",
        additional_context=context,
        profile=pl.lit(profile),
    )
    return (
        told.join(_reasons(found), on=ONE, how="left")
        .join(_evidence(found, known), on=ONE, how="left")
        .sort(ONE)
    )


def _reasons(found: pl.DataFrame) -> pl.DataFrame:
    """`fraud_reason` and `rules`, the strongest first."""
    fired = [
        found.filter(pl.col(column(r.name)) > 0).select(
            *ONE,
            place=pl.lit(place),
            said=r.said,
            rule=pl.struct(rule=pl.lit(r.name), score=column(r.name)).cast(_RULE),
        )
        for place, r in enumerate(RULES)
    ]
    strength = pl.col("rule").struct.field("score")
    return (
        pl.concat(fired)
        .sort(*ONE, -strength, "place")
        .group_by(ONE)
        .agg(fraud_reason=pl.col("said").str.join("; "), rules="rule")
    )


def _evidence(found: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The transaction, its user's others of the hour before, the one at the place before, gift
    cards of the day and refunds, as far as the rules that fired rest on them."""
    columns = ("transaction_id", "user_id", "timestamp", "gaming_day", "is_gift", "is_tried")
    asked = found.select(
        *columns[:4],
        "was_at",
        "was_on",
        travels=pl.col(column("impossible_travel")) > 0,
        hurries=pl.max_horizontal(
            *(column(r) for r in ("rapid", "velocity", "spree", "card_testing"))
        )
        > 0,
        drains=pl.col(column("gift_card_drain")) > 0,
        returns=pl.col(column("refund_abuse")) > 0,
    )
    others = (
        known.lazy()
        .select(columns)
        .join(asked.lazy().select("user_id").unique(), on="user_id", how="semi")
    )
    before = (pl.col("timestamp") - pl.col("timestamp_it")).dt.total_microseconds()
    # At one moment the transactions have an order too: none tells of one that is yet to come.
    has_come = (before > 0) | (pl.col("transaction_id_it") <= pl.col("transaction_id"))
    is_there = (pl.col("transaction_id_it") == pl.col("was_at")) & (
        pl.col("gaming_day_it") == pl.col("was_on")
    )
    rests = (
        pl.all_horizontal(pl.col(n) == pl.col(f"{n}_it") for n in ONE)
        | (pl.col("travels") & is_there)
        | (pl.col("hurries") & pl.col("is_tried") & before.is_between(0, HOUR))
        | (pl.col("drains") & pl.col("is_gift") & before.is_between(0, DAY))
        | (pl.col("returns") & ~pl.col("is_tried") & (before >= 0))
    )
    days = (pl.col("gaming_day") - pl.col("gaming_day_it")).dt.total_days()
    record = pl.struct(
        table_name=pl.lit("shop_orders"),
        record_id="transaction_id_it",
        gaming_day="gaming_day_it",
    )
    return (
        asked.lazy()
        .join(others, on="user_id", suffix="_it")
        .filter(rests & has_come & days.is_between(0, REACH))
        .sort("timestamp_it", "transaction_id_it")
        .group_by(ONE)
        .agg(evidence=record.tail(MOST_EVIDENCE))
        .collect()
    )
