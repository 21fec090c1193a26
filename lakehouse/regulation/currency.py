"""Which rows move currency, which way, and under which of FinCEN's detail codes."""

from __future__ import annotations

import polars as pl

CODES_IN = {
    "CHIP_PURCHASE": "18",
    "MONEY_PLAY": "21",
    "FRONT_MONEY_DEPOSIT": "55",
    "SAFEKEEPING_DEPOSIT": "55",
    "MARKER_PAYMENT": "46",
    "INSTRUMENT_SALE": "12",
    "CHECK_PURCHASE": "12",
    "WIRE_TRANSFER_OUT": "23",
    "CASH_IN": "997",
    "CURRENCY_EXCHANGE": "14",
}
CODES_OUT = {
    "CHIP_REDEMPTION": "28",
    "TICKET_REDEMPTION": "28",
    "CANCELLED_CREDIT_HANDPAY": "28",
    "FRONT_MONEY_WITHDRAWAL": "56",
    "SAFEKEEPING_WITHDRAWAL": "56",
    "MARKER_ISSUE": "30",
    "CHECK_CASHING": "13",
    "WIRE_TRANSFER_IN": "32",
    "JACKPOT_PAYOUT": "31",
    "CASH_OUT": "998",
    "CURRENCY_EXCHANGE": "15",
}
BILLS_IN = "25"
LEDGER = (
    "source",
    "transaction_id",
    "gaming_day",
    "side",
    "code",
    "amount",
    "player_id",
    "on_behalf_of_player_id",
    "currency",
    "currency_country",
    "at",
    "place",
    "is_face_to_face",
)
ROW = ("source", "gaming_day", "transaction_id")
"""What a ledger row is of: a row of the silver table `source`. Houses may count from one again on
the next gaming day, and in each table: the number alone says nothing."""


def currency_ledger(
    financial_txn: pl.LazyFrame,
    gaming_wins: pl.LazyFrame,
    slot_telemetry: pl.LazyFrame | None = None,
) -> pl.LazyFrame:
    """One row per side of a row that moves currency (31 CFR 1021.311).

    `slot_telemetry` is given where carded bills count as the casino's knowledge (FinCEN
    Ruling 2005-1). Left out: slot jackpots (1021.311(c)(4)), notes bet again (c)(2),
    non-gaming payments and whatever is not currency. Columns: LEDGER; dollars.
    """
    cash = financial_txn.filter(pl.col("payment_method") == "Cash")
    again = (pl.col("transaction_type") == "MONEY_PLAY") & pl.col("is_new_currency").eq(False)
    jackpot = pl.col("transaction_type") == "JACKPOT_PAYOUT"
    parts = [
        _side(cash.filter(~again.fill_null(value=False)), "in", CODES_IN),
        _side(cash.filter(~jackpot), "out", CODES_OUT),
        _side(_not_of_slots(cash.filter(jackpot), gaming_wins), "out", CODES_OUT),
    ]
    if slot_telemetry is not None:
        parts.append(_bills(slot_telemetry))
    return pl.concat(parts)


def _not_of_slots(payouts: pl.LazyFrame, gaming_wins: pl.LazyFrame) -> pl.LazyFrame:
    """Payouts that no slot win names. A win of their own gaming day names them by the number; one
    booked on another day may mean another payout of that number, and does where it is another
    patron's."""
    wins = gaming_wins.filter(
        (pl.col("game_type") == "SLOT") & pl.col("transaction_id").is_not_null()
    ).select("transaction_id", _booked="gaming_day", _winner="player_id")
    is_same_day = pl.col("gaming_day") == pl.col("_booked")
    is_another = (pl.col("player_id") != pl.col("_winner")).fill_null(value=False)
    of_slots = payouts.join(wins, on="transaction_id").filter(is_same_day | ~is_another)
    return payouts.join(of_slots, on=["transaction_id", "gaming_day"], how="anti")


def _side(cash: pl.LazyFrame, side: str, codes: dict[str, str]) -> pl.LazyFrame:
    # The euros of an exchange come in; what goes out is dollars.
    paid_in_dollars = (pl.col("transaction_type") == "CURRENCY_EXCHANGE") & (side == "out")
    kiosk = pl.col("cage_location").str.to_lowercase().str.contains("kiosk", literal=True)
    return cash.filter(pl.col("transaction_type").is_in(list(codes))).select(
        pl.lit("financial_txn").alias("source"),
        "transaction_id",
        "gaming_day",
        pl.lit(side).alias("side"),
        pl.col("transaction_type").replace_strict(codes, return_dtype=pl.String).alias("code"),
        "amount",
        "player_id",
        "on_behalf_of_player_id",
        pl.when(paid_in_dollars).then(pl.lit("USD")).otherwise("currency").alias("currency"),
        pl.when(~paid_in_dollars).then("currency_country").alias("currency_country"),
        pl.col("transaction_timestamp").alias("at"),
        pl.col("cage_location").alias("place"),
        (~kiosk).fill_null(value=True).alias("is_face_to_face"),
    )


def _bills(slot_telemetry: pl.LazyFrame) -> pl.LazyFrame:
    carded = (pl.col("event_type") == "BILL_IN") & pl.col("player_id").is_not_null()
    return slot_telemetry.filter(carded).select(
        pl.lit("slot_telemetry").alias("source"),
        pl.col("event_id").alias("transaction_id"),
        "gaming_day",
        pl.lit("in").alias("side"),
        pl.lit(BILLS_IN).alias("code"),
        "amount",
        "player_id",
        pl.lit(None, pl.String).alias("on_behalf_of_player_id"),
        pl.lit("USD").alias("currency"),
        pl.lit(None, pl.String).alias("currency_country"),
        pl.col("event_timestamp").alias("at"),
        pl.col("machine_id").alias("place"),
        pl.lit(value=False).alias("is_face_to_face"),
    )
