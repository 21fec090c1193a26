"""Bill stuffing: bills in a machine, hardly played, and a ticket within minutes."""

from __future__ import annotations

import polars as pl

from lakehouse.regulation.law import Law
from lakehouse.regulation.suspicion.hits import as_hits, cents, house, house_cents

SESSION = ["player_id", "gaming_day", "machine_id", "session_id"]


def bill_stuffing(slot_telemetry: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    """Hits on carded sessions whose bills are about all that was bet, or more, and mostly
    come out as tickets soon after the last bill; bills of a gaming day together reach the
    house's amount."""
    rows = slot_telemetry.filter(
        pl.col("player_id").is_not_null()
        & pl.col("event_type").is_in(["BILL_IN", "TICKET_OUT", "GAME_PLAY"])
    )
    money = rows.filter(pl.col("event_type") != "GAME_PLAY").with_columns(cents("amount"))
    stuffed = _stuffed(money, rows, law)
    records = (
        money.join(stuffed, on=SESSION, nulls_equal=True)
        .filter(
            (pl.col("event_type") == "BILL_IN") | (pl.col("event_timestamp") > pl.col("last_bill"))
        )
        .with_columns(
            pl.lit("slot_telemetry").alias("source"),
            pl.col("event_id").alias("record_id"),
            pl.col("player_id").alias("owner"),
            pl.col("event_timestamp").alias("at"),
            pl.col("gaming_day").alias("hit_day"),
            pl.col("gaming_day").alias("record_day"),
            pl.col("event_type").alias("what"),
            pl.col("machine_id").alias("place"),
            pl.col("event_type")
            .replace_strict({"BILL_IN": "in", "TICKET_OUT": "out"}, return_dtype=pl.String)
            .alias("side"),
        )
    )
    done = pl.col("first_ticket").min().over("player_id", "hit_day")
    return as_hits(records.with_columns(done.alias("completed_at")), "bill_stuffing")


def _stuffed(money: pl.LazyFrame, rows: pl.LazyFrame, law: Law) -> pl.LazyFrame:
    def number(name: str) -> pl.Expr:
        return house(law, "bill_stuffing", name)

    bill = pl.col("event_type") == "BILL_IN"
    at, amount = pl.col("event_timestamp"), pl.col("cents")
    last_bill = at.filter(bill).max()
    late_ticket = ~bill & (at > last_bill)
    play = rows.filter(pl.col("event_type") == "GAME_PLAY")
    bet = play.group_by(SESSION).agg(
        (pl.col("coin_in").fill_null(0).sum() * 100).cast(pl.Int64).alias("bet")
    )
    sessions = (
        money.group_by(SESSION)
        .agg(
            bills=amount.filter(bill).sum(),
            tickets=amount.filter(late_ticket).sum(),
            last_bill=last_bill,
            first_ticket=at.filter(late_ticket).min(),
        )
        .join(bet, on=SESSION, how="left", nulls_equal=True)
        .with_columns(pl.col("bet").fill_null(0))
    )
    wait = (pl.col("first_ticket") - pl.col("last_bill")).dt.total_seconds() / 60
    enough = house_cents(law, "bill_stuffing", "bills_usd")
    back = (pl.col("tickets") / pl.col("bills")).clip(0, 1)
    idle = (1 - pl.col("bet") / pl.col("bills")).clip(0, 1)
    return (
        sessions.filter(
            (pl.col("bills") > 0)
            & (pl.col("bills") >= number("bills_to_coin_in") * pl.col("bet"))
            & (pl.col("tickets") >= number("ticket_share") * pl.col("bills"))
            & (wait <= number("minutes"))
        )
        .filter(pl.col("bills").sum().over("player_id", "gaming_day") >= enough)
        .with_columns(back.alias("score"), (idle * back).alias("strength"))
        .with_columns(pl.col("score", "strength").max().over("player_id", "gaming_day"))
    )
