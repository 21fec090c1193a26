"""Suspicious activity: review cases and alerts. What is here is written to restricted only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from lakehouse.contracts import contract
from lakehouse.gold.compliance.ctr_filings import WINS_AROUND
from lakehouse.gold.marts import lookup, mart, silver
from lakehouse.gold.money import within
from lakehouse.gold.shape import shaped
from lakehouse.regulation.currency import currency_ledger
from lakehouse.regulation.gaming_day import Days
from lakehouse.regulation.law import Law
from lakehouse.regulation.suspicion import alerts as signals
from lakehouse.regulation.suspicion.cases import (
    MOST_DAYS,
    QUIET_DAYS,
    from_hits,
    from_observations,
    review_cases,
)
from lakehouse.regulation.suspicion.chips import (
    chip_balance,
    chip_walking,
    minimal_play,
    with_sides,
)
from lakehouse.regulation.suspicion.enquiries import threshold_avoidance
from lakehouse.regulation.suspicion.hits import cage_rows
from lakehouse.regulation.suspicion.machines import bill_stuffing
from lakehouse.regulation.suspicion.markers import marker_cycle
from lakehouse.regulation.suspicion.play import played
from lakehouse.regulation.suspicion.pooling import pooling
from lakehouse.regulation.suspicion.structuring import structuring


@dataclass(frozen=True)
class Silver:
    """Silver frames of the days asked for and of the days around them."""

    financial_txn: pl.LazyFrame
    gaming_wins: pl.LazyFrame
    slot_telemetry: pl.LazyFrame
    table_games: pl.LazyFrame
    staff_observations: pl.LazyFrame


def _pattern(law: Law) -> int:
    """Gaming days before its own that a pattern looks at, at the most."""
    return _most(law, "structuring", "days")


def _opened(law: Law) -> int:
    """Gaming days before a day that decide whether a case was open already."""
    return QUIET_DAYS + _pattern(law)


def _played(law: Law) -> int:
    """Gaming days of play that are read before a day: play is held against money on each day that
    the money stays in an account."""
    return QUIET_DAYS + _most(law, "minimal_play", "account_days")


def _most(law: Law, rule: str, param: str) -> int:
    return max(int((p.params or {})[param]) for p in law.periods(rule))


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
    `tables`: those of `Silver`, of the days that decide whether a case was open already, and of
    those in which it grows until it must be filed."""
    known = _until(tables, as_of)
    ledger = _ledger(known, carded_bill_in_knowledge)
    evidence = pl.concat(
        [
            from_hits(_hits(known, ledger, law)),
            from_observations(
                threshold_avoidance(known.staff_observations, known.financial_txn, law).collect()
            ),
        ],
        how="diagonal",
    )
    cases = review_cases(evidence, law, timezone)
    return shaped(cases.filter(pl.col("gaming_day").is_between(*days)), "sar_cases")


@mart(
    silver("financial_txn", back=_pattern),
    silver("gaming_wins", back=lambda law: _pattern(law) + WINS_AROUND, ahead=WINS_AROUND),
    silver("slot_telemetry", back=_pattern, only_if="carded_bill_in_knowledge"),
    lookup("player_profile"),
)
def alerts(
    financial_txn: pl.LazyFrame,
    gaming_wins: pl.LazyFrame,
    slot_telemetry: pl.LazyFrame | None,
    player_profile: pl.LazyFrame,
    *,
    days: Days,
    law: Law,
) -> pl.LazyFrame:
    """Restricted table `alerts` of `days`. Addresses are those known on the day."""
    ledger = _in_memory(currency_ledger(financial_txn, gaming_wins, slot_telemetry))
    found = pl.concat(
        [
            signals.structuring_alerts(structuring(ledger, law).collect()),
            signals.shared_address(within(ledger, days), player_profile, law),
        ]
    ).filter(pl.col("gaming_day").is_between(*days))
    named = found.with_columns(
        pl.format("{}-{}-{}", "kind", "gaming_day", pl.col("player_ids").list.join("+")).alias(
            "alert_id"
        )
    )
    return shaped(named, "alerts")


def _hits(known: Silver, ledger: pl.LazyFrame, law: Law) -> pl.DataFrame:
    cage = _in_memory(cage_rows(known.financial_txn))
    players = with_sides(cage).filter(pl.col("side") == "in").select("player_id").unique()
    play = _in_memory(played(known.slot_telemetry, known.table_games, known.gaming_wins, players))
    balance = chip_balance(cage, play)
    return pl.concat(
        pl.collect_all(
            [
                structuring(ledger, law),
                minimal_play(cage, play, law),
                chip_walking(cage, balance, law),
                pooling(cage, balance, law),
                marker_cycle(cage, law),
                bill_stuffing(known.slot_telemetry, law),
            ]
        )
    )


def _ledger(known: Silver, bills_are_known: bool) -> pl.LazyFrame:
    slots = known.slot_telemetry if bills_are_known else None
    return _in_memory(currency_ledger(known.financial_txn, known.gaming_wins, slots))


def _in_memory(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Read once: every pattern goes over them several times."""
    return rows.collect(engine="streaming").lazy()


def _until(tables: dict[str, pl.LazyFrame], as_of: dt.datetime) -> Silver:
    moment = pl.lit(as_of.astimezone(dt.UTC)).cast(pl.Datetime("us", "UTC"))
    return Silver(
        **{t: f.filter(pl.col(contract(t).event_time or "") <= moment) for t, f in tables.items()}
    )
