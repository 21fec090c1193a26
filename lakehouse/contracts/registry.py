"""What is known of each table, and what follows from its schema."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import dataframely as dy
import polars as pl

from lakehouse.errors import BadInput

Layer = Literal["source", "silver", "gold", "restricted", "truth", "ops"]
PROVENANCE = ("_ingested_at", "_source", "_batch_id")

_contracts: dict[str, Contract] = {}


@dataclass(frozen=True)
class Contract:
    """One table: its schema, and the shapes that follow from it.

    A table of the layer "source" is stored three times: bronze (shape only, so that dirty
    rows can be stored), silver (truth, with personal data protected) and quarantine.
    """

    name: str
    layer: Layer
    schema: type[dy.Schema]
    grain: str
    event_time: str | None = None
    partitioned: bool = True
    confidential: bool = False
    """Never in the ordinary SQL catalog; folder mode 0700 on a local disk."""
    second_names: tuple[tuple[str, str], ...] = ()
    """(name, column): other names that files give a column; the lake stores it once."""

    @property
    def description(self) -> str:
        return " ".join((self.schema.__doc__ or "").split())

    @functools.cached_property
    def columns(self) -> dict[str, dy.Column]:
        return self.schema.columns()

    @functools.cached_property
    def key(self) -> list[str]:
        return self.schema.primary_key()

    def metadata(self, column: str) -> dict[str, Any]:
        return dict(self.columns[column].metadata or {})

    def names(self, column: str) -> list[str]:
        """The column's own name, then its second names."""
        return [column, *(name for name, of in self.second_names if of == column)]

    def references(self) -> dict[str, tuple[str, str]]:
        """column → (table, column) that its values must exist in."""
        refs = {n: (c.metadata or {}).get("refs") for n, c in self.columns.items()}
        return {c: (r.split(".")[0], r.split(".")[1]) for c, r in refs.items() if r}

    def bronze_schema(self) -> pl.Schema:
        """Shape only: every column may be null and closed domains are plain text."""
        return pl.Schema({n: stored_type(c.dtype) for n, c in self.columns.items()})

    def silver_schema(self) -> pl.Schema:
        """What silver stores: as bronze, but protected columns hold tokens and bands."""
        return pl.Schema(
            {
                n: pl.String() if (c.metadata or {}).get("protect") else stored_type(c.dtype)
                for n, c in self.columns.items()
            }
        )

    def empty(self) -> pl.DataFrame:
        return pl.DataFrame(schema=self.bronze_schema())

    def descriptions(self) -> dict[str, str]:
        return {n: c.description or "" for n, c in self.columns.items()}


def stored_type(dtype: pl.DataType) -> pl.DataType:
    """Delta knows no closed domains: an Enum is stored as text."""
    return pl.String() if isinstance(dtype, pl.Enum) else dtype


def table(
    name: str,
    *,
    layer: Layer,
    grain: str,
    event_time: str | None = None,
    partitioned: bool = True,
    confidential: bool = False,
    second_names: tuple[tuple[str, str], ...] = (),
) -> Callable[[type[dy.Schema]], type[dy.Schema]]:
    """Declares the decorated schema as the contract of table `name`."""

    def register(schema: type[dy.Schema]) -> type[dy.Schema]:
        _contracts[name] = Contract(
            name, layer, schema, grain, event_time, partitioned, confidential, second_names
        )
        return schema

    return register


def contract(name: str) -> Contract:
    """The contract of a table. Raises BadInput for an unknown name."""
    if name not in _contracts:
        raise BadInput(f"unknown table {name!r}; known: {', '.join(sorted(_contracts))}")
    return _contracts[name]


def contracts(layer: Layer | None = None) -> dict[str, Contract]:
    """All contracts, or those of one layer, in order of declaration."""
    return {n: c for n, c in _contracts.items() if layer in (None, c.layer)}
