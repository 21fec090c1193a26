"""What had to be filed, in one shape for all forms, out of the marts of the law."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.money import Days, within

OBLIGATION = pl.Schema(
    {
        "obligation_id": pl.String(),
        "gaming_day": pl.Date(),
        "form": pl.String(),
        "player_id": pl.String(),
        "subject_day": pl.Date(),
        "amount": pl.Decimal(18, 2),
        "cash_in": pl.Int64(),
        "cash_out": pl.Int64(),
        "due": pl.Date(),
        "is_held_back": pl.Boolean(),
        "transaction_ids": pl.List(pl.String()),
    }
)


def obligations(
    ctr_filings: pl.LazyFrame, filing_exceptions: pl.LazyFrame, w2g_forms: pl.LazyFrame, days: Days
) -> pl.LazyFrame:
    """Currency reports and W-2G of `days`, those held back for want of an identity among
    them. The amount of a currency report is the sum of its reportable sides, in whole
    dollars; a W-2G is due when the winner's copy is."""
    held = within(filing_exceptions, days).filter(pl.col("form") == "CTR")
    whole = [
        ((pl.col(f"cash_{s}_exact") * 100).cast(pl.Int64).add(99) // 100).alias(f"cash_{s}")
        for s in ("in", "out")
    ]
    parts = [
        _currency(within(ctr_filings, days), "filing_id", held=False),
        _currency(held.with_columns(whole), "exception_id", held=True),
        _w2g(within(w2g_forms, days)),
    ]
    return pl.concat([p.select(pl.col(c).cast(t) for c, t in OBLIGATION.items()) for p in parts])


def _currency(rows: pl.LazyFrame, key: str, *, held: bool) -> pl.LazyFrame:
    sides = pl.col("cash_in").fill_null(0) + pl.col("cash_out").fill_null(0)
    return rows.with_columns(
        pl.col(key).alias("obligation_id"),
        pl.lit("CTR").alias("form"),
        pl.col("gaming_day").alias("subject_day"),
        sides.cast(pl.Decimal(18, 2)).alias("amount"),
        pl.lit(held).alias("is_held_back"),
    )


def _w2g(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.with_columns(
        pl.concat_str(pl.lit("W-2G-"), "win_id").alias("obligation_id"),
        pl.lit("W-2G").alias("form"),
        pl.col("paid_on").alias("subject_day"),
        pl.col("reportable_winnings").alias("amount"),
        pl.lit(None, pl.Int64).alias("cash_in"),
        pl.lit(None, pl.Int64).alias("cash_out"),
        pl.col("winner_copy_due").alias("due"),
        pl.lit(value=False).alias("is_held_back"),
    )
