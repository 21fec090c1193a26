"""Alerts of machines by hand, and a lake that has them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from lakehouse.contracts import contract
from lakehouse.storage import Commit, Lake

DAY = dt.date(2025, 1, 3)


def alert(entity: str, day: dt.date = DAY, **more: Any) -> dict[str, Any]:
    return {
        "alert_id": f"meter_against_play-{day}-{entity}",
        "gaming_day": day,
        "rule": "meter_against_play",
        "entity_id": entity,
        "family": "machine",
        "entity_type": "machine",
        "window_start": day,
        "window_end": day,
        "severity": "CRITICAL",
        "score": 0.9,
        "evidence": [
            {"table_name": "slot_performance", "record_id": f"{entity}/{day}", "gaming_day": day}
        ],
        "evidence_rows": 1,
        "said": "The meter advanced.",
        "suggested_action": "Look.",
    } | more


def frame(*alerts: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(alerts), schema=contract("anomalies").bronze_schema())


def store(lake: Lake, *alerts: dict[str, Any]) -> None:
    days = (DAY - dt.timedelta(days=1), DAY)
    lake.write_days("gold", "anomalies", frame(*alerts), days, commit=Commit("r", "gold/x", "1"))
