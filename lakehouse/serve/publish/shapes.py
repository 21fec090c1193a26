"""What a published table is, from its contract: columns, key, meaning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import polars as pl

from lakehouse.contracts import contract
from lakehouse.errors import BadInput
from lakehouse.storage import stored_schema
from lakehouse.storage.shapes import (
    PARTITION,
    partition_columns,
    required_columns,
    stored_comments,
    stored_tables,
)

Kind = Literal["text", "integer", "float", "decimal", "boolean", "date", "moment", "json"]
_KINDS: tuple[tuple[type[pl.DataType], Kind], ...] = (
    (pl.String, "text"),
    (pl.Float64, "float"),
    (pl.Decimal, "decimal"),
    (pl.Boolean, "boolean"),
    (pl.Date, "date"),
    (pl.Datetime, "moment"),
    (pl.List, "json"),
    (pl.Struct, "json"),
)
OPEN, CLOSED = ("silver", "gold"), ("restricted",)


@dataclass(frozen=True)
class Column:
    """A column, with the digits of a decimal."""

    name: str
    kind: Kind
    comment: str
    is_required: bool = False
    precision: int = 0
    scale: int = 0


@dataclass(frozen=True)
class Shape:
    """A table as a database is to have it."""

    layer: str
    table: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    comment: str

    @property
    def name(self) -> str:
        return f"{self.layer}.{self.table}"

    @property
    def has_days(self) -> bool:
        """Whether it is stored, and so replaced, by gaming day; else as a whole."""
        return PARTITION in partition_columns(self.layer, self.table)

    @property
    def summed(self) -> tuple[str, ...]:
        """Columns whose sums must agree to the last digit."""
        return tuple(c.name for c in self.columns if c.kind in ("integer", "decimal"))


def shape_of(layer: str, table: str) -> Shape:
    """The shape of a stored table. Of what the lake keeps by history the key is not one."""
    required, comments = required_columns(layer, table), stored_comments(layer, table)
    schema = stored_schema(layer, table)
    columns = tuple(_column(n, t, comments[n], n in required) for n, t in schema.items())
    c = contract(table)
    key = c.key if layer != "silver" or partition_columns(layer, table) else []
    return Shape(layer, table, columns, tuple(key), c.description)


def named(text: str, *, restricted: bool) -> Shape:
    """The shape of `layer.table`, or of a gold table by its name alone. Raises BadInput for what
    is no table, and for one that only the compliance office may read."""
    layer, _, table = text.rpartition(".")
    layer = layer or "gold"
    there = set(stored_tables(*OPEN, *CLOSED))
    if (layer, table) not in there:
        raise BadInput(f"no table {text!r} to publish: name one of silver or gold")
    if not restricted and (layer in CLOSED or not contract(table).is_countable):
        raise BadInput(f'{text} is restricted: give --restricted --purpose "…", and have the key')
    return shape_of(layer, table)


def flattened(rows: pl.DataFrame, shape: Shape) -> pl.DataFrame:
    """Rows in the columns of the shape; what is nested as JSON."""
    return rows.select(_flat(c) for c in shape.columns)


def _flat(column: Column) -> pl.Expr:
    if column.kind != "json":
        return pl.col(column.name)
    before = len(f'{{"{column.name}":'.encode())
    said = pl.struct(column.name).struct.json_encode()
    bare = said.str.slice(before, said.str.len_chars() - before - 1)
    return pl.when(pl.col(column.name).is_not_null()).then(bare).alias(column.name)


def _column(name: str, dtype: pl.DataType, comment: str, is_required: bool) -> Column:
    if dtype.is_integer():
        return Column(name, "integer", comment, is_required)
    kind = next(k for t, k in _KINDS if isinstance(dtype, t))
    if isinstance(dtype, pl.Decimal):
        return Column(name, kind, comment, is_required, dtype.precision or 38, dtype.scale)
    return Column(name, kind, comment, is_required)


def lines(shape: Shape) -> Iterator[tuple[str, str]]:
    """Name and comment of the columns."""
    return ((c.name, c.comment) for c in shape.columns)
