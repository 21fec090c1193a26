"""What each patron did in each gaming day: the partial that all player value is summed from."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.floor.cash import cash_in, cash_out
from lakehouse.gold.floor.play import ratings, slot_rows, theo_cents
from lakehouse.gold.marts import mart, silver
from lakehouse.gold.money import as_table, cents, half_up, within
from lakehouse.regulation.games import house_rate
from lakehouse.regulation.gaming_day import Days

_KEY = ("player_id", "gaming_day")
_SUMS = (
    "games_played",
    "hands_played",
    "coin_in",
    "bills_in",
    "slot_theo",
    "slot_actual",
    "buy_in",
    "table_theo",
    "table_actual",
    "free_play",
    "cash_in",
    "cash_out",
    "wins",
    "wins_amount",
    "seconds",
)


@mart(
    silver("slot_telemetry"),
    silver("table_games"),
    silver("financial_txn"),
    silver("gaming_wins"),
)
def player_day(
    slot_telemetry: pl.LazyFrame,
    table_games: pl.LazyFrame,
    financial_txn: pl.LazyFrame,
    gaming_wins: pl.LazyFrame,
    *,
    days: Days,
) -> pl.LazyFrame:
    """Mart `player_day` of `days`, from silver. A patron whom only the cage or a win names has
    a row without a visit. Unidentified rows belong to nobody and are left out."""
    parts = [
        _slots(_of_players(slot_telemetry, days)),
        _tables(_of_players(table_games, days)),
        _cage(_of_players(financial_txn, days)),
        _wins(_of_players(gaming_wins, days)),
    ]
    summed = (
        pl.concat(parts, how="diagonal")
        .group_by(_KEY)
        .agg(pl.col(_SUMS).sum(), visits=pl.col("is_trip").any().fill_null(value=False))
    )
    return as_table(_derived(summed), "player_day")


def _of_players(frame: pl.LazyFrame, days: Days) -> pl.LazyFrame:
    return within(frame, days).filter(pl.col("player_id").is_not_null())


def _derived(summed: pl.LazyFrame) -> pl.LazyFrame:
    theo = pl.col("slot_theo") + pl.col("table_theo")
    return summed.with_columns(
        theo=theo,
        actual=pl.col("slot_actual") + pl.col("table_actual"),
        is_play_day=theo > 0,
        minutes=half_up(pl.col("seconds"), 60),
        points=theo * house_rate("points") // 1_000_000,
    )


def _slots(carded: pl.LazyFrame) -> pl.LazyFrame:
    moment = pl.col("event_timestamp")
    sessions = (
        slot_rows(carded)
        .group_by(*_KEY, "session_id")
        .agg(
            pl.col(
                "games_played",
                "coin_in",
                "coin_out",
                "jackpot_amount",
                "bills_in",
                "tickets_out",
                "theo_units",
            ).sum(),
            seconds=(moment.max() - moment.min()).dt.total_seconds(),
            has_money=pl.col("event_type").is_in(["BILL_IN", "TICKET_OUT"]).any(),
        )
        .with_columns(
            seconds=pl.when(pl.col("session_id").is_not_null()).then("seconds").otherwise(0),
            free_play=_free_play(),
        )
    )
    won = pl.col("coin_out").sum() + pl.col("jackpot_amount").sum()
    return sessions.group_by(_KEY).agg(
        pl.col("games_played", "coin_in", "bills_in", "free_play", "seconds").sum(),
        slot_theo=theo_cents(pl.col("theo_units").sum()),
        slot_actual=pl.col("coin_in").sum() - won,
        is_trip=pl.lit(value=True),
    )


def _free_play() -> pl.Expr:
    """bills + credit + wins = bets + tickets; hand-pays never touch the credit meter."""
    used = pl.col("coin_in") + pl.col("tickets_out") - pl.col("coin_out") - pl.col("bills_in")
    known = pl.col("session_id").is_not_null() & pl.col("has_money")
    return pl.when(known).then(pl.max_horizontal(used, 0)).otherwise(0)


def _tables(pit: pl.LazyFrame) -> pl.LazyFrame:
    chips = pl.col("event_type").is_in(["BUY_IN", "MARKER_ISSUED"])
    presence = pit.group_by(_KEY).agg(
        buy_in=pl.when(chips).then(cents("amount")).otherwise(0).sum(), is_trip=pl.lit(value=True)
    )
    rated = (
        ratings(pit)
        .group_by(_KEY)
        .agg(
            pl.col("hands_played", "seconds").sum(),
            table_theo=pl.col("theo").sum(),
            table_actual=pl.col("rated_win").sum(),
        )
    )
    return pl.concat([presence, rated], how="diagonal")


def _cage(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.group_by(_KEY).agg(cash_in=cash_in().sum(), cash_out=cash_out().sum())


def _wins(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.group_by(_KEY).agg(
        wins=pl.len().cast(pl.Int64), wins_amount=cents("gross_amount").sum()
    )
