"""Review cases of suspicious activity. What is here is written to restricted only."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.contracts import contract
from lakehouse.gold.compliance.ctr_filings import WINS_AROUND
from lakehouse.gold.compliance.patterns import account_days, in_memory, pattern_days, patterns
from lakehouse.gold.marts import mart, silver
from lakehouse.gold.shape import shaped
from lakehouse.regulation.currency import currency_ledger
from lakehouse.regulation.gaming_day import Days
from lakehouse.regulation.law import Law
from lakehouse.regulation.suspicion.cases import (
    MOST_DAYS,
    QUIET_DAYS,
    from_hits,
    from_observations,
    review_cases,
)
from lakehouse.regulation.suspicion.enquiries import threshold_avoidance


def _opened(law: Law) -> int:
    """Gaming days before a day that decide whether a case was open already."""
    return QUIET_DAYS + pattern_days(law)


def _played(law: Law) -> int:
    """Gaming days of play that are read before a day."""
    return QUIET_DAYS + account_days(law)


@mart(
    silver("financial_txn", back=_opened, ahead=MOST_DAYS),
    silver(
        "gaming_wins",
        back=lambda law: _opened(law) + WINS_AROUND,
        ahead=MOST_DAYS + WINS_AROUND,
    ),
    silver("slot_telemetry", back=_played, ahead=MOST_DAYS),
    silver("table_games", back=_played, ahead=MOST_DAYS),
    silver("staff_observations", around=MOST_DAYS),
)
def sar_cases(
    *,
    days: Days,
    law: Law,
    timezone: str,
    as_of: dt.datetime,
    carded_bill_in_knowledge: bool = False,
    **tables: pl.LazyFrame,
) -> pl.LazyFrame:
    """Restricted table `sar_cases` of the days of detection, as far as was known at `as_of`.
    `tables`: those of the days that decide whether a case was open already, and of those in which
    it grows until it must be filed."""
    known = _until(tables, as_of)
    seen = known.pop("staff_observations")
    cage, slots = known["financial_txn"], known["slot_telemetry"]
    bills = slots if carded_bill_in_knowledge else None
    ledger = in_memory(currency_ledger(cage, known["gaming_wins"], bills))
    evidence = pl.concat(
        [
            from_hits(patterns(ledger, law, **known)),
            from_observations(threshold_avoidance(seen, cage, law).collect()),
        ],
        how="diagonal",
    )
    cases = review_cases(evidence, law, timezone)
    return shaped(cases.filter(pl.col("gaming_day").is_between(*days)), "sar_cases")


def _until(tables: dict[str, pl.LazyFrame], as_of: dt.datetime) -> dict[str, pl.LazyFrame]:
    moment = pl.lit(as_of.astimezone(dt.UTC)).cast(pl.Datetime("us", "UTC"))
    return {t: f.filter(pl.col(contract(t).event_time or "") <= moment) for t, f in tables.items()}
