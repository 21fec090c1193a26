"""Completes the partial rows of a case with values that do not bear on the law."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from lakehouse.compliance.scenarios.case import Case, Row
from lakehouse.contracts import contract
from lakehouse.regulation.gaming_day import gaming_day_of

NEUTRAL: dict[str, Row] = {
    "financial_txn": {
        "cage_location": "Main cage",
        "cashier_id": "EMP-0001",
        "currency": "USD",
        "ctr_required": False,
        "ctr_filed": False,
        "suspicious_activity_flag": False,
        "shift": "Swing",
    },
    "slot_telemetry": {
        "machine_id": "SLOT-0001",
        "asset_number": "AST-1",
        "location_id": "A-01",
        "zone": "North",
        "denomination": "1.00",
        "theoretical_hold": "0.08",
        "machine_type": "Video Slots",
        "manufacturer": "Example",
        "game_theme": "Example",
    },
    "table_games": {
        "table_id": "TBL-BJ-001",
        "game_type": "Blackjack",
        "table_number": 1,
        "zone": "Main Pit",
        "dealer_id": "EMP-0002",
        "shift": "Swing",
        "min_bet": "5.00",
        "max_bet": "100000.00",
    },
    "player_profile": {
        "first_name": "Pat",
        "date_of_birth": "1980-01-01",
        "city": "Las Vegas",
        "state": "NV",
        "zip_code": "89101",
        "country": "US",
        "loyalty_tier": "Bronze",
        "points_balance": 0,
        "lifetime_points": 0,
        "tier_credits": 0,
        "enrollment_date": "2000-01-01",
        "total_visits": 0,
        "total_theo": "0.00",
        "total_actual_win_loss": "0.00",
        "average_daily_theo": "0.00",
        "preferred_game": "Slots",
        "communication_preference": "None",
        "marketing_opt_in": False,
        "marketing_channel": "None",
        "vip_flag": False,
        "self_excluded": False,
        "account_status": "Active",
        "tin_on_file": True,
        "tax_residency": "US",
        "identity_verified": True,
    },
    "security_events": {
        "zone": "Floor",
        "location_detail": "Entrance",
        "security_level": "Public",
        "shift": "Swing",
    },
    "compliance": {"compliance_officer_id": "EMP-0900", "property_code": "PROP-001"},
}
PERSONS = ("player_id", "on_behalf_of_player_id")


def completed(case: Case, timezone: str) -> dict[str, list[Row]]:
    """table → rows to land, in the order of the case. A column that is given stays as it is,
    also null; everybody named has a profile, from the first gaming day of the case on."""
    first = min(_event_days(case, timezone), default=gaming_day_of(case.as_of, timezone))
    tables = {t: [_completed(t, r, timezone) for r in rows] for t, rows in case.tables.items()}
    profiles = tables.pop("player_profile", [])
    listed = {r.get("player_id") for r in profiles}
    unlisted = [p for p in _named(case) if p not in listed]
    people = [
        *profiles,
        *(_completed("player_profile", {"player_id": p}, timezone) for p in unlisted),
    ]
    dated = [{"gaming_day": first.isoformat(), **p} for p in people]
    return {t: rows for t, rows in ({"player_profile": dated} | tables).items() if rows}


def _completed(table: str, row: Row, timezone: str) -> Row:
    return NEUTRAL.get(table, {}) | _derived(table, row, timezone) | row


def _derived(table: str, row: Row, timezone: str) -> Row:
    """Neutral values that depend on the row."""
    key = row.get(contract(table).key[0])
    if table == "financial_txn":
        day = _day(row.get("transaction_timestamp"), timezone)
        marker = str(row.get("transaction_type")).startswith("MARKER_")
        return _given(business_date=day, marker_number=f"MKR-{key}" if marker else None)
    if table == "table_games":
        rated = str(row.get("event_type")).startswith("RATING_")
        return _given(player_rating_id=f"R-{key}" if rated else None)
    if table == "player_profile":
        return {
            "loyalty_number": f"L-{key}",
            "last_name": f"Example {key}",
            "address_line1": f"1 {key} Street",
        }
    if table == "gaming_wins":
        return _given(won_at=row.get("paid_at"))
    if table == "compliance":
        amounts = (row.get(f"{a}_amount") for a in ("cash_in", "cash_out", "jackpot"))
        filed = row.get("filing_date")
        return _given(
            due_date=filed or row.get("transaction_date"),
            transaction_amount=next((a for a in amounts if a is not None), None),
        )
    return {}


def _given(**values: Any) -> Row:
    return {k: v for k, v in values.items() if v is not None}


def _named(case: Case) -> list[str]:
    rows = (r for t, rows in case.tables.items() if t != "player_profile" for r in rows)
    names = (r.get(c) for r in rows for c in PERSONS)
    return list(dict.fromkeys(n for n in names if isinstance(n, str) and n))


def _event_days(case: Case, timezone: str) -> Iterator[dt.date]:
    for table, rows in case.tables.items():
        column = contract(table).event_time
        days = (_day(r.get(column), timezone) for r in rows) if column else iter(())
        yield from (dt.date.fromisoformat(d) for d in days if d is not None)


def _day(moment: Any, timezone: str) -> str | None:
    """Gaming day of a timestamp as text; none where it cannot be read, which landing judges."""
    try:
        read = dt.datetime.fromisoformat(str(moment))
    except ValueError:
        return None
    return None if read.tzinfo is None else gaming_day_of(read, timezone).isoformat()
