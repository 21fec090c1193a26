"""What the office filed: records with their amendments followed, at any moment."""

from __future__ import annotations

import datetime as dt

import polars as pl

FORMS = {"CTR": "CTR", "W2G": "W-2G", "1042S": "1042-S", "8300": "8300"}
"""Forms as gold spells them. SARs are in a table of their own: nothing of them is in gold."""
LONGEST_CHAIN = 10


def filed(compliance: pl.LazyFrame, as_of: dt.datetime) -> pl.DataFrame:
    """One row per filing as it stood at a moment (columns as in `filing_states`)."""
    moment = pl.lit(as_of.astimezone(dt.UTC)).cast(pl.Datetime("us", "UTC"))
    ended = (pl.col("known_until") <= moment).fill_null(value=False)
    return filing_states(compliance).filter((pl.col("known_from") <= moment) & ~ended)


def filing_states(compliance: pl.LazyFrame) -> pl.DataFrame:
    """One row per record that was filed: what its filing said from `known_from` until
    `known_until`, when an amendment followed (null: still). Columns: form, player_id,
    subject_day, amount, cash_in and cash_out in whole dollars (null for nothing), report_id
    (the record that counts), amended_report_id (the first record, where amended) and filed_on
    (of the first record). Drafts, reviews and rejected records are no filings."""
    kinds = pl.col("report_type").is_in(list(FORMS))
    records = (
        compliance.filter(kinds & pl.col("status").is_in(["Filed", "Amended"]))
        .select(
            "player_id",
            "report_id",
            "amended_from",
            form=pl.col("report_type").replace_strict(FORMS, return_dtype=pl.String),
            subject_day="transaction_date",
            cash_in=_whole("cash_in_amount"),
            cash_out=_whole("cash_out_amount"),
            winnings=pl.coalesce("jackpot_amount", "transaction_amount"),
            known_from="report_timestamp",
            filed_on=pl.coalesce("filing_date", pl.col("report_timestamp").dt.date()),
        )
        .collect()
    )
    sides = pl.col("cash_in").fill_null(0) + pl.col("cash_out").fill_null(0)
    currency = sides.cast(pl.Decimal(18, 2))
    first = pl.col("first")
    return (
        _with_first(records)
        .sort("known_from", "report_id")
        .with_columns(
            pl.col("filed_on").first().over("first"),
            known_until=pl.col("known_from").shift(-1).over("first"),
            amended_report_id=pl.when(first.cum_count().over("first") > 1).then("first"),
            amount=pl.when(pl.col("form") == "CTR").then(currency).otherwise("winnings"),
        )
        .drop("first", "amended_from", "winnings")
    )


def _whole(column: str) -> pl.Expr:
    dollars = ((pl.col(column) * 100).cast(pl.Int64) + 99) // 100
    return pl.when((pl.col("report_type") == "CTR") & (dollars > 0)).then(dollars)


def _with_first(records: pl.DataFrame) -> pl.DataFrame:
    """Adds `first`, the record at the head of each chain of amendments."""
    before = records.select("amended_from", first="report_id").drop_nulls()
    found = records.with_columns(first=pl.coalesce("amended_from", "report_id"))
    for _ in range(LONGEST_CHAIN if before.height else 0):
        found = (
            found.join(before, on="first", how="left", suffix="_next")
            .with_columns(first=pl.coalesce("amended_from_next", "first"))
            .drop("amended_from_next")
        )
    return found
