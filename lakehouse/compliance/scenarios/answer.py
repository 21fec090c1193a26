"""Reads the answer to a case from its marts and from quarantine."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from lakehouse.compliance.scenarios.case import Case
from lakehouse.contracts import contract, door_of
from lakehouse.storage import stored_schema

Listed = list[dict[str, Any]]
Frames = Mapping[str, pl.DataFrame]

COLUMNS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "ctr": (
        "ctr_filings",
        (
            *("player_id", "gaming_day", "cash_in", "cash_out", "due"),
            *("detail_codes_in", "detail_codes_out", "multiple_transactions", "aggregate"),
            *("conducted_by", "on_behalf_of", "foreign", "transaction_ids"),
        ),
    ),
    "w2g": (
        "w2g_forms",
        (
            *("player_id", "win_id", "game_type", "reportable_winnings", "paid_on"),
            *("withholding", "withholding_kind"),
        ),
    ),
    "form_1042s": ("form_1042s", ("player_id", "win_id", "amount", "withholding")),
    "form_8300": ("form_8300_notices", ("player_id", "amount")),
    "sar_cases": (
        "sar_cases",
        (
            *("player_id", "typology", "subtypes", "mandatory", "filed"),
            *("amount", "detected_on", "due"),
        ),
    ),
    "alerts": ("alerts", ("rule", "player_ids", "amount", "evidence")),
    "instrument_log": ("instrument_log", ("transaction_id", "player_id", "amount")),
    "multiple_transaction_log": (
        "multiple_transaction_log",
        ("transaction_id", "player_id", "amount"),
    ),
    "exceptions": (
        "filing_exceptions",
        ("player_id", "gaming_day", "reason", "amount"),
    ),
}
RETENTION = ("filing_retention", "sar_retention")
VALUE = ("player_id", "theo", "adt", "adt_with_zero_days")
ANSWERS = frozenset(
    {table for table, _ in COLUMNS.values()} | set(RETENTION) | {"player_day", "player_value"}
)
"""The marts that an answer is read from, and what they are made of."""
ANNUAL = {"W-2G": "w2g_forms", "1042-S": "form_1042s"}


def answer(case: Case, made: Frames, quarantine: Frames) -> dict[str, Any]:
    """The case's id and each key of the output, empty where nothing follows. `made`: mart →
    rows; `quarantine`: source table → rejected rows."""
    found: dict[str, Any] = {"id": case.id}
    for key, (table, columns) in COLUMNS.items():
        found[key] = _plain(_rows(made, table), columns)
    for form in found["ctr"]:
        form["foreign"] = [{k: v for k, v in f.items() if k != "amount"} for f in form["foreign"]]
    found["alerts"] = [_alert(**alert) for alert in found["alerts"]]
    year = case.settings.get("calendar_year_forms")
    return found | {
        "annual_due_dates": [] if year is None else _annual(made, int(year)),
        "retention": [
            row
            for table in RETENTION
            for row in _plain(_rows(made, table), ("record_id", "retain_until"))
        ],
        "player_value": _value(made),
        "quarantine": _quarantine(quarantine),
    }


def _alert(rule: str, evidence: Listed, **alert: Any) -> dict[str, Any]:
    return {"kind": rule} | alert | {"evidence": [row["record_id"] for row in evidence]}


def _rows(made: Frames, table: str) -> pl.DataFrame:
    c = contract(table)
    return made.get(table, pl.DataFrame(schema=stored_schema(c.layer, table))).sort(c.key)


def _plain(rows: pl.DataFrame, columns: tuple[str, ...]) -> Listed:
    return [{c: _json(v) for c, v in row.items()} for row in rows.select(columns).to_dicts()]


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def _annual(made: Frames, year: int) -> Listed:
    """Only forms that the case's rows call for."""
    dates = ["winner_copy", "paper", "efile"]
    found: Listed = []
    for form, table in ANNUAL.items():
        rows = _rows(made, table).filter(pl.col("tax_year") == year)
        due = rows.select(pl.col(f"{d}_due").alias(d) for d in dates).unique()
        found += [{"form": form} | row for row in _plain(due, tuple(dates))]
    return found


def _value(made: Frames) -> Listed:
    snapshots = _rows(made, "player_value").sort("gaming_day", "player_id")
    latest = snapshots.group_by("player_id", maintain_order=True).last().sort("player_id")
    return _plain(latest, VALUE)


def _quarantine(quarantine: Frames) -> Listed:
    found: Listed = []
    for table, rows in quarantine.items():
        found += [
            {"table": door_of(table), "record_id": _key(table, row), "rules": row["_rules"]}
            for row in rows.sort("_file", "_line", nulls_last=True).to_dicts()
        ]
    return found


def _key(table: str, row: dict[str, Any]) -> str | None:
    """The row's own key, from its landed text where it could not be typed."""
    column = contract(table).key[0]
    if row[column] is not None or row["_raw"] is None:
        return _json(row[column])
    try:
        landed = json.loads(row["_raw"])
    except ValueError:
        return None
    return landed.get(column) if isinstance(landed, dict) else None
