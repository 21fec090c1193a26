"""What a defect is, and how one row is damaged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from lakehouse.storage import Lake

Damage = Callable[[pl.DataFrame, Lake, dt.date], pl.DataFrame]
"""The damaged rows of a table and gaming day, from the sound ones."""
DERIVED = "gold/property_day:every_stored_row_is_derived"


@dataclass(frozen=True)
class Mutation:
    """`fails`: addresses of the checks that fail of it on its day, and no other check does on
    any day. `told`: whether the write tells that nothing is derived of the rows."""

    defect: str
    layer: str
    table: str
    damage: Damage
    fails: tuple[str, ...]
    told: bool = False

    @property
    def home(self) -> str:
        return f"{self.layer}/{self.table}"


def first(where: pl.Expr, **values: object) -> Damage:
    """The first row of which `where` is true gets these values; a mutation that finds none is
    none, and raises LookupError."""

    def damage(rows: pl.DataFrame, _lake: Lake, day: dt.date) -> pl.DataFrame:
        numbered = rows.with_row_index("at")
        found = numbered.filter(where)["at"]
        if found.is_empty():
            raise LookupError(f"no row to damage on {day}")
        mine = pl.col("at") == found[0]
        changed = {
            name: pl.when(mine)
            .then(value if isinstance(value, pl.Expr) else pl.lit(value))
            .otherwise(name)
            .cast(rows.schema[name])
            for name, value in values.items()
        }
        return numbered.with_columns(**changed).drop("at")

    return damage
