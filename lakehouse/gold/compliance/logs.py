"""Logs beside the reports: instruments, the house's log of currency, Form 8300, retention."""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from lakehouse.gold.compliance.ctr_filings import WINS_AROUND
from lakehouse.gold.marts import mart, silver
from lakehouse.gold.money import within
from lakehouse.gold.shape import shaped
from lakehouse.regulation.currency import currency_ledger
from lakehouse.regulation.gaming_day import Days
from lakehouse.regulation.law import Law
from lakehouse.regulation.logs import instruments, non_gaming_currency, over_house_limit
from lakehouse.regulation.retention import retain_until


@mart(silver("financial_txn"))
def instrument_log(financial_txn: pl.LazyFrame, *, days: Days, law: Law) -> pl.LazyFrame:
    """Mart `instrument_log` of `days`, from silver."""
    return shaped(instruments(within(financial_txn, days), law), "instrument_log")


@mart(silver("financial_txn"), silver("gaming_wins", around=WINS_AROUND))
def multiple_transaction_log(
    financial_txn: pl.LazyFrame,
    gaming_wins: pl.LazyFrame,
    *,
    days: Days,
    multiple_transaction_log_over: str | None,
) -> pl.LazyFrame:
    """Mart `multiple_transaction_log` of `days`, from silver; empty where the house has no
    limit (dollars, strict)."""
    limit = multiple_transaction_log_over
    over = None if limit is None else Decimal(limit)
    rows = within(financial_txn, days)
    logged = over_house_limit(currency_ledger(rows, gaming_wins), over)
    key = ["transaction_id", "gaming_day"]
    return shaped(rows.join(logged, on=key, how="semi"), "multiple_transaction_log")


@mart(silver("financial_txn"))
def form_8300_notices(financial_txn: pl.LazyFrame, *, days: Days, law: Law) -> pl.LazyFrame:
    """Mart `form_8300_notices` of `days`, from silver."""
    return shaped(non_gaming_currency(within(financial_txn, days), law), "form_8300_notices")


@mart(silver("compliance"))
def filing_retention(compliance: pl.LazyFrame, *, days: Days, law: Law) -> pl.LazyFrame:
    """Mart `filing_retention` of `days`, from silver: records filed, without a word of SARs."""
    return shaped(_kept(compliance, days, law), "filing_retention")


@mart(silver("sar_filings"))
def sar_retention(sar_filings: pl.LazyFrame, *, days: Days, law: Law) -> pl.LazyFrame:
    """Restricted table `sar_retention` of `days`, from silver."""
    return shaped(_kept(sar_filings, days, law), "sar_retention")


def _kept(records: pl.LazyFrame, days: Days, law: Law) -> pl.LazyFrame:
    filed = pl.col("status").is_in(["Filed", "Amended"]) & pl.col("filing_date").is_not_null()
    kept = within(records, days).filter(filed)
    return retain_until(
        kept.with_columns(
            pl.col("report_id").alias("record_id"),
            pl.col("report_type").alias("record_type"),
            pl.col("filing_date").alias("filed_on"),
        ),
        law,
    )
