"""The day's report, summed from the marts and held against silver."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import polars as pl

from lakehouse.gold.floor.cash import cash_in, cash_out
from lakehouse.gold.floor.play import slot_rows
from lakehouse.gold.marts import gold, mart, silver
from lakehouse.gold.money import as_table, cents, within
from lakehouse.regulation.gaming_day import Days

_DIFFERENCES = (
    "coin_in_difference",
    "slot_win_difference",
    "drop_difference",
    "carded_coin_in_difference",
    "cash_difference",
)


@mart(
    gold("slot_performance"),
    gold("table_performance"),
    gold("player_day"),
    silver("slot_telemetry"),
    silver("table_games"),
    silver("financial_txn"),
    silver("player_profile"),
    has_every_day=True,
)
def property_day(
    slot_performance: pl.LazyFrame,
    table_performance: pl.LazyFrame,
    player_day: pl.LazyFrame,
    slot_telemetry: pl.LazyFrame,
    table_games: pl.LazyFrame,
    financial_txn: pl.LazyFrame,
    player_profile: pl.LazyFrame,
    *,
    days: Days,
    wanted: Sequence[dt.date],
) -> pl.LazyFrame:
    """Mart `property_day` of `days`: three marts, and the silver tables that they came from.
    A day without a row anywhere has its row too, of zeros."""
    parts = [
        _of_machines(within(slot_performance, days)),
        _of_tables(within(table_performance, days)),
        _of_players(within(player_day, days)),
        _of_slots(within(slot_telemetry, days)),
        _of_pit(within(table_games, days)),
        _of_cage(within(financial_txn, days)),
        _newcomers(player_profile, days),
    ]
    report = pl.LazyFrame({"gaming_day": wanted}, schema={"gaming_day": pl.Date})
    for part in parts:
        report = report.join(part, on="gaming_day", how="left")
    return as_table(
        _measures(report.with_columns(pl.exclude("gaming_day").fill_null(0))), "property_day"
    )


def _daily(frame: pl.LazyFrame, *sums: pl.Expr, **named: pl.Expr) -> pl.LazyFrame:
    return frame.group_by("gaming_day").agg(*sums, **named)


def _count() -> pl.Expr:
    return pl.len().cast(pl.Int64)


def _of_machines(marts: pl.LazyFrame) -> pl.LazyFrame:
    return _daily(
        marts,
        machines=_count(),
        slot_coin_in=cents("coin_in").sum(),
        slot_drop=cents("bills_in").sum(),
        slot_win=cents("win").sum(),
        slot_theo=cents("theo").sum(),
        jackpot_amount=cents("jackpot_amount").sum(),
        machines_carded=cents("carded_coin_in").sum(),
    )


def _of_tables(marts: pl.LazyFrame) -> pl.LazyFrame:
    return _daily(
        marts,
        tables=_count(),
        table_cash_drop=cents("cash_drop").sum(),
        table_drop=cents("drop").sum(),
        table_win=cents("win").sum(),
        table_theo=cents("theo").sum(),
    )


def _of_players(marts: pl.LazyFrame) -> pl.LazyFrame:
    return _daily(
        marts,
        headcount=pl.col("visits").sum(),
        free_play=cents("free_play").sum(),
        players_coin_in=cents("coin_in").sum(),
        players_cash_in=cents("cash_in").sum(),
        players_cash_out=cents("cash_out").sum(),
    )


def _of_slots(silver: pl.LazyFrame) -> pl.LazyFrame:
    uncarded = pl.col("player_id").is_null() & pl.col("session_id").is_not_null()
    won = pl.col("coin_out").sum() + pl.col("jackpot_amount").sum()
    return _daily(
        slot_rows(silver),
        uncarded_sessions=pl.col("session_id").filter(uncarded).n_unique().cast(pl.Int64),
        silver_coin_in=pl.col("coin_in").sum(),
        silver_slot_win=pl.col("coin_in").sum() - won,
        silver_bills=pl.col("bills_in").sum(),
    )


def _of_pit(silver: pl.LazyFrame) -> pl.LazyFrame:
    return _daily(silver, silver_table_drop=cents("drop_amount").sum())


def _of_cage(silver: pl.LazyFrame) -> pl.LazyFrame:
    nobody = pl.col("player_id").is_null()

    def markers(kind: str) -> pl.Expr:
        return cents("amount").filter(pl.col("transaction_type") == kind).sum()

    return _daily(
        silver,
        cash_in=cash_in().sum(),
        cash_out=cash_out().sum(),
        unidentified_cash=(cash_in() + cash_out()).filter(nobody).sum(),
        markers_issued=markers("MARKER_ISSUE"),
        markers_paid=markers("MARKER_PAYMENT"),
    )


def _newcomers(profile: pl.LazyFrame, days: Days) -> pl.LazyFrame:
    """From the profiles extracted that day, which hold everybody who visited."""
    today = pl.col("gaming_day")
    first = (pl.col("total_visits") == 1) & (pl.col("last_visit_date") == today)
    return _daily(
        within(profile, days),
        new_players=(pl.col("enrollment_date") == today).sum(),
        first_visits=first.sum(),
    )


def _measures(report: pl.LazyFrame) -> pl.LazyFrame:
    counted = pl.col("players_cash_in") + pl.col("players_cash_out") + pl.col("unidentified_cash")
    silver_drop = pl.col("silver_bills") + pl.col("silver_table_drop")
    return report.with_columns(
        drop=pl.col("slot_drop") + pl.col("table_drop"),
        win=pl.col("slot_win") + pl.col("table_win"),
        theo=pl.col("slot_theo") + pl.col("table_theo"),
        slot_hold=_share("slot_win", "slot_coin_in"),
        table_hold=_share("table_win", "table_drop"),
        cash_position=pl.col("cash_in") - pl.col("cash_out"),
        coin_in_difference=pl.col("slot_coin_in") - pl.col("silver_coin_in"),
        slot_win_difference=pl.col("slot_win") - pl.col("silver_slot_win"),
        drop_difference=pl.col("slot_drop") + pl.col("table_cash_drop") - silver_drop,
        carded_coin_in_difference=pl.col("players_coin_in") - pl.col("machines_carded"),
        cash_difference=counted - pl.col("cash_in") - pl.col("cash_out"),
    ).with_columns(is_reconciled=pl.all_horizontal(pl.col(d) == 0 for d in _DIFFERENCES))


def _share(part: str, whole: str) -> pl.Expr:
    return pl.when(pl.col(whole) > 0).then((pl.col(part) / pl.col(whole)).round(6))
