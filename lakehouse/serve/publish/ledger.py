"""What a database is told of the days that it has: the state of each, its rows and its sums."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from lakehouse.serve.publish.ddl import Dialect, text
from lakehouse.serve.publish.shapes import Shape
from lakehouse.serve.publish.target import WHOLE, Marks, Sums


def noted(ledger: str, shape: Shape, marks: Marks, sent: Sums, dialect: Dialect) -> list[str]:
    """The statements that put `marks` in the place of what was noted of their days."""
    mine = text(shape.table)
    days = ", ".join(text(str(d)) for d in sorted(marks))
    rows = [
        f"({mine}, {text(str(day))}, {text(mark)}, {count}, {text(sums)})"
        for day, mark in sorted(marks.items())
        if mark
        for count, sums in [_told(shape, sent.get(day))]
    ]
    gone = f"DELETE FROM {ledger} WHERE table_name = {mine} AND gaming_day IN ({days})"
    columns = dialect.names(("table_name", "gaming_day", "mark", "rows", "sums"))
    new = f"INSERT INTO {ledger} ({columns}) VALUES {', '.join(rows)}"
    return [gone, new] if rows else [gone]


def sums_found(rows: Iterable[tuple[Any, ...]]) -> Sums:
    """What `day_sums` answered; the day of a table without days is text."""
    return {
        WHOLE if isinstance(day, str) else day: tuple(Decimal(v) for v in values)
        for day, *values in rows
    }


def _told(shape: Shape, sums: tuple[Decimal, ...] | None) -> tuple[int, str]:
    if sums is None:
        return 0, "{}"
    by_column = dict(zip(shape.summed, map(str, sums[1:]), strict=True))
    return int(sums[0]), json.dumps(by_column)
