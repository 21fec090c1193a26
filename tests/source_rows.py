"""One valid bronze row of each source table, and frames of such rows with changes."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl

from lakehouse.contracts import contract

ZONE = "America/Los_Angeles"
DAY = dt.date(2025, 1, 1)
NOON = dt.datetime(2025, 1, 1, 20, tzinfo=dt.UTC)  # 12:00 in Los Angeles
KEY_OF = {
    "slot_telemetry": "event_id",
    "table_games": "event_id",
    "player_profile": "player_id",
    "financial_txn": "transaction_id",
    "security_events": "event_id",
    "compliance": "report_id",
    "gaming_wins": "win_id",
    "staff_observations": "observation_id",
}
_ROWS: dict[str, dict[str, Any]] = {
    "slot_telemetry": {
        "event_id": "E1",
        "machine_id": "SLOT-0001",
        "asset_number": "AST-1",
        "location_id": "L1",
        "zone": "North",
        "event_type": "GAME_PLAY",
        "event_timestamp": NOON,
        "denomination": Decimal("0.25"),
        "coin_in": Decimal("5.00"),
        "coin_out": Decimal("4.00"),
        "games_played": 4,
        "theoretical_hold": Decimal("0.0900"),
        "player_id": "P1",
        "machine_type": "Video Slots",
        "manufacturer": "IGT",
        "game_theme": "Buffalo",
    },
    "table_games": {
        "event_id": "E1",
        "table_id": "TBL-BJ-001",
        "game_type": "Blackjack",
        "table_number": 1,
        "zone": "Main Pit",
        "event_type": "BUY_IN",
        "event_timestamp": NOON,
        "player_id": "P1",
        "dealer_id": "D1",
        "shift": "Day",
        "amount": Decimal("300.00"),
        "min_bet": Decimal("25.00"),
        "max_bet": Decimal("500.00"),
    },
    "player_profile": {
        "player_id": "P1",
        "loyalty_number": "L1",
        "first_name": "Ann",
        "last_name": "Lee",
        "email": "ann@example.com",
        "phone": "702-555-0100",
        "date_of_birth": dt.date(1984, 12, 31),
        "ssn_hash": "a1b2",
        "ssn_masked": "XXX-XX-1234",
        "address_line1": "1 Main St",
        "city": "Reno",
        "state": "NV",
        "zip_code": "89101",
        "country": "US",
        "loyalty_tier": "Gold",
        "points_balance": 10,
        "lifetime_points": 20,
        "tier_credits": 5,
        "enrollment_date": dt.date(2024, 5, 1),
        "last_visit_date": DAY,
        "total_visits": 3,
        "total_theo": Decimal("30.00"),
        "total_actual_win_loss": Decimal("-12.50"),
        "average_daily_theo": Decimal("10.00"),
        "preferred_game": "Slots",
        "communication_preference": "Email",
        "marketing_opt_in": True,
        "marketing_channel": "Email",
        "vip_flag": False,
        "self_excluded": False,
        "account_status": "Active",
        "tin_on_file": True,
        "tax_residency": "US",
        "identity_verified": True,
    },
    "financial_txn": {
        "transaction_id": "T1",
        "transaction_type": "CHIP_PURCHASE",
        "transaction_timestamp": NOON,
        "cage_location": "W1",
        "cashier_id": "C1",
        "player_id": "P1",
        "amount": Decimal("100.00"),
        "currency": "USD",
        "payment_method": "Cash",
        "ctr_required": False,
        "ctr_filed": False,
        "suspicious_activity_flag": False,
        "shift": "Day",
        "business_date": DAY,
    },
    "security_events": {
        "event_id": "E1",
        "event_type": "BADGE_SWIPE",
        "event_timestamp": NOON,
        "zone": "Cage",
        "location_detail": "Door 4",
        "security_level": "Employee",
        "shift": "Day",
    },
    "compliance": {
        "report_id": "R1",
        "report_type": "CTR",
        "report_timestamp": NOON,
        "filing_date": DAY,
        "due_date": dt.date(2025, 1, 16),
        "status": "Filed",
        "player_id": "P1",
        "transaction_date": DAY,
        "transaction_amount": Decimal("10000.01"),
        "compliance_officer_id": "O1",
        "property_code": "X",
    },
    "gaming_wins": {
        "win_id": "W1",
        "player_id": "P1",
        "game_type": "SLOT",
        "won_at": NOON,
        "paid_at": NOON,
        "gross_amount": Decimal("2000.00"),
        "wager": Decimal("5.00"),
        "transaction_id": "T1",
    },
    "staff_observations": {
        "observation_id": "O1",
        "observed_at": NOON,
        "player_id": "P1",
        "kind": "OTHER",
        "transaction_id": "T1",
    },
}
TABLES = tuple(_ROWS)


def row(table: str, **changes: Any) -> dict[str, Any]:
    """A valid row, known to the lake one hour after its day began, with `changes`."""
    known = {
        "gaming_day": DAY,
        "_ingested_at": NOON,
        "_source": "test",
        "_batch_id": "b1",
    }
    return _ROWS[table] | known | changes


def bronze(table: str, *rows: dict[str, Any]) -> pl.DataFrame:
    """Rows in the bronze shape; what a row does not have is null."""
    schema = contract(table).bronze_schema()
    return pl.DataFrame([{n: r.get(n) for n in schema} for r in rows], schema=schema)


def changed(table: str, *changes: dict[str, Any]) -> pl.DataFrame:
    """One row for each set of changes, with keys K1, K2, … unless a change names the key."""
    key = KEY_OF[table]
    return bronze(
        table, *(row(table, **({key: f"K{i}"} | c)) for i, c in enumerate(changes, start=1))
    )


def as_text(frame: pl.DataFrame, **texts: list[str | None]) -> pl.DataFrame:
    """The frame with text in place of some columns, as a file may bring it."""
    return frame.with_columns(pl.Series(n, v, dtype=pl.String) for n, v in texts.items())
