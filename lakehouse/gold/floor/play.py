"""Measures of single play rows that several marts share: slot rows and table ratings."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.money import cents, half_up, ten_thousandths
from lakehouse.regulation.games import in_force, table_rates

THEO_UNITS_PER_CENT = 10_000


def slot_rows(slot_telemetry: pl.LazyFrame) -> pl.LazyFrame:
    """Silver `slot_telemetry` with money in cents: `coin_in`, `coin_out`, `jackpot_amount`,
    `bills_in`, `tickets_out`, `meter`, and `theo_units`, exact in ten-thousandths of a cent.

    Play is what GAME_PLAY rows say. A METER_UPDATE row is a reading of counters that only ever
    grow: its coin-in is that of the machine's life, and stands for `meter` where the row has no
    column for it."""
    kind = pl.col("event_type")
    is_play = kind == "GAME_PLAY"
    reading = pl.when(kind == "METER_UPDATE").then("coin_in")

    def played(measure: pl.Expr) -> pl.Expr:
        return pl.when(is_play).then(measure).otherwise(0).fill_null(0)

    jackpot = pl.coalesce(cents("jackpot_amount"), cents("amount"))
    amount = cents("amount").fill_null(0)
    return slot_telemetry.with_columns(
        coin_in=played(cents("coin_in")),
        coin_out=played(cents("coin_out")),
        jackpot_amount=pl.when(kind == "JACKPOT").then(jackpot).otherwise(0).fill_null(0),
        bills_in=pl.when(kind == "BILL_IN").then(amount).otherwise(0),
        tickets_out=pl.when(kind == "TICKET_OUT").then(amount).otherwise(0),
        games_played=played(pl.col("games_played")),
        theo_units=played(cents("coin_in")) * ten_thousandths("theoretical_hold"),
        meter=(pl.coalesce("meter_coin_in", reading) * 100).cast(pl.Int64),
        denomination=cents("denomination"),
    )


def theo_cents(units: pl.Expr) -> pl.Expr:
    """Cents of slot theo, half up, from a sum of `theo_units`."""
    return half_up(units, THEO_UNITS_PER_CENT)


def ratings(table_games: pl.LazyFrame) -> pl.LazyFrame:
    """Closed ratings (RATING_END rows) with `theo` (cents, half up, at the dated rates),
    `rated_win` and `bet` (cents), `seconds`, `decisions` and `deviation`."""
    closed = table_games.filter(pl.col("event_type") == "RATING_END").with_columns(
        bet=cents("average_bet").fill_null(0),
        rated_win=cents("actual_win_loss").fill_null(0),
        hundredths=(pl.col("hours_played") * 100).cast(pl.Int64),
    )
    by_hours = pl.col("decisions_per_hour") * pl.col("hundredths")
    decisions_e2 = pl.coalesce(by_hours, pl.col("hands_played") * 100).fill_null(0)
    return in_force(closed, table_rates(), on="game_type").with_columns(
        theo=half_up(pl.col("bet") * decisions_e2 * pl.col("edge_e4"), 1_000_000),
        seconds=pl.col("hundredths").fill_null(0) * 36,
        decisions=decisions_e2 / 100,
        hands_played=pl.col("hands_played").fill_null(0),
    )
