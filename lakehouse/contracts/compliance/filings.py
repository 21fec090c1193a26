"""What the law asks to be filed, logged and kept; suspicion is apart, in `suspicion`."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

FORMS = ("CTR", "W-2G", "1042-S", "8300")
WITHHOLDING_KINDS = ("regular", "backup")
EXCEPTION_REASONS = ("identity_missing",)
VERDICTS = (
    "matched",
    "late",
    "wrong_amount",
    "wrong_person",
    "amended",
    "missing",
    "open",
    "held_back",
    "needless",
)


def whole_dollars(description: str) -> dy.Int64:
    return c.count(description, nullable=True, unit="USD")


@table(
    "ctr_filings",
    layer="gold",
    grain="one row per person and gaming day with a reportable side",
)
class CtrFilings(dy.Schema):
    """Currency transaction reports that the law requires (31 CFR 1021.311 to 1021.313)."""

    filing_id = c.text("Report: CTR, gaming day and person.")
    player_id = c.text("Person by or for whom the currency moved.", key=True)
    gaming_day = c.gaming_day(key=True)
    cash_in = whole_dollars("Currency in, rounded up; null where not over the threshold.")
    cash_out = whole_dollars("Currency out, rounded up; null where not over the threshold.")
    cash_in_exact = c.money("Sum of the rows behind cash_in.", nullable=True)
    cash_out_exact = c.money("Sum of the rows behind cash_out.", nullable=True)
    due = c.day("Last day to file (31 CFR 1010.306(a)(1)); never moved by a weekend.")
    detail_codes_in = c.ids("FinCEN detail codes of the currency in, without 53.")
    detail_codes_out = c.ids("FinCEN detail codes of the currency out, without 54.")
    details = c.structs(
        {"direction": dy.String(), "code": dy.String(), "amount": dy.Int64()},
        "Whole dollars by side and detail code, each rounded up.",
    )
    multiple_transactions = c.flag("More than one transaction makes up the report.")
    aggregate = c.flag(
        "Nobody who stood there was identified, no single transaction was over the threshold, "
        "and at least one was face to face."
    )
    conducted_by = c.ids("Agents: who acted for another (party 17).")
    on_behalf_of = c.ids("Principals: for whom an agent acted (party 23).")
    parties = c.structs(
        {
            "player_id": dy.String(),
            "role": dy.String(),
            "cash_in": dy.Int64(nullable=True),
            "cash_out": dy.Int64(nullable=True),
        },
        "Persons with FinCEN's party code (50 for oneself, 17, 23) and their whole dollars.",
    )
    foreign = c.structs(
        {
            "currency": dy.String(),
            "country": dy.String(),
            "direction": dy.String(),
            "amount": dy.Int64(),
        },
        "Foreign currency by country and side, in whole US dollars (codes 53 and 54).",
    )
    transaction_ids_in = c.ids("Rows that add up to cash_in_exact.")
    transaction_ids_out = c.ids("Rows that add up to cash_out_exact.")
    transaction_ids = c.ids("All rows behind the report.")
    citation = c.text("The rule in force on the day.")


@table("filing_exceptions", layer="gold", grain="one row per filing that is held back")
class FilingExceptions(dy.Schema):
    """Filings that lack what the form needs; they wait here, never as a form with blanks."""

    exception_id = c.text("Exception: form, gaming day and person or record.", key=True)
    form = c.code(FORMS, "Form held back.")
    player_id = c.player("Person, where known.")
    gaming_day = c.gaming_day()
    subject_day = c.day("Day that the filing names: gaming day, or local day of payment.")
    reason = c.code(EXCEPTION_REASONS, "What is lacking.")
    amount = c.money("Amount of the filing; the larger side of a currency report.")
    cash_in_exact = c.money("Currency in, where it is reportable.", nullable=True)
    cash_out_exact = c.money("Currency out, where it is reportable.", nullable=True)
    due = c.day("Last day to file.")
    unidentified = c.ids("Persons without a verified identity; empty where nobody is known.")
    transaction_ids = c.ids("Rows behind the filing.")


@table("w2g_forms", layer="gold", grain="one row per reportable win of a US person")
class W2gForms(dy.Schema):
    """Forms W-2G by the day of payment (26 CFR 1.6041-10, IRC 3402(q), IRC 3406)."""

    win_id = c.text("Win.", key=True)
    player_id = c.text("Winner.")
    gaming_day = c.gaming_day()
    game_type = c.code(c.GAME_TYPES, "Type of wager.")
    won_on = c.day("Local calendar day of the win.")
    paid_on = c.day("Local calendar day of payment; the threshold and the year follow it.")
    gross_amount = c.money("All that was paid, stake included.")
    wager = c.money("Stake; nothing for free play.")
    reportable_winnings = c.money("Box 1: gross for slots and bingo, else net of the wager.")
    withholding = c.money("Box 4: federal income tax withheld.")
    withholding_kind = c.code(WITHHOLDING_KINDS, "Why tax is withheld.", nullable=True)
    tax_year = c.count("Calendar year of payment.")
    winner_copy_due = c.day("Winner's copy, on a business day.")
    paper_due = c.day("Paper return, on a business day.")
    efile_due = c.day("Electronic return, on a business day.")
    machine_id = c.text("Machine.", nullable=True)
    table_id = c.text("Table.", nullable=True)
    transaction_ids = c.ids("Cage row that paid it, where known.")
    citation = c.text("The rule in force on the day of payment.")


@table("form_1042s", layer="gold", grain="one row per win of a non-resident alien")
class Form1042S(dy.Schema):
    """Forms 1042-S (IRC 871(a), 871(j), 1441): tax at source, without a treaty claim."""

    win_id = c.text("Win.", key=True)
    player_id = c.text("Winner.")
    gaming_day = c.gaming_day()
    game_type = c.code(c.GAME_TYPES, "Type of wager.")
    paid_on = c.day("Local calendar day of payment.")
    amount = c.money("Gross income.")
    withholding = c.money("Tax withheld.")
    tax_year = c.count("Calendar year of payment.")
    winner_copy_due = c.day("Recipient's copy, on a business day.")
    paper_due = c.day("Paper return, on a business day.")
    efile_due = c.day("Electronic return, on a business day.")
    transaction_ids = c.ids("Cage row that paid it, where known.")
    citation = c.text("The rule in force on the day of payment.")


@table(
    "form_8300_notices", layer="gold", grain="one row per person and gaming day over the threshold"
)
class Form8300Notices(dy.Schema):
    """Non-gaming currency, as at the hotel or a shop (31 CFR 1021.330(c), 1010.330)."""

    notice_id = c.text("Notice: 8300, gaming day and person or transaction.", key=True)
    player_id = c.player("Payer, where known.")
    gaming_day = c.gaming_day()
    amount = c.money("Currency paid outside gaming.")
    due = c.day("Last day to file.")
    customer_notice_due = c.day("Statement to the payer: 31 January of the next year.")
    transaction_ids = c.ids("Rows that add up to the amount.")
    citation = c.text("The rule in force on the day.")


@table("instrument_log", layer="gold", grain="one row per transaction by cheque or the like")
class InstrumentLog(dy.Schema):
    """Monetary instruments of $3,000 and over, markers left out (31 CFR 1021.410(b)(9))."""

    transaction_id = c.text("Cage transaction.", key=True)
    player_id = c.player("Patron, where known.")
    gaming_day = c.gaming_day()
    transaction_timestamp = c.utc("When it happened.")
    transaction_type = c.text("Kind of transaction.")
    payment_method = c.text("What changed hands.")
    check_number = c.text("Number of the instrument.", nullable=True)
    amount = c.money("Face value.")


@table("multiple_transaction_log", layer="gold", grain="one row per currency transaction")
class MultipleTransactionLog(dy.Schema):
    """Currency transactions over the house's own limit; a policy, not a federal rule."""

    transaction_id = c.text("Cage transaction.", key=True)
    player_id = c.player("Patron, where known.")
    gaming_day = c.gaming_day()
    transaction_timestamp = c.utc("When it happened.")
    transaction_type = c.text("Kind of transaction.")
    amount = c.money("US dollars.")


