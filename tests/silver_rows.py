"""Silver frames from partial rows: what a row leaves out is null, and times are local."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from lakehouse.contracts import contract

ZONE = "America/Los_Angeles"


def at(day: dt.date, clock: str) -> dt.datetime:
    """UTC moment of a local clock time in a gaming day; before 06:00 is the morning after."""
    time = dt.time.fromisoformat(clock)
    calendar = day + dt.timedelta(days=1) if time < dt.time(6) else day
    return dt.datetime.combine(calendar, time, tzinfo=ZoneInfo(ZONE)).astimezone(dt.UTC)


def silver(table: str, rows: list[Mapping[str, Any]]) -> pl.LazyFrame:
    """Silver `table`; money as text, `at` as the local time of the event."""
    schema = contract(table).silver_schema()
    event_time = contract(table).event_time
    filled = []
    for number, row in enumerate(rows):
        given = dict(row)
        if "at" in given and event_time:
            given[event_time] = at(given["gaming_day"], given.pop("at"))
        given.setdefault(contract(table).key[0], f"{table}-{number:04d}")
        assert set(given) <= set(schema), set(given) - set(schema)
        filled.append({c: _typed(given.get(c), t) for c, t in schema.items()})
    return pl.LazyFrame(filled, schema=schema)


def mart(table: str, rows: list[Mapping[str, Any]]) -> pl.LazyFrame:
    """A mart from partial rows: what is left out is 0, false or null, as its column allows."""
    schema = contract(table).bronze_schema()
    filled = [{c: _typed(row.get(c, _nothing(t)), t) for c, t in schema.items()} for row in rows]
    return pl.LazyFrame(filled, schema=schema)


def _nothing(dtype: pl.DataType) -> Any:
    if isinstance(dtype, pl.Boolean):
        return False
    return 0 if dtype.is_numeric() else None


def _typed(value: Any, dtype: pl.DataType) -> Any:
    return Decimal(value) if isinstance(dtype, pl.Decimal) and value is not None else value


def record(frame: pl.LazyFrame | pl.DataFrame, **key: Any) -> dict[str, Any]:
    """The one row with this key."""
    rows = frame.lazy().filter(**key).collect().to_dicts()
    assert len(rows) == 1, (key, len(rows))
    return rows[0]


def assert_record(row: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Equality on the columns that are named; amounts as text."""
    found = {c: row[c] for c in expected}
    wanted = {c: Decimal(v) if isinstance(found[c], Decimal) else v for c, v in expected.items()}
    assert found == wanted
