"""What files say of the patrons whom their rows name, for whom no profile may ever land.

It is kept in the landing zone, which is as closed as the file itself: only what a minimal profile
is made of leaves it.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping as Dictionary
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from lakehouse import private_files
from lakehouse.contracts import contract
from lakehouse.ingest.files.column_typing import BROKEN, Origin, typed_columns
from lakehouse.ingest.files.columns import Match, our_columns
from lakehouse.ingest.files.derived import derived_columns
from lakehouse.ingest.files.ledger import batch_prefix
from lakehouse.ingest.files.mapping import PATRON, PROFILE

PATRONS = "_patrons"
_HELD = 100_000
"""Patrons that are held twice before they are told apart."""


def told_of_patrons(
    frame: pl.DataFrame, fields: Dictionary[str, str], typed: pl.DataFrame, origin: Origin
) -> pl.DataFrame | None:
    """Grain: one row per patron whom rows name: player_id, and the columns that the mapping says
    of patrons, of the first row that tells each. What cannot be read is not known. `fields`: a
    name in the mapping → the file's column; `typed`: the rows in our columns."""
    rules = origin.mapping.patron
    if not rules:
        return None
    mapping = origin.mapping.model_copy(update={"columns": rules})
    of = replace(origin, contract=contract(PROFILE), mapping=mapping)
    derived = derived_columns(frame, fields, of)
    taken = {n: fields[m.source] for n, m in rules.items() if m.source and m.source in fields}
    text = our_columns(frame, of.contract, mapping, Match(taken, {}, []), derived.texts)
    landed = {n: t for n, t in of.contract.bronze_schema().items() if n in rules}
    types = {n: t for n, t in landed.items() if n not in derived.values}
    read = typed_columns(text, types, {n: mapping.column(n) for n in types}, of)
    known = {s.name: s for s in (*read, *derived.values.values()) if not s.name.startswith(BROKEN)}
    return first_told(typed.select(PATRON, *(known[n] for n in landed)))


def first_told(rows: pl.DataFrame) -> pl.DataFrame:
    """Of each patron the first value of each column."""
    texts = pl.col(pl.String).str.strip_chars().replace("", None)
    told = rows.with_columns(texts).filter(pl.col(PATRON).is_not_null())
    return told.group_by(PATRON, maintain_order=True).agg(pl.all().drop_nulls().first())


@dataclass
class Told:
    """What one file says of patrons, as far as it is read."""

    parts: list[pl.DataFrame] = field(default_factory=list)

    def add(self, part: pl.DataFrame | None) -> None:
        if part is not None:
            self.parts.append(part)
            if sum(p.height for p in self.parts[1:]) > max(_HELD, self.parts[0].height):
                self.parts = [self._together()]

    def _together(self) -> pl.DataFrame:
        return first_told(pl.concat(self.parts))

    def keep(self, zone: Path, table: str, file_id: str) -> None:
        """In place of what an earlier reading of the file said."""
        name = _name(table, batch_prefix(file_id))
        if not self.parts:
            with suppress(FileNotFoundError), private_files.entered(zone / PATRONS) as folder:
                os.unlink(name, dir_fd=folder)
            return
        content = io.BytesIO()
        self._together().write_parquet(content)
        with private_files.entered(zone / PATRONS, make=True) as folder:
            private_files.put(folder, name, content.getvalue())


def kept(zone: Path, table: str, prefix: str) -> pl.DataFrame | None:
    """What the file with this beginning of its batches says of patrons, if it says anything."""
    try:
        with private_files.open_file(zone / PATRONS / _name(table, prefix)) as file:
            return pl.read_parquet(io.BytesIO(file.read()))
    except FileNotFoundError:
        return None


def _name(table: str, prefix: str) -> str:
    return f"{table}.{prefix}parquet"
