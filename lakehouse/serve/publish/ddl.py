"""The SQL that lays tables out, alike for all databases but for their words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from lakehouse.errors import BadInput
from lakehouse.serve.publish.shapes import Column, Kind, Shape
from lakehouse.storage.shapes import PARTITION


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def uncommented(declared: str, _: str) -> str:
    return declared


@dataclass(frozen=True)
class Dialect:
    """What a database calls things."""

    types: Mapping[Kind, str]
    """Kind → type; a decimal's has {precision} and {scale}."""
    quoted: Callable[[str], str] = quoted
    commented: Callable[[str, str], str] = uncommented
    """A declared column with its meaning, where CREATE TABLE can hold it."""

    def type_of(self, column: Column) -> str:
        return self.types[column.kind].format(precision=column.precision, scale=column.scale)

    def names(self, columns: Collection[str]) -> str:
        return ", ".join(map(self.quoted, columns))

    def declared(self, column: Column) -> str:
        null = " NOT NULL" if column.is_required else ""
        words = f"{self.quoted(column.name)} {self.type_of(column)}{null}"
        return self.commented(words, column.comment)


def created(shape: Shape, place: str, dialect: Dialect) -> str:
    """CREATE TABLE, with the key and what may not be null. Of the key the day comes first: rows
    come and go by days, and so at one place of its index."""
    parts = [dialect.declared(c) for c in shape.columns]
    if shape.key:
        key = sorted(shape.key, key=lambda name: name != PARTITION)
        parts.append(f"PRIMARY KEY ({dialect.names(key)})")
    body = ",\n  ".join(parts)
    return f"CREATE TABLE IF NOT EXISTS {place} (\n  {body}\n)"


def indexed(shape: Shape, place: str, dialect: Dialect) -> list[str]:
    """CREATE INDEX of days, where the key has none."""
    if not shape.has_days or PARTITION in shape.key:
        return []
    name = dialect.quoted(f"{shape.layer}_{shape.table}_days")
    column = dialect.quoted(PARTITION)
    return [f"CREATE INDEX IF NOT EXISTS {name} ON {place} ({column})"]


def added(shape: Shape, place: str, dialect: Dialect, there: Mapping[str, str]) -> list[str]:
    """ALTER TABLE for each column that is not there; it may be null, as older rows are.

    Raises BadInput where a column has another type."""
    wrong = [
        f"{c.name} is {there[c.name]}, not {dialect.type_of(c)}"
        for c in shape.columns
        if c.name in there and there[c.name].lower() != dialect.type_of(c).lower()
    ]
    if wrong:
        raise BadInput(
            f"{place} is there with other types: {'; '.join(wrong)}. Rename or drop it there, or "
            "publish to another schema or file"
        )
    return [
        f"ALTER TABLE {place} ADD COLUMN {dialect.quoted(c.name)} {dialect.type_of(c)}"
        for c in shape.columns
        if c.name not in there
    ]


def day_sums(shape: Shape, place: str, days: str, summed: str, dialect: Dialect) -> str:
    """Counts and sums by day, each sum as text; `summed` has {column}."""
    day = dialect.quoted(PARTITION)
    of = day if shape.has_days else text("0001-01-01")
    sums = "".join(f", {summed.format(column=dialect.quoted(n))}" for n in shape.summed)
    where = f" WHERE {day} {days}" if shape.has_days else ""
    return f"SELECT {of}, count(*){sums} FROM {place}{where} GROUP BY 1"
