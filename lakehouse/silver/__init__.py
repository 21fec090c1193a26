"""Bronze to silver: clean, judged, and with its history. No row ever vanishes."""

from lakehouse.silver.history import history, upsert_history
from lakehouse.silver.judgement import CleanResult
from lakehouse.silver.sources import (
    clean,
    clean_compliance,
    clean_financial_txn,
    clean_gaming_wins,
    clean_player_profile,
    clean_sar_filings,
    clean_security_events,
    clean_slot_telemetry,
    clean_staff_observations,
    clean_table_games,
)

__all__ = [
    "CleanResult",
    "clean",
    "clean_compliance",
    "clean_financial_txn",
    "clean_gaming_wins",
    "clean_player_profile",
    "clean_sar_filings",
    "clean_security_events",
    "clean_slot_telemetry",
    "clean_staff_observations",
    "clean_table_games",
    "history",
    "upsert_history",
]
