"""Alerts of suspicious activity. What is here is written to restricted only."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.gold.compliance.ctr_filings import WINS_AROUND
from lakehouse.gold.compliance.patterns import account_days, in_memory, pattern_days, patterns
from lakehouse.gold.marts import lookup, mart, silver
from lakehouse.gold.money import within
from lakehouse.gold.shape import shaped
from lakehouse.regulation.currency import currency_ledger
from lakehouse.regulation.gaming_day import Days
from lakehouse.regulation.law import Law
from lakehouse.regulation.suspicion.alerts import graded, pattern_alerts, shared_address
from lakehouse.regulation.suspicion.hits import watched


def _amounts(law: Law) -> int:
    return pattern_days(watched(law))


def _play(law: Law) -> int:
    return account_days(watched(law))


@mart(
    silver("financial_txn", back=_amounts),
    silver("gaming_wins", back=lambda law: _amounts(law) + WINS_AROUND, ahead=WINS_AROUND),
    silver("slot_telemetry", back=_amounts),
    silver("table_games", back=_play),
    lookup("player_profile"),
)
def alerts(
    financial_txn: pl.LazyFrame,
    gaming_wins: pl.LazyFrame,
    slot_telemetry: pl.LazyFrame,
    table_games: pl.LazyFrame,
    player_profile: pl.LazyFrame,
    *,
    days: Days,
    law: Law,
    carded_bill_in_knowledge: bool = False,
) -> pl.LazyFrame:
    """Restricted table `alerts` of `days`. Addresses are those known on the day."""
    law = watched(law)
    bills = slot_telemetry if carded_bill_in_knowledge else None
    ledger = in_memory(currency_ledger(financial_txn, gaming_wins, bills))
    hits = patterns(
        ledger,
        law,
        financial_txn=financial_txn,
        gaming_wins=gaming_wins,
        slot_telemetry=within(slot_telemetry, _of_play(days, law)),
        table_games=table_games,
    )
    found = [
        pattern_alerts(hits.filter(pl.col("hit_day").is_between(*days))),
        shared_address(within(ledger, days), player_profile, law),
    ]
    return shaped(graded(pl.concat(found), law), "alerts")


def _of_play(days: Days, law: Law) -> Days:
    """Telemetry is large, and earlier days of it matter for their bills alone."""
    return days[0] - dt.timedelta(days=account_days(law)), days[1]
