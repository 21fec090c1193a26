"""Currency transaction reports, and those held back for want of an identity."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.gold.marts import lookup, mart, silver
from lakehouse.gold.money import within
from lakehouse.gold.shape import shaped
from lakehouse.regulation.ctr import reports, unknown_over
from lakehouse.regulation.currency import currency_ledger
from lakehouse.regulation.gaming_day import Days, gaming_day_of
from lakehouse.regulation.law import Law
from lakehouse.regulation.terms import currency_term
from lakehouse.texts import formatted

WINS_AROUND = 1
"""A win may be booked a gaming day from its payout."""
CURRENCY = (
    silver("financial_txn"),
    silver("gaming_wins", around=WINS_AROUND),
    silver("slot_telemetry", only_if="carded_bill_in_knowledge"),
    lookup("player_profile"),
)
"""What currency reports are made from. An identity counts that is verified by the due day."""


@mart(*CURRENCY, settles=currency_term)
def ctr_filings(
    financial_txn: pl.LazyFrame,
    gaming_wins: pl.LazyFrame,
    slot_telemetry: pl.LazyFrame | None,
    player_profile: pl.LazyFrame,
    *,
    days: Days,
    law: Law,
    timezone: str,
    as_of: dt.datetime,
) -> pl.LazyFrame:
    """Mart `ctr_filings` of `days`, from silver. `slot_telemetry` is given where carded bills
    count as knowledge; `gaming_wins` holds a day more on each side, because a win may be
    booked a gaming day from its payout. Identities are those known when a report is due, or
    as of `as_of` where that is earlier."""
    ledger = _ledger(financial_txn, gaming_wins, slot_telemetry, days)
    found = reports(ledger, player_profile, law, gaming_day_of(as_of, timezone))
    return shaped(found.filter(~pl.col("is_blocked")), "ctr_filings")


def ctr_exceptions(
    financial_txn: pl.LazyFrame,
    gaming_wins: pl.LazyFrame,
    slot_telemetry: pl.LazyFrame | None,
    player_profile: pl.LazyFrame,
    *,
    days: Days,
    law: Law,
    timezone: str,
    as_of: dt.datetime,
) -> pl.LazyFrame:
    """Rows of mart `filing_exceptions` for currency reports: someone's identity is missing
    (31 CFR 1010.312). Same inputs as `ctr_filings`."""
    ledger = _ledger(financial_txn, gaming_wins, slot_telemetry, days)
    found = reports(ledger, player_profile, law, gaming_day_of(as_of, timezone))
    return _held_back(found, unknown_over(ledger, law))


def _held_back(found: pl.DataFrame, unknown: pl.DataFrame) -> pl.LazyFrame:
    """The reports that cannot be filed, and the rows that nobody is known of."""
    blocked = found.filter("is_blocked").select(
        pl.col("filing_id").alias("exception_id"),
        "player_id",
        "gaming_day",
        pl.max_horizontal("cash_in_exact", "cash_out_exact").alias("amount"),
        "cash_in_exact",
        "cash_out_exact",
        "due",
        "unidentified",
        "transaction_ids",
    )
    of_nobody = unknown.select(
        formatted("CTR-{}-{}", "gaming_day", "transaction_id").alias("exception_id"),
        pl.lit(None, pl.String).alias("player_id"),
        "gaming_day",
        pl.col("amount").cast(pl.Decimal(18, 2)),
        "cash_in_exact",
        "cash_out_exact",
        "due",
        pl.lit([], pl.List(pl.String)).alias("unidentified"),
        pl.concat_list("transaction_id").alias("transaction_ids"),
    )
    rows = pl.concat([blocked, of_nobody], how="vertical_relaxed").with_columns(
        form=pl.lit("CTR"), subject_day="gaming_day", reason=pl.lit("identity_missing")
    )
    return shaped(rows, "filing_exceptions")


def _ledger(
    financial_txn: pl.LazyFrame,
    gaming_wins: pl.LazyFrame,
    slot_telemetry: pl.LazyFrame | None,
    days: Days,
) -> pl.LazyFrame:
    """Read once: it is gone over for sums, for the rows behind them and for those of nobody."""
    slots = None if slot_telemetry is None else within(slot_telemetry, days)
    ledger = currency_ledger(within(financial_txn, days), gaming_wins, slots)
    return ledger.collect(engine="streaming").lazy()
