"""The cage: the record of currency, chips, cheques, wires and markers."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.floor.tables import SHIFTS, SHIFTS_SPELLED
from lakehouse.contracts.registry import table

TRANSACTION_TYPES = (
    "CASH_IN",
    "CASH_OUT",
    "CHIP_PURCHASE",
    "CHIP_REDEMPTION",
    "WIRE_TRANSFER_IN",
    "WIRE_TRANSFER_OUT",
    "CHECK_CASHING",
    "MARKER_ISSUE",
    "MARKER_PAYMENT",
    "FRONT_MONEY_DEPOSIT",
    "FRONT_MONEY_WITHDRAWAL",
    "JACKPOT_PAYOUT",
    "SAFEKEEPING_DEPOSIT",
    "SAFEKEEPING_WITHDRAWAL",
    "TICKET_REDEMPTION",
    "CANCELLED_CREDIT_HANDPAY",
    "MONEY_PLAY",
    "CURRENCY_EXCHANGE",
    "INSTRUMENT_SALE",
    "CHECK_PURCHASE",
    "NON_GAMING_PAYMENT",
)
PAYMENT_METHODS = ("Cash", "Check", "Wire", "Chip", "Marker")


@table(
    "financial_txn",
    layer="source",
    grain="one row per cage transaction",
    event_time="transaction_timestamp",
    monthly_rows=50_000,
    kind="transaction_type",
)
class FinancialTransactions(dy.Schema):
    """What changed hands at the cage. `payment_method` is what changes hands; where the
    house pays, what the patron receives; only Cash is currency."""

    transaction_id = c.text("Transaction number, unique.", key=True)
    transaction_type = c.code(
        TRANSACTION_TYPES,
        "Kind of transaction.",
        also={
            "Marker issued": "MARKER_ISSUE",
            "Marker paid": "MARKER_PAYMENT",
            "Cheque cashing": "CHECK_CASHING",
            "Cheque purchase": "CHECK_PURCHASE",
        },
    )
    transaction_timestamp = c.utc("When it happened.")
    cage_location = c.text("Window, pit or kiosk.")
    cashier_id = c.text("Employee at the window.")
    supervisor_id = c.text("Employee who approved.", nullable=True)
    player_id = c.player("Patron who stood there; null where nobody was identified.")
    amount = c.money("Value in US dollars, also of foreign currency.")
    currency = c.text("ISO 4217 currency handed over.", regex="^[A-Z]{3}$", upper=True)
    payment_method = c.code(
        PAYMENT_METHODS,
        "What changes hands.",
        also={"Cheque": "Check", "Chips": "Chip", "Currency": "Cash"},
    )
    check_number = c.text("Cheque.", nullable=True)
    wire_reference = c.text("Wire.", nullable=True)
    marker_number = c.text("Marker drawn or paid.", nullable=True)
    id_type = c.text("Document shown.", nullable=True)
    id_number_hash = c.text(
        "Hash of the document's number.",
        nullable=True,
        pii="direct",
        protect="token",
        token_field="id_number",
    )
    ctr_required = c.flag("The cage system's own belief; the law is judged in gold.")
    ctr_filed = c.flag("A currency report that rests on this row was filed, then or later.")
    ctr_reference = c.text("Number of that report, compliance.report_id.", nullable=True)
    suspicious_activity_flag = c.flag("Ticked by the cashier, who knows of no case.")
    notes = c.text("Cashier's note.", nullable=True)
    shift = c.code(SHIFTS, "Shift of the cage.", also=SHIFTS_SPELLED)
    business_date = c.day("Day of the cage's books: the gaming day.")
    on_behalf_of_player_id = c.player("The principal, where player_id acts as an agent.")
    currency_country = c.text(
        "ISO 3166 country of foreign currency.", nullable=True, regex="^[A-Z]{2}$", upper=True
    )
    is_new_currency = c.flag(
        "MONEY_PLAY: false for the same notes bet again (31 CFR 1021.311(c)(2)).", nullable=True
    )
    gaming_day = c.gaming_day()
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()

    @dy.rule()
    def marker_is_named(cls) -> pl.Expr:
        """A MARKER_ISSUE or MARKER_PAYMENT row names its marker."""
        marker = pl.col("transaction_type").is_in(["MARKER_ISSUE", "MARKER_PAYMENT"])
        return ~marker | pl.col("marker_number").is_not_null()

    @dy.rule()
    def foreign_currency_names_its_country(cls) -> pl.Expr:
        """A transaction in another currency than USD names its country."""
        return (pl.col("currency") == "USD") | pl.col("currency_country").is_not_null()
