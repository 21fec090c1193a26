"""Which tables and columns a reader sees, as it follows from the contracts.

Never in SQL: bronze, truth, the identity vault, and what a rejected row held unprotected.
Only with the restricted key: review cases, what staff saw, filed SARs, and of the ingest ledger
the files that may hold such rows, of results of checks those of such tables (31 USC 5318(g)(2)).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from lakehouse.contracts import Contract, contracts, doors, is_closed
from lakehouse.storage.shapes import (
    PARTITION,
    REJECTION,
    stored_comments,
    stored_schema,
    stored_tables,
)

RAW = "_raw"
"""A landed row as text: whatever it held."""
TABLE = "table_name"
REJECTS = "rejects"
"""In the schema quarantine: the rejected rows of all tables that the reader sees, one under
another."""


@dataclass(frozen=True)
class View:
    """One table as the catalog shows it."""

    schema: str
    table: str
    columns: dict[str, pl.DataType]
    comments: dict[str, str]
    parts: tuple[str, ...] = ()
    """Of a view that no table stands behind: those whose rows it holds."""
    only: str = ""
    """Condition of the rows that are shown, where not all are."""

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def is_whole(self) -> bool:
        """Whether it shows all that the table's files hold."""
        if self.parts or self.only:
            return False
        return len(self.columns) == len(stored_schema(self.schema, self.table))


def views(*, restricted: bool = False) -> dict[str, View]:
    """The catalog: views by name, in order of layer and declaration."""
    layers = ("gold", "silver", "quarantine", *(("restricted",) if restricted else ()), "ops")
    every = contracts()
    shown = (
        _view(layer, every[table], restricted=restricted)
        for layer in layers
        for stored_layer, table in stored_tables(layer)
        if stored_layer == layer and _is_shown(every[table], restricted=restricted)
    )
    found = {view.name: view for view in shown}
    rejects = _rejects([view for view in found.values() if view.schema == "quarantine"])
    return found | {rejects.name: rejects}


def _is_shown(c: Contract, *, restricted: bool) -> bool:
    if c.layer == "restricted" and any(c.metadata(n).get("pii") == "direct" for n in c.columns):
        return False
    return restricted or not c.is_restricted


def _view(layer: str, c: Contract, *, restricted: bool) -> View:
    hidden = {RAW, *_unprotected(c)} if layer == "quarantine" else set()
    return View(
        schema=layer,
        table=c.name,
        columns={n: t for n, t in stored_schema(layer, c.name).items() if n not in hidden},
        comments={n: d for n, d in stored_comments(layer, c.name).items() if n not in hidden},
        only="" if restricted else _of_open_tables(c),
    )


def _of_open_tables(c: Contract) -> str:
    """What tells of tables row by row tells of open ones. Results of checks bear a mark of what
    was judged, but where that is restricted."""
    if "judged_of" in c.columns:
        return "judged_of IS NOT NULL"
    if not (c.confidential and "table_name" in c.columns):
        return ""
    closed = [f"'{door}'" for door in doors() if is_closed(door)]
    return f"table_name NOT IN ({', '.join(closed)})" if closed else ""


def _rejects(parts: list[View]) -> View:
    told = {TABLE: (pl.String(), "Table."), PARTITION: (pl.Date(), "Gaming day.")}
    told |= {n: about for n, about in REJECTION.items() if n != RAW}
    return View(
        schema="quarantine",
        table=REJECTS,
        columns={n: dtype for n, (dtype, _) in told.items()},
        comments={n: text for n, (_, text) in told.items()},
        parts=tuple(view.name for view in parts),
    )


def _unprotected(c: Contract) -> set[str]:
    """Columns that silver protects and quarantine holds as they came."""
    return {n for n in c.columns if c.metadata(n).get("protect") or c.metadata(n).get("pii")}
