"""Reads the answer to a case from gold, the restricted zone and quarantine."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from lakehouse.compliance.scenarios.case import Case
from lakehouse.contracts import contract, contracts, door_of
from lakehouse.storage import Lake

Listed = list[dict[str, Any]]

COLUMNS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "ctr": (
        "gold",
        "ctr_filings",
        (
            *("player_id", "gaming_day", "cash_in", "cash_out", "due"),
            *("detail_codes_in", "detail_codes_out", "multiple_transactions", "aggregate"),
            *("conducted_by", "on_behalf_of", "foreign", "transaction_ids"),
        ),
    ),
    "w2g": (
        "gold",
        "w2g_forms",
        (
            *("player_id", "win_id", "game_type", "reportable_winnings", "paid_on"),
            *("withholding", "withholding_kind"),
        ),
    ),
    "form_1042s": ("gold", "form_1042s", ("player_id", "win_id", "amount", "withholding")),
    "form_8300": ("gold", "form_8300_notices", ("player_id", "amount")),
    "sar_cases": (
        "restricted",
        "sar_cases",
        (
            *("player_id", "typology", "subtypes", "mandatory", "filed"),
            *("amount", "detected_on", "due"),
        ),
    ),
    "alerts": ("restricted", "alerts", ("kind", "player_ids", "amount", "evidence")),
    "instrument_log": ("gold", "instrument_log", ("transaction_id", "player_id", "amount")),
    "multiple_transaction_log": (
        "gold",
        "multiple_transaction_log",
        ("transaction_id", "player_id", "amount"),
    ),
    "exceptions": (
        "gold",
        "filing_exceptions",
        ("player_id", "gaming_day", "reason", "amount"),
    ),
}
RETENTION = (("gold", "filing_retention"), ("restricted", "sar_retention"))
VALUE = ("player_id", "theo", "adt", "adt_with_zero_days")
ANSWERS = frozenset(
    {table for _, table, _ in COLUMNS.values()}
    | {table for _, table in RETENTION}
    | {"player_day", "player_value"}
)
"""The marts that an answer is read from, and what they are made of."""
ANNUAL = {"W-2G": "w2g_forms", "1042-S": "form_1042s"}


def answer(lake: Lake, case: Case) -> dict[str, Any]:
    """The case's id and each key of the output, empty where nothing follows."""
    found: dict[str, Any] = {"id": case.id}
    for key, (layer, table, columns) in COLUMNS.items():
        found[key] = _plain(_stored(lake, layer, table), columns)
    for form in found["ctr"]:
        form["foreign"] = [{k: v for k, v in f.items() if k != "amount"} for f in form["foreign"]]
    year = case.settings.get("calendar_year_forms")
    return found | {
        "annual_due_dates": [] if year is None else _annual(lake, int(year)),
        "retention": [
            row
            for layer, table in RETENTION
            for row in _plain(_stored(lake, layer, table), ("record_id", "retain_until"))
        ],
        "player_value": _value(lake),
        "quarantine": _quarantine(lake),
    }


def _stored(lake: Lake, layer: str, table: str) -> pl.DataFrame:
    return lake.scan(layer, table).collect().sort(contract(table).key)


def _plain(rows: pl.DataFrame, columns: tuple[str, ...]) -> Listed:
    return [{c: _json(v) for c, v in row.items()} for row in rows.select(columns).to_dicts()]


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    return value


def _annual(lake: Lake, year: int) -> Listed:
    """Only forms that the case's rows call for."""
    dates = ["winner_copy", "paper", "efile"]
    found: Listed = []
    for form, table in ANNUAL.items():
        rows = lake.scan("gold", table).filter(pl.col("tax_year") == year)
        due = rows.select(pl.col(f"{d}_due").alias(d) for d in dates).unique().collect()
        found += [{"form": form} | row for row in _plain(due, tuple(dates))]
    return found


def _value(lake: Lake) -> Listed:
    snapshots = lake.scan("gold", "player_value").sort("gaming_day", "player_id").collect()
    latest = snapshots.group_by("player_id", maintain_order=True).last().sort("player_id")
    return _plain(latest, VALUE)


def _quarantine(lake: Lake) -> Listed:
    found: Listed = []
    for table in contracts("source"):
        if not lake.exists("quarantine", table):
            continue
        rows = lake.scan("quarantine", table).collect()
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
