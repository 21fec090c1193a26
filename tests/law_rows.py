"""Silver rows for tests of the law: what is not given is null."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from lakehouse.contracts import contract
from lakehouse.regulation.gaming_day import gaming_day_of

ZONE = "America/Los_Angeles"
AS_OF = dt.datetime(2026, 12, 31, 20, tzinfo=dt.UTC)


def local(text: str) -> dt.datetime:
    """A moment at the property: "2026-11-10 20:00"."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE)).astimezone(dt.UTC)


def rows(table: str, *given: dict[str, Any]) -> pl.LazyFrame:
    """A silver frame of `table`; the gaming day follows from the event time."""
    c = contract(table)
    schema = c.silver_schema()
    filled = [_typed(r, schema, c.event_time) for r in given]
    return pl.DataFrame(filled, schema=schema, orient="row").lazy()


def cash(key: str, kind: str, at: str, amount: str, player: str | None = "P1", **more: Any) -> dict:
    return {
        "transaction_id": key,
        "transaction_type": kind,
        "transaction_timestamp": at,
        "amount": amount,
        "player_id": player,
        "payment_method": "Cash",
        "currency": "USD",
        "cage_location": "Main cage",
    } | more


def people(*ids: str, **more: Any) -> pl.LazyFrame:
    known = {"identity_verified": True, "tin_on_file": True, "tax_residency": "US"}
    day = {"gaming_day": dt.date(2020, 1, 1)}
    return rows(
        "player_profile",
        *({"player_id": p, "address_line1": f"{p} Street"} | known | day | more for p in ids),
    )


def _typed(row: dict[str, Any], schema: pl.Schema, event_time: str | None) -> dict[str, Any]:
    typed = {c: _value(row.get(c), t) for c, t in schema.items()}
    if event_time and typed["gaming_day"] is None:
        typed["gaming_day"] = gaming_day_of(typed[event_time], ZONE)
    return typed


def _value(value: Any, dtype: pl.DataType) -> Any:
    if isinstance(value, str) and isinstance(dtype, pl.Decimal):
        return Decimal(value)
    if isinstance(value, str) and isinstance(dtype, pl.Datetime):
        return local(value) if "T" not in value else dt.datetime.fromisoformat(value)
    return value
