"""The SQL that lays tables out, alike for all databases but for their types."""

from __future__ import annotations

from collections.abc import Mapping

from lakehouse.errors import BadInput
from lakehouse.serve.publish.shapes import Column, Kind, Shape

Types = Mapping[Kind, str]
"""Kind → type of the database; a decimal's has {precision} and {scale}."""


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def type_of(column: Column, types: Types) -> str:
    return types[column.kind].format(precision=column.precision, scale=column.scale)


def created(shape: Shape, place: str, types: Types) -> str:
    """CREATE TABLE, with the key and what may not be null."""
    parts = [_declared(c, types) for c in shape.columns]
    if shape.key:
        parts.append(f"PRIMARY KEY ({', '.join(map(quoted, shape.key))})")
    body = ",\n  ".join(parts)
    return f"CREATE TABLE IF NOT EXISTS {place} (\n  {body}\n)"


def added(shape: Shape, place: str, types: Types, there: Mapping[str, str]) -> list[str]:
    """ALTER TABLE for each column that is not there; it may be null, as older rows are.

    Raises BadInput where a column has another type, or one that only the database has may not
    be null."""
    wrong = [
        f"{c.name} is {there[c.name]}, not {type_of(c, types)}"
        for c in shape.columns
        if c.name in there and there[c.name].lower() != type_of(c, types).lower()
    ]
    if wrong:
        raise BadInput(
            f"{place} is there with other types: {'; '.join(wrong)}. Rename or drop it there, or "
            "publish to another schema or file"
        )
    return [
        f"ALTER TABLE {place} ADD COLUMN {quoted(c.name)} {type_of(c, types)}"
        for c in shape.columns
        if c.name not in there
    ]


def day_sums(shape: Shape, place: str, days: str, summed: str) -> str:
    """Counts and sums by day, each sum as text; `summed` has {column}."""
    day = quoted("gaming_day") if shape.has_days else text("0001-01-01")
    sums = "".join(f", {summed.format(column=quoted(n))}" for n in shape.summed)
    where = f" WHERE {quoted('gaming_day')} {days}" if shape.has_days else ""
    return f"SELECT {day}, count(*){sums} FROM {place}{where} GROUP BY 1"


def _declared(column: Column, types: Types) -> str:
    null = " NOT NULL" if column.is_required else ""
    return f"{quoted(column.name)} {type_of(column, types)}{null}"
