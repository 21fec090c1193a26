"""Records kept beside the reports: instruments, the house's log of currency, Form 8300."""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from lakehouse.regulation.law import MONEY, Law

INSTRUMENT_TYPES = ("CHECK_CASHING", "CHECK_PURCHASE", "INSTRUMENT_SALE")
"""Transactions in an instrument whatever pays for it."""


def instruments(financial_txn: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    """Rows of `financial_txn` by cheque or the like at or over the amount, of either hand, the
    casino's own cheques included; markers are left out (31 CFR 1021.410(b)(9))."""
    instrument = (pl.col("payment_method") == "Check") | (
        pl.col("transaction_type").is_in(INSTRUMENT_TYPES)
    )
    marker = (pl.col("transaction_type") == "MARKER_ISSUE") | (pl.col("payment_method") == "Marker")
    over = law.over("instrument_log", pl.col("amount"), pl.col("gaming_day"))
    return financial_txn.filter(instrument & ~marker & over)


def over_house_limit(ledger: pl.LazyFrame, limit: Decimal | None) -> pl.LazyFrame:
    """transaction_id and gaming_day of each row of the currency ledger over the house's limit; none
    without a limit. A policy of the house: no federal rule asks for it."""
    over = pl.lit(value=False) if limit is None else pl.col("amount") > pl.lit(limit, dtype=MONEY)
    return ledger.filter(over).select("transaction_id", "gaming_day").unique()


def non_gaming_currency(financial_txn: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    """One row per payer and gaming day over the threshold, per transaction where nobody is
    known (31 CFR 1021.330(c)): gaming_day, player_id, amount, transaction_ids, due,
    customer_notice_due, citation."""
    day = pl.col("gaming_day")
    paid = financial_txn.filter(
        (pl.col("transaction_type") == "NON_GAMING_PAYMENT") & (pl.col("payment_method") == "Cash")
    ).with_columns(pl.coalesce("on_behalf_of_player_id", "player_id").alias("player_id"))
    alone = pl.when(pl.col("player_id").is_null()).then("transaction_id").alias("_alone")
    return (
        paid.group_by("gaming_day", "player_id", alone)
        .agg(
            pl.col("amount").sum().cast(MONEY),
            pl.col("transaction_id").sort().alias("transaction_ids"),
        )
        .filter(law.over("form_8300", pl.col("amount"), day))
        .with_columns(
            day.dt.offset_by(law.dated("form_8300", lambda p: f"{p.due_days}d", day)).alias("due"),
            pl.date(day.dt.year() + 1, 1, 31).alias("customer_notice_due"),
            law.dated("form_8300", lambda p: p.citation, day).alias("citation"),
            pl.concat_str(
                pl.lit("8300-"), day, pl.lit("-"), pl.coalesce("player_id", "_alone")
            ).alias("notice_id"),
        )
        .drop("_alone")
    )