@table("filing_retention", layer="gold", grain="one row per filed record, suspicion left out")
class FilingRetention(dy.Schema):
    """How long each filed record must be kept."""

    record_id = c.text("Filed record.", key=True)
    record_type = c.text("CTR, W2G, 1042S or 8300.")
    player_id = c.player("Patron named on the form.")
    gaming_day = c.gaming_day()
    filed_on = c.day("Local day of filing.")
    retain_until = c.day("Earliest day on which the law lets it go.")


@table("filing_reconciliation", layer="gold", grain="one row per obligation or needless filing")
class FilingReconciliation(dy.Schema):
    """What the law required against what the office filed, as of a day."""

    reconciliation_id = c.text("Obligation, or the record of a needless filing.", key=True)
    gaming_day = c.gaming_day()
    form = c.code(FORMS, "Form.")
    verdict = c.code(VERDICTS, "open: unfiled and not yet due; missing: unfiled and overdue.")
    player_id = c.player("Person the law names, or of a needless filing.")
    filed_player_id = c.player("Person the record names.")
    subject_day = c.day("Gaming day of the currency, or day of payment of the win.")
    required_amount = c.money("What the law asks to be reported.", nullable=True)
    filed_amount = c.money("What was reported.", nullable=True)
    required_cash_in = whole_dollars("CTR: cash in required.")
    filed_cash_in = whole_dollars("CTR: cash in reported, rounded up.")
    required_cash_out = whole_dollars("CTR: cash out required.")
    filed_cash_out = whole_dollars("CTR: cash out reported, rounded up.")
    due = c.day("Last lawful day.", nullable=True)
    filed_on = c.day("Day of the first filing.", nullable=True)
    days_late = c.count("Days past due when filed, or as of the day where unfiled; 0 in time.")
    is_held_back = c.flag("An identity is missing, so that nothing could be filed.")
    report_id = c.text("Record that counts.", nullable=True)
    amended_report_id = c.text("Record that it amends.", nullable=True)
    transaction_ids = c.ids("Rows behind the obligation.")
    evidence = c.text("Both sides in words.")


@table("filing_calendar", layer="gold", grain="one row per day and obligation then unfiled")
class FilingCalendar(dy.Schema):
    """Obligations unfiled at the close of a gaming day, to be read by due date."""

    gaming_day = c.gaming_day(key=True)
    obligation_id = c.text("Obligation.", key=True)
    form = c.code(FORMS, "Form.")
    player_id = c.player("Person, where known.")
    subject_day = c.day("Gaming day of the currency, or day of payment of the win.")
    amount = c.money("Amount to be reported.")
    due = c.day("Last day to file.")
    days_left = c.count("Days until due; negative when overdue.", minimum=None)
    is_overdue = c.flag("Past due at the close of the day.")
    is_held_back = c.flag("An identity is missing.")
