"""Threshold avoidance, as staff saw it: questions about the limit, amounts cut to stay below."""

from __future__ import annotations

import polars as pl

from lakehouse.regulation.law import Law
from lakehouse.regulation.suspicion.hits import HIT, cents
from lakehouse.texts import formatted

ASKED, BELOW_RECORD, BELOW_REPORT = "106", "111", "112"
CASE = ["case_key", "subtypes"]
ONE = ["case_key", "paid_day"]
"""What a case is about. Transactions of two gaming days may have one number."""


def threshold_avoidance(
    staff_observations: pl.LazyFrame, financial_txn: pl.LazyFrame, law: Law
) -> pl.LazyFrame:
    """Evidence of one case per transaction observed (per person and day, or per observation,
    where no transaction is named): the shape HIT with case_key and subtypes. A refusal to
    show identification, an agent or an unknown person alone opens none."""
    seen = _with_transaction(staff_observations, financial_txn)
    coded = seen.with_columns(_code(law).alias("code"))
    opened = coded.filter(pl.col("code").is_not_null())
    cases = opened.group_by(ONE).agg(
        pl.col("code").unique().sort().alias("subtypes"),
        pl.col("observed_at").min().alias("completed_at"),
        pl.col("gaming_day").min().alias("hit_day"),
        (0.3 + 0.3 * pl.col("code").n_unique()).alias("score"),
    )
    who = seen.group_by(ONE).agg(
        pl.coalesce(
            pl.col("player_id").drop_nulls().first(), pl.col("_payer").drop_nulls().first()
        ).alias("player_id")
    )
    cases = cases.join(who, on=ONE, nulls_equal=True).with_columns(
        pl.lit("threshold_avoidance").alias("typology"), pl.col("score").alias("strength")
    )
    return pl.concat([_observed(cases, seen), _transacted(cases, seen, financial_txn)])


def _with_transaction(observations: pl.LazyFrame, financial_txn: pl.LazyFrame) -> pl.LazyFrame:
    """With the transaction that each names: of those that have its number the one of the nearest
    gaming day, the earlier of two."""
    paid = financial_txn.select(
        "transaction_id", paid_day="gaming_day", _payer="player_id", _paid="amount"
    )
    apart = (pl.col("paid_day") - pl.col("gaming_day")).dt.total_days().abs()
    person = formatted("{}-{}", "player_id", "gaming_day")
    return (
        observations.join(paid, on="transaction_id", how="left")
        .sort(apart, "paid_day", maintain_order=True)
        .unique(["gaming_day", "observation_id"], keep="first", maintain_order=True)
        .with_columns(pl.coalesce("transaction_id", person, "observation_id").alias("case_key"))
    )


def _code(law: Law) -> pl.Expr:
    day, before = pl.col("gaming_day"), pl.col("amount_before")
    after = pl.coalesce("amount_after", "_paid", pl.lit(0, pl.Decimal(18, 2)))

    def cut(rule: str) -> pl.Expr:
        return law.over(rule, before, day) & ~law.over(rule, after, day)

    reduced = (
        pl.when(before.is_null() | cut("ctr"))
        .then(pl.lit(BELOW_REPORT))
        .when(cut("instrument_log"))
        .then(pl.lit(BELOW_RECORD))
    )
    return (
        pl.when(pl.col("kind") == "THRESHOLD_ENQUIRY")
        .then(pl.lit(ASKED))
        .when(pl.col("kind") == "TRANSACTION_REDUCED")
        .then(reduced)
    )


def _observed(cases: pl.LazyFrame, seen: pl.LazyFrame) -> pl.LazyFrame:
    rows = seen.select(
        *ONE,
        pl.lit("staff_observations").alias("source"),
        pl.col("observation_id").alias("record_id"),
        pl.lit("attempted").alias("side"),
        pl.col("gaming_day").alias("record_day"),
        pl.col("observed_at").alias("at"),
        cents("amount_before"),
        pl.when(pl.col("text").is_not_null())
        .then(formatted("{}: {}", "kind", "text"))
        .otherwise("kind")
        .alias("what"),
        pl.lit(None, pl.String).alias("place"),
    )
    return _shaped(cases, rows)


def _transacted(
    cases: pl.LazyFrame, seen: pl.LazyFrame, financial_txn: pl.LazyFrame
) -> pl.LazyFrame:
    keys = seen.select(*ONE, "transaction_id", gaming_day="paid_day").unique().drop_nulls()
    rows = financial_txn.join(keys, on=["transaction_id", "gaming_day"]).select(
        *ONE,
        pl.lit("financial_txn").alias("source"),
        pl.col("transaction_id").alias("record_id"),
        pl.lit("in").alias("side"),
        pl.col("gaming_day").alias("record_day"),
        pl.col("transaction_timestamp").alias("at"),
        cents("amount"),
        pl.col("transaction_type").alias("what"),
        pl.col("cage_location").alias("place"),
    )
    return _shaped(cases, rows)


def _shaped(cases: pl.LazyFrame, rows: pl.LazyFrame) -> pl.LazyFrame:
    joined = cases.join(rows, on=ONE, nulls_equal=True).with_columns(
        pl.col("player_id").alias("owner")
    )
    return joined.select(*CASE, *(pl.col(c).cast(t) for c, t in HIT.items()))
