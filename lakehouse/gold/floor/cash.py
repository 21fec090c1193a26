"""Currency at the cage: which transactions move it, and which way."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.money import cents

CASH_IN = (
    "CASH_IN",
    "CHIP_PURCHASE",
    "MONEY_PLAY",
    "FRONT_MONEY_DEPOSIT",
    "SAFEKEEPING_DEPOSIT",
    "MARKER_PAYMENT",
    "INSTRUMENT_SALE",
    "CHECK_PURCHASE",
    "WIRE_TRANSFER_OUT",
    "CURRENCY_EXCHANGE",
)
CASH_OUT = (
    "CASH_OUT",
    "CHIP_REDEMPTION",
    "TICKET_REDEMPTION",
    "CANCELLED_CREDIT_HANDPAY",
    "JACKPOT_PAYOUT",
    "FRONT_MONEY_WITHDRAWAL",
    "SAFEKEEPING_WITHDRAWAL",
    "MARKER_ISSUE",
    "CHECK_CASHING",
    "WIRE_TRANSFER_IN",
    "CURRENCY_EXCHANGE",
)


def cash_in() -> pl.Expr:
    """Cents of currency handed to the cage by a `financial_txn` row; notes that are bet again
    came in before. Slot jackpots count out here: the exemption from reports is the law's."""
    again = (pl.col("transaction_type") == "MONEY_PLAY") & pl.col("is_new_currency").eq(False)
    return _moved(CASH_IN, ~again.fill_null(value=False))


def cash_out() -> pl.Expr:
    """Cents of currency paid by the cage in a `financial_txn` row."""
    return _moved(CASH_OUT, pl.lit(value=True))


def _moved(types: tuple[str, ...], also: pl.Expr) -> pl.Expr:
    currency = pl.col("payment_method") == "Cash"
    moves = pl.col("transaction_type").is_in(types) & currency & also
    return pl.when(moves).then(cents("amount")).otherwise(0)
