"""Tables by gaming day: drop, inventory, win, hold and rated play."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.floor.play import ratings
from lakehouse.gold.floor.slot_performance import Z99
from lakehouse.gold.marts import mart, silver
from lakehouse.gold.money import as_table, cents, half_up, within
from lakehouse.regulation.gaming_day import Days

_KEY = ("table_id", "gaming_day")


@mart(silver("table_games"))
def table_performance(table_games: pl.LazyFrame, *, days: Days) -> pl.LazyFrame:
    """Mart `table_performance` of `days`, from silver `table_games`."""
    rows = within(table_games, days)
    tables = _movements(rows).join(_rated(rows), on=_KEY, how="left")
    return as_table(_measures(tables), "table_performance")


def _movements(rows: pl.LazyFrame) -> pl.LazyFrame:
    kind = pl.col("event_type")
    amount = cents("amount").fill_null(0)
    slip = amount - cents("drop_amount").fill_null(0)
    drawn = pl.when(kind == "MARKER_ISSUED").then(slip).otherwise(0)
    paid = pl.when(kind == "MARKER_PAID").then(slip).otherwise(0)

    def moved(event: str) -> pl.Expr:
        return pl.when(kind == event).then(amount).otherwise(0).sum()

    return rows.group_by(_KEY).agg(
        pl.col("game_type", "zone").sort_by("event_timestamp", "event_id").last(),
        cash_drop=cents("drop_amount").sum(),
        marker_drop=(drawn - paid).sum(),
        chips_out=moved("CASH_OUT"),
        fills=moved("FILL"),
        credits=moved("CREDIT"),
        opening=_inventory("SHIFT_START").first(),
        closing=_inventory("SHIFT_END").last(),
    )


def _inventory(event: str) -> pl.Expr:
    shift = pl.col("event_type") == event
    return cents("amount").filter(shift).sort_by(pl.col("event_timestamp").filter(shift))


def _rated(rows: pl.LazyFrame) -> pl.LazyFrame:
    bet = pl.col("bet")
    variance = bet.cast(pl.Float64).pow(2) * pl.col("decisions") * pl.col("deviation").pow(2)
    return (
        ratings(rows)
        .group_by(_KEY)
        .agg(
            pl.col("hands_played", "seconds", "rated_win", "theo").sum(),
            ratings=pl.len().cast(pl.Int64),
            bet_seconds=(bet * pl.col("seconds")).sum(),
            variance=variance.sum(),
        )
    )


def _measures(tables: pl.LazyFrame) -> pl.LazyFrame:
    seconds = pl.col("seconds")
    sums = ("hands_played", "seconds", "rated_win", "theo", "ratings", "bet_seconds")
    drop = pl.col("cash_drop") + pl.col("marker_drop")
    on_hand = pl.col("opening") + pl.col("fills") - pl.col("credits") - pl.col("closing")
    spread = (Z99 * pl.col("variance").sqrt()).round().cast(pl.Int64)
    rated = pl.col("rated_win")
    return (
        tables.with_columns(pl.col(sums).fill_null(0))
        .with_columns(
            drop=drop,
            win=pl.coalesce(drop - on_hand, rated),
            win_basis=pl.when(on_hand.is_not_null())
            .then(pl.lit("inventory"))
            .otherwise(pl.lit("ratings")),
            rated_minutes=half_up(seconds, 60),
            average_bet=pl.when(seconds > 0).then(
                half_up(pl.col("bet_seconds"), pl.max_horizontal(seconds, 1))
            ),
            win_low=pl.col("theo") - spread,
            win_high=pl.col("theo") + spread,
        )
        .with_columns(
            hold=pl.when(drop > 0).then((pl.col("win") / drop).round(6)),
            is_win_outside=rated.is_between("win_low", "win_high").not_().fill_null(value=False),
        )
    )
