"""What a rule of detection says of rows by hand."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
from law_rows import rows
from silver_rows import mart

from lakehouse.contracts import contract
from lakehouse.detection.registry import rules

DAY = dt.date(2026, 6, 15)


def at(time: str, days: int = 0) -> str:
    """A moment of the calendar day so many days after `DAY`."""
    return f"{DAY + dt.timedelta(days)} {time}"


def day(days: int) -> dt.date:
    return DAY + dt.timedelta(days)


def alerts(name: str, *, on: int = 0, **tables: list[dict[str, Any]]) -> pl.DataFrame:
    """Alerts of rule `name` on a day, from partial rows of silver tables and marts."""
    given = {r.table: _frame(r.table, tables.get(r.table, [])) for r in rules()[name].reads}
    assert set(tables) <= set(given)
    return rules()[name].alerts(given, (day(on), day(on))).collect()


def keys(found: pl.DataFrame) -> list[tuple[str, str]]:
    """Evidence of the only alert."""
    assert found.height == 1, found
    return [(k["table_name"], k["record_id"]) for k in found["evidence"][0]]


def days_named(found: pl.DataFrame) -> list[dt.date]:
    """Gaming days of the evidence of the only alert."""
    assert found.height == 1, found
    return [k["gaming_day"] for k in found["evidence"][0]]


def _frame(table: str, given: list[dict[str, Any]]) -> pl.LazyFrame:
    if contract(table).layer == "source":
        return rows(table, *given)
    texts = [
        {k: v if not isinstance(v, float) else str(Decimal(v)) for k, v in r.items()} for r in given
    ]
    return mart(table, texts)
