"""What is known of each table, and what follows from its schema."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import dataframely as dy
import polars as pl

from lakehouse.errors import BadInput

Layer = Literal["source", "silver", "gold", "restricted", "truth", "ops"]
PROVENANCE = ("_ingested_at", "_source", "_batch_id")
MADE = "made:"
"""How `_source` begins of a minimal row; the source of the row that it was made of follows."""
OFFSET = r"^(topic:.*)@\d+$"
"""How `_source` reads of a row that came as an event; the rest is its partition."""
Told = Callable[[pl.DataFrame], pl.Series]
"""Rows as they came → whether each may stand among those that everybody sees."""

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
    """Holds identities: its folders are the owner's alone, but for silver's tokens."""
    restricted: bool = False
    """A source that tells of suspicion: every layer of it is stored in the restricted zone."""
    door: str = ""
    """Of a source whose rows come in with those of another table: that table."""
    is_open: Told | None = None
    """Of a source with a door: which of the rows that come in stay with that table."""
    monthly_rows: int = 0
    """Of a source that the POC gives a volume: its rows of 30 days, which are exact where they
    are simulated. 0: there are as many as the play leads to."""
    kind: str = ""
    """Of a source that books rest on: the column that says what a row does to them."""
    has_minimal: bool = False
    """Whether a row may be made of what others name: it holds its key and what was named."""
    topic: str = ""
    """Of a source whose rows also come as events: the topic that they come in."""
    topic_key: str = ""
    """The column by which events are kept in order: all of a person are in one partition."""

    @property
    def domain(self) -> str:
        """What part of the house it belongs to: the folder of its module."""
        return self.schema.__module__.split(".")[2]

    @property
    def is_restricted(self) -> bool:
        """Whether only those with the grant may read it, at every layer, or learn of it how
        many rows it has, since when, or which rules they break (31 U.S.C. 5318(g)(2))."""
        return self.restricted or self.layer == "restricted"

    @property
    def is_countable(self) -> bool:
        """Whether everybody may know how many rows there are."""
        return not self.is_restricted and self.layer != "truth"

    @property
    def description(self) -> str:
        return " ".join((self.schema.__doc__ or "").split())

    @functools.cached_property
    def columns(self) -> dict[str, dy.Column]:
        return self.schema.columns()

    @functools.cached_property
    def key(self) -> list[str]:
        return self.schema.primary_key()

    @functools.cached_property
    def rules(self) -> dict[str, pl.Expr]:
        """What each row keeps, by the rule's name. Of a minimal row no more than its key and
        provenance has to be there."""
        declared = self.schema._validation_rules(with_cast=False)
        found = {name: rule.expr for name, rule in declared.items()}
        if self.has_minimal:
            is_made = pl.col("_source").str.starts_with(MADE)
            for column in self.columns.keys() - {*self.key, *PROVENANCE}:
                if (rule := f"{column}|nullability") in found:
                    found[rule] = is_made | found[rule]
        return found

    def metadata(self, column: str) -> dict[str, Any]:
        return dict(self.columns[column].metadata or {})

    def names(self, column: str) -> list[str]:
        """The column's own name, then what else files call it."""
        return [column, *self.metadata(column).get("names", ())]

    @property
    def second_names(self) -> tuple[tuple[str, str], ...]:
        """(name, column): what else files call a column; the lake stores it once."""
        return tuple((name, n) for n in self.columns for name in self.names(n)[1:])

    def references(self) -> dict[str, tuple[str, str]]:
        """column → (table, column) that its values must exist in."""
        refs = {n: (c.metadata or {}).get("refs") for n, c in self.columns.items()}
        return {c: (r.split(".")[0], r.split(".")[1]) for c, r in refs.items() if r}

    def bronze_schema(self) -> pl.Schema:
        """Shape only: every column may be null and closed domains are plain text."""
        return self._bronze_schema.copy()

    @functools.cached_property
    def _bronze_schema(self) -> pl.Schema:
        # To make the type of a closed domain costs as much as to type a column of a file.
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
    restricted: bool = False,
    door: str = "",
    is_open: Told | None = None,
    monthly_rows: int = 0,
    kind: str = "",
    has_minimal: bool = False,
    topic: str = "",
    topic_key: str = "",
) -> Callable[[type[dy.Schema]], type[dy.Schema]]:
    """Declares the decorated schema as the contract of table `name`."""

    def register(schema: type[dy.Schema]) -> type[dy.Schema]:
        _contracts[name] = Contract(
            name,
            layer,
            schema,
            grain,
            event_time,
            partitioned,
            confidential,
            restricted,
            door,
            is_open,
            monthly_rows,
            kind,
            has_minimal,
            topic,
            topic_key,
        )
        return schema

    return register


def came_with(source: pl.Expr) -> pl.Expr:
    """The file that a row came in with, or the partition of its topic, by `_source`."""
    return source.str.replace(OFFSET, "$1")


def contract(name: str) -> Contract:
    """The contract of a table. Raises BadInput for an unknown name."""
    if name not in _contracts:
        near = difflib.get_close_matches(name, _contracts, n=5, cutoff=0) or sorted(_contracts)[:5]
        raise BadInput(
            f"unknown table {name!r}; nearest: {', '.join(near)}; `lakehouse tables` has all"
        )
    return _contracts[name]


def contracts(layer: Layer | None = None) -> dict[str, Contract]:
    """All contracts, or those of one layer, in order of declaration."""
    return {n: c for n, c in _contracts.items() if layer in (None, c.layer)}


def doors() -> dict[str, Contract]:
    """The sources that rows come in by: what is simulated, or can be landed."""
    return {n: c for n, c in contracts("source").items() if not c.door}


def door_of(table: str) -> str:
    """The table that rows of `table` come in with: itself, for most."""
    return contract(table).door or table


def stored_as(table: str) -> list[str]:
    """The tables that rows which come in as `table` are stored in: itself first."""
    return [table, *(n for n, c in contracts("source").items() if c.door == table)]


def is_closed(door: str) -> bool:
    """Whether rows that come in by a door may be restricted, and so whatever holds them all."""
    return any(contract(name).is_restricted for name in stored_as(door))


def told_apart(table: str, rows: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Rows that came in as `table`, by the table that each is stored in; none is lost."""
    found = {}
    for name in stored_as(table)[1:]:
        is_open = contract(name).is_open
        if is_open is not None:
            stays = is_open(rows).fill_null(value=False)
            found[name], rows = rows.filter(~stays), rows.filter(stays)
    return {table: rows} | found
