"""What had to be filed, in one shape for all forms, out of the marts of the law."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from lakehouse.gold.money import cents, within
from lakehouse.regulation.gaming_day import Days
from lakehouse.regulation.law import Law
from lakehouse.regulation.terms import (
    currency_term,
    form_1042s_term,
    longest_term,
    non_gaming_term,
    w2g_efile_term,
    w2g_term,
)

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


OVERDUE_DAYS = 60
"""Days past its due date for which an unfiled obligation is followed."""


def following(law: Law) -> int:
    """Gaming days after a day for which any of its obligations is followed."""
    return longest_term(law) + OVERDUE_DAYS


def followed(law: Law, table: str) -> int:
    """Gaming days after a day for which what a mart of `Required` owes of it is followed."""
    return TERMS[table](law) + OVERDUE_DAYS


@dataclass(frozen=True)
class Required:
    """The marts of what the law requires."""

    ctr_filings: pl.LazyFrame
    filing_exceptions: pl.LazyFrame
    w2g_forms: pl.LazyFrame
    form_1042s: pl.LazyFrame
    form_8300_notices: pl.LazyFrame


TERMS: dict[str, Callable[[Law], int]] = {
    "ctr_filings": currency_term,
    "filing_exceptions": w2g_efile_term,
    "w2g_forms": w2g_term,
    "form_1042s": form_1042s_term,
    "form_8300_notices": non_gaming_term,
}
"""Mart → the longest that the law leaves for what it holds."""
PAID = ("filing_exceptions", "w2g_forms", "form_1042s")
"""Marts with obligations about a calendar day of payment and not a gaming day."""


def obligations(required: Required, days: Days) -> pl.LazyFrame:
    """All that had to be filed of `days`, what a missing identity holds back among it. The
    amount of a currency report is the sum of its reportable sides, in whole dollars; a tax
    form is due when the winner's copy is."""
    parts = [
        _currency(within(required.ctr_filings, days)),
        _held_back(within(required.filing_exceptions, days)),
        _tax(within(required.w2g_forms, days), "W-2G", "reportable_winnings"),
        _tax(within(required.form_1042s, days), "1042-S", "amount"),
        _non_gaming(within(required.form_8300_notices, days)),
    ]
    return pl.concat([p.select(pl.col(c).cast(t) for c, t in OBLIGATION.items()) for p in parts])


def _currency(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.with_columns(
        obligation_id="filing_id",
        form=pl.lit("CTR"),
        subject_day="gaming_day",
        amount=_sides(),
        is_held_back=pl.lit(value=False),
    )


def _held_back(rows: pl.LazyFrame) -> pl.LazyFrame:
    whole = {s: (cents(f"cash_{s}_exact") + 99) // 100 for s in ("in", "out")}
    is_currency = pl.col("form") == "CTR"
    return rows.with_columns(cash_in=whole["in"], cash_out=whole["out"]).with_columns(
        obligation_id="exception_id",
        amount=pl.when(is_currency).then(_sides()).otherwise("amount"),
        is_held_back=pl.lit(value=True),
    )


def _sides() -> pl.Expr:
    both = pl.col("cash_in").fill_null(0) + pl.col("cash_out").fill_null(0)
    return both.cast(pl.Decimal(18, 2))


def _tax(rows: pl.LazyFrame, form: str, amount: str) -> pl.LazyFrame:
    return rows.with_columns(
        obligation_id=pl.concat_str(pl.lit(f"{form}-"), "win_id"),
        form=pl.lit(form),
        subject_day="paid_on",
        amount=amount,
        cash_in=pl.lit(None),
        cash_out=pl.lit(None),
        due="winner_copy_due",
        is_held_back=pl.lit(value=False),
    )


def _non_gaming(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.with_columns(
        obligation_id="notice_id",
        form=pl.lit("8300"),
        subject_day="gaming_day",
        cash_in=pl.lit(None),
        cash_out=pl.lit(None),
        is_held_back=pl.col("player_id").is_null(),
    )
