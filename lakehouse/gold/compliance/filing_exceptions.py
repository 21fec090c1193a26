"""What must be filed and cannot be: an identity is missing."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.gold.compliance.ctr_filings import CURRENCY, ctr_exceptions
from lakehouse.gold.compliance.tax_forms import w2g_exceptions
from lakehouse.gold.marts import mart
from lakehouse.regulation.gaming_day import Days
from lakehouse.regulation.law import Law
from lakehouse.regulation.terms import currency_term


@mart(*CURRENCY, settles=currency_term)
def filing_exceptions(
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
    """Mart `filing_exceptions` of `days`, from silver: currency reports and W-2G forms. Inputs
    as for `ctr_filings`."""
    currency = ctr_exceptions(
        financial_txn,
        gaming_wins,
        slot_telemetry,
        player_profile,
        days=days,
        law=law,
        timezone=timezone,
        as_of=as_of,
    )
    wins = w2g_exceptions(gaming_wins, player_profile, days=days, law=law, timezone=timezone)
    return pl.concat([currency, wins])
