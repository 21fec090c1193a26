"""What the office filed, as of a moment: records with their amendments followed."""

from __future__ import annotations

import datetime as dt

import polars as pl

FORMS = {"CTR": "CTR", "W2G": "W-2G"}
"""SARs are left out on purpose: nothing of them stands in gold."""
LONGEST_CHAIN = 10


def filed(compliance: pl.LazyFrame, as_of: dt.datetime) -> pl.DataFrame:
    """One row per filing, with the content of its last amendment: form, player_id,
    subject_day, amount, cash_in and cash_out in whole dollars (null for nothing), report_id
    (the record that counts), amended_report_id (the first record, where amended) and filed_on
    (of the first record). Drafts, reviews and rejected records are no filings."""
    moment = pl.lit(as_of.astimezone(dt.UTC)).cast(pl.Datetime("us", "UTC"))
    records = (
        compliance.filter(
            pl.col("report_type").is_in(list(FORMS))
            & pl.col("status").is_in(["Filed", "Amended"])
            & (pl.col("report_timestamp") <= moment)
        )
        .with_columns(
            pl.col("report_type").replace_strict(FORMS, return_dtype=pl.String).alias("form"),
            pl.col("transaction_date").alias("subject_day"),
            _whole("cash_in_amount").alias("cash_in"),
            _whole("cash_out_amount").alias("cash_out"),
            pl.coalesce("jackpot_amount", "transaction_amount").alias("_winnings"),
        )
        .collect()
    )
    return _amendments_followed(_with_first(records)).with_columns(
        pl.when(pl.col("form") == "CTR")
        .then(
            (pl.col("cash_in").fill_null(0) + pl.col("cash_out").fill_null(0)).cast(
                pl.Decimal(18, 2)
            )
        )
        .otherwise("_winnings")
        .alias("amount")
    )


def _whole(column: str) -> pl.Expr:
    dollars = ((pl.col(column) * 100).cast(pl.Int64) + 99) // 100
    return pl.when(dollars > 0).then(dollars)


def _with_first(records: pl.DataFrame) -> pl.DataFrame:
    """Adds `_first`, the record at the head of each chain of amendments."""
    before = records.select(_known="report_id", _before="amended_from")
    found = records.with_columns(pl.coalesce("amended_from", "report_id").alias("_first"))
    for _ in range(LONGEST_CHAIN):
        found = (
            found.join(before, left_on="_first", right_on="_known", how="left")
            .with_columns(pl.coalesce("_before", "_first").alias("_first"))
            .drop("_before")
        )
    return found


def _amendments_followed(records: pl.DataFrame) -> pl.DataFrame:
    content = ["form", "player_id", "subject_day", "cash_in", "cash_out", "_winnings", "report_id"]
    first = pl.col("_first").first()
    return (
        records.sort("report_timestamp", "report_id")
        .group_by("_first", maintain_order=True)
        .agg(
            pl.col(content).last(),
            pl.coalesce("filing_date", pl.col("report_timestamp").dt.date())
            .first()
            .alias("filed_on"),
            pl.when(pl.len() > 1).then(first).alias("amended_report_id"),
        )
        .drop("_first")
    )
