"""One cleaner per source table: what is special to it. All the rest follows from contracts."""

from __future__ import annotations

import polars as pl

from lakehouse.contracts import contract
from lakehouse.contracts.compliance.filed_reports import SPELLED
from lakehouse.errors import BadInput
from lakehouse.silver.judgement import CleanResult, Parents, split
from lakehouse.silver.reading import Aliases

Bronze = pl.LazyFrame | pl.DataFrame

_SHIFTS = {
    "dayshift": "Day",
    "swingshift": "Swing",
    "graveshift": "Grave",
    "graveyard": "Grave",
    "graveyardshift": "Grave",
}
_OF_FILINGS = {"report_type": SPELLED, "status": {"pending": "Pending Review"}}
_NO_PARENTS: Parents = {}


def clean(
    table: str, bronze: Bronze, *, timezone: str, parents: Parents = _NO_PARENTS
) -> CleanResult:
    """Cleans rows of a source table, by its own cleaner where it has one.

    Rows of one gaming day or of many: the result for a day does not depend on the others.
    A retransmission, same key and content, reaches the day that its event is in, so copies
    and clashes are judged within a gaming day. Silver rows of `parents` decide on orphans;
    a table that is not given is not asked. Raises BadInput for a table that has no bronze,
    ContractError for a frame without the contract's columns.
    """
    c = contract(table)
    if c.layer != "source":
        raise BadInput(f"table {table!r} has no bronze; it is {c.layer}")
    if table in _CLEANERS:
        return _CLEANERS[table](bronze, timezone=timezone, parents=parents)
    return _split(table, bronze, timezone, parents)


def _split(
    table: str,
    bronze: Bronze,
    timezone: str,
    parents: Parents,
    aliases: Aliases | None = None,
    upper: tuple[str, ...] = (),
) -> CleanResult:
    return split(
        contract(table),
        bronze,
        timezone=timezone,
        parents=parents,
        aliases=aliases or {},
        upper=upper,
    )


def clean_slot_telemetry(
    bronze: Bronze, *, timezone: str, parents: Parents = _NO_PARENTS
) -> CleanResult:
    """Machine events. Orphans: player_id."""
    events = {"billinserted": "BILL_IN", "ticketprinted": "TICKET_OUT", "voucherout": "TICKET_OUT"}
    machines = {"videoslot": "Video Slots", "mechanicalreel": "Mechanical Reels"}
    aliases = {"event_type": events, "machine_type": machines}
    return _split("slot_telemetry", bronze, timezone, parents, aliases)


def clean_table_games(
    bronze: Bronze, *, timezone: str, parents: Parents = _NO_PARENTS
) -> CleanResult:
    """Pit events. Orphans: player_id."""
    events = {"markerissue": "MARKER_ISSUED", "markerpayment": "MARKER_PAID"}
    aliases = {"event_type": events, "game_type": {"bj": "Blackjack"}, "shift": _SHIFTS}
    return _split("table_games", bronze, timezone, parents, aliases)


def clean_player_profile(
    bronze: Bronze, *, timezone: str, parents: Parents = _NO_PARENTS
) -> CleanResult:
    """Profile extracts, still with their identities: `privacy.protect` comes after."""
    residency = {"usperson": "US", "nonresidentalien": "NRA"}
    contact = {"text": "SMS", "post": "Mail", "telephone": "Phone"}
    aliases = {"tax_residency": residency, "communication_preference": contact}
    return _split("player_profile", bronze, timezone, parents, aliases, ("country",))


def clean_financial_txn(
    bronze: Bronze, *, timezone: str, parents: Parents = _NO_PARENTS
) -> CleanResult:
    """Cage transactions. Orphans: player_id, on_behalf_of_player_id."""
    kinds = {
        "markerissued": "MARKER_ISSUE",
        "markerpaid": "MARKER_PAYMENT",
        "chequecashing": "CHECK_CASHING",
        "chequepurchase": "CHECK_PURCHASE",
    }
    methods = {"cheque": "Check", "chips": "Chip", "currency": "Cash"}
    aliases = {"transaction_type": kinds, "payment_method": methods, "shift": _SHIFTS}
    upper = ("currency", "currency_country")
    return _split("financial_txn", bronze, timezone, parents, aliases, upper)


def clean_security_events(
    bronze: Bronze, *, timezone: str, parents: Parents = _NO_PARENTS
) -> CleanResult:
    """Guards, doors, cameras. Orphans: player_id."""
    return _split("security_events", bronze, timezone, parents, {"shift": _SHIFTS})


def clean_compliance(
    bronze: Bronze, *, timezone: str, parents: Parents = _NO_PARENTS
) -> CleanResult:
    """Filed records of other forms than SARs. Orphans: player_id."""
    return _split("compliance", bronze, timezone, parents, _OF_FILINGS)


def clean_sar_filings(
    bronze: Bronze, *, timezone: str, parents: Parents = _NO_PARENTS
) -> CleanResult:
    """Filed SARs. Orphans: player_id."""
    return _split("sar_filings", bronze, timezone, parents, _OF_FILINGS)


def clean_gaming_wins(
    bronze: Bronze, *, timezone: str, parents: Parents = _NO_PARENTS
) -> CleanResult:
    """Wins by gaming day of payment. Orphans: player_id, transaction_id."""
    return _split("gaming_wins", bronze, timezone, parents, {"game_type": {"slots": "SLOT"}})


def clean_staff_observations(
    bronze: Bronze, *, timezone: str, parents: Parents = _NO_PARENTS
) -> CleanResult:
    """Observations. Orphans: player_id, transaction_id."""
    return _split("staff_observations", bronze, timezone, parents)


_CLEANERS = {
    "slot_telemetry": clean_slot_telemetry,
    "table_games": clean_table_games,
    "player_profile": clean_player_profile,
    "financial_txn": clean_financial_txn,
    "security_events": clean_security_events,
    "compliance": clean_compliance,
    "sar_filings": clean_sar_filings,
    "gaming_wins": clean_gaming_wins,
    "staff_observations": clean_staff_observations,
}
