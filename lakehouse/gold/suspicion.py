"""Suspicious activity: review cases and alerts. What is here is written to restricted only."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from lakehouse.gold.money import Days
from lakehouse.gold.shape import shaped
from lakehouse.regulation.currency import currency_ledger
from lakehouse.regulation.gaming_day import gaming_day_of
from lakehouse.regulation.law import Law
from lakehouse.regulation.people import known_on
from lakehouse.regulation.suspicion import alerts as signals
from lakehouse.regulation.suspicion.cases import from_hits, from_observations, review_cases
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

LOOK_BACK, LOOK_AHEAD = 21, 30
"""Gaming days before and after a day that its cases rest on: whether a case was open already,
and what came to it until it must be filed."""


@dataclass(frozen=True)
class Silver:
    """Silver frames of the days asked for and LOOK_BACK and LOOK_AHEAD days around them."""

    financial_txn: pl.LazyFrame
    gaming_wins: pl.LazyFrame
    slot_telemetry: pl.LazyFrame
    table_games: pl.LazyFrame
    staff_observations: pl.LazyFrame
    player_profile: pl.LazyFrame


def sar_cases(
    silver: Silver,
    *,
    days: Days,
    law: Law,
    timezone: str,
    as_of: dt.datetime,
    bills_are_known: bool = False,
) -> pl.LazyFrame:
    """Restricted table `sar_cases` of the days of detection, as far as was known at `as_of`."""
    known = _until(silver, as_of)
    ledger = _ledger(known, bills_are_known)
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


def alerts(
    silver: Silver,
    *,
    days: Days,
    law: Law,
    timezone: str,
    as_of: dt.datetime,
    bills_are_known: bool = False,
) -> pl.LazyFrame:
    """Restricted table `alerts` of `days`. Only the look-back is needed."""
    known = _until(silver, as_of)
    ledger = _ledger(known, bills_are_known)
    addresses = known_on(silver.player_profile, gaming_day_of(as_of, timezone)).select(
        "player_id", *signals.ADDRESS
    )
    found = pl.concat(
        [
            signals.structuring_alerts(structuring(ledger, law).collect()),
            signals.shared_address(ledger, addresses, law),
        ]
    ).filter(pl.col("gaming_day").is_between(*days))
    named = found.with_columns(
        pl.format("{}-{}-{}", "kind", "gaming_day", pl.col("player_ids").list.join("+")).alias(
            "alert_id"
        )
    )
    return shaped(named, "alerts")


def _hits(known: Silver, ledger: pl.LazyFrame, law: Law) -> pl.DataFrame:
    cage = cage_rows(known.financial_txn)
    players = with_sides(cage).filter(pl.col("side") == "in").select("player_id").unique()
    play = (
        played(known.slot_telemetry, known.table_games, known.gaming_wins, players)
        .collect(engine="streaming")
        .lazy()
    )
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
    """In memory: every pattern goes over it several times."""
    slots = known.slot_telemetry if bills_are_known else None
    rows = currency_ledger(known.financial_txn, known.gaming_wins, slots)
    return rows.collect(engine="streaming").lazy()


def _until(silver: Silver, as_of: dt.datetime) -> Silver:
    moment = pl.lit(as_of.astimezone(dt.UTC)).cast(pl.Datetime("us", "UTC"))
    return Silver(
        silver.financial_txn.filter(pl.col("transaction_timestamp") <= moment),
        silver.gaming_wins.filter(pl.col("paid_at") <= moment),
        silver.slot_telemetry.filter(pl.col("event_timestamp") <= moment),
        silver.table_games.filter(pl.col("event_timestamp") <= moment),
        silver.staff_observations.filter(pl.col("observed_at") <= moment),
        silver.player_profile,
    )
