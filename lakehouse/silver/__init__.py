"""Bronze to silver: clean, judged, and with its history. No row ever vanishes."""

from lakehouse.silver.history import history, upsert_history
from lakehouse.silver.judgement import CleanResult, clean

__all__ = ["CleanResult", "clean", "history", "upsert_history"]
