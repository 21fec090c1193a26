"""The ingest ledger: which files are in bronze, which were begun, and what became of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping as Dictionary
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from lakehouse.contracts import contract
from lakehouse.errors import BadInput
from lakehouse.ingest.files.mapping import Mapping, mapping_from_text
from lakehouse.ingest.files.mapping_files import mapping_of
from lakehouse.ingest.files.zone import LandedFile
from lakehouse.storage import Commit, Lake

LEDGER = "ingest_ledger"
PREFIX_LENGTH = 25
CODE_VERSION = "1"
_NOTHING: dict[str, Any] = {
    "reason": "",
    "rows": 0,
    "bronze_rows": 0,
    "quarantine_rows": 0,
    "left_out_rows": 0,
    "replaced_rows": 0,
    "healed_rows": 0,
    "first_day": None,
    "last_day": None,
    "gaming_days": "",
    "file_columns": "[]",
    "ignored_columns": "",
    "mapping": "{}",
    "mapping_given": None,
    "bronze_version": None,
    "quarantine_version": None,
    "attempt": 0,
    "layout": "",
}


@dataclass(frozen=True)
class Ledger:
    """The ledger as it was read; rows in the order in which they were written."""

    rows: pl.DataFrame

    def has_seen(self, file: LandedFile) -> bool:
        """Whether this very file, unchanged since, is done with, and its mapping is the one it was
        last read with: its content need not be read."""
        known = self._of_state("ingested", "duplicate").filter(
            table_name=file.table,
            path=file.name,
            size_bytes=file.size_bytes,
            modified_ns=file.modified_ns,
        )
        last = self._last(known)
        if last is None or self.ingested(last["file_id"]) is None:
            return False
        try:
            return says(last, mapping_of(file.path, file.folder, file.table))
        except BadInput:
            return False

    def ingested(self, file_id: str) -> dict[str, Any] | None:
        """How a file that is in the lake was read; None for one that is begun anew since, or
        was taken out."""
        begun = self.begun(file_id)
        if begun is None or self.was_withdrawn(file_id, begun["attempt"]):
            return None
        return self._last(
            self._of_state("ingested").filter(file_id=file_id, attempt=begun["attempt"])
        )

    def begun(self, file_id: str) -> dict[str, Any] | None:
        return self._last(self._of_state("begun").filter(file_id=file_id).sort("attempt"))

    def stored(self, file_id: str, attempt: int) -> dict[str, Any] | None:
        return self._last(self._of_state("stored").filter(file_id=file_id, attempt=attempt))

    def was_withdrawn(self, file_id: str, attempt: int) -> bool:
        return self._of_state("withdrawn").filter(file_id=file_id, attempt=attempt).height > 0

    def interrupted(self) -> pl.DataFrame:
        """The last beginning of files that were begun and neither ended nor withdrawn."""
        ended = self._of_state("ingested", "withdrawn").select("file_id", "attempt")
        return (
            self._beginnings().join(ended, on=["file_id", "attempt"], how="anti").sort("at", "path")
        )

    def arrivals(self, table: str) -> pl.DataFrame:
        """Grain: one row per file of `table` that was begun and not withdrawn: file_id, rank
        (its place in the order of arrival, however often it was read since), mapping (the last
        it was read with), places (where it lay), is_ended."""
        rows = self.rows.filter(table_name=table)
        begun, last = rows.filter(state="begun"), self._beginnings()
        out = rows.filter(state="withdrawn").group_by("file_id").agg(gone=pl.col("attempt").max())
        left = begun.join(out, on="file_id", how="left")
        first = left.filter(pl.col("attempt") > pl.col("gone").fill_null(0)).sort("attempt")
        order = ("at", "bronze_version", "modified_ns", "path")
        ranked = first.unique("file_id", keep="first").sort(order).with_row_index("rank")
        lain = rows.filter(pl.col("state").is_in(["begun", "ingested", "duplicate"]))
        ended = self._of_state("ingested").select("file_id", "attempt", is_ended=True)
        return (
            ranked.select("file_id", pl.col("rank").cast(pl.Int64))
            .join(last.select("file_id", "attempt", "mapping"), on="file_id")
            .join(lain.group_by("file_id").agg(places=pl.col("path").unique()), on="file_id")
            .join(ended.unique(), on=["file_id", "attempt"], how="left")
            .with_columns(pl.col("is_ended").fill_null(value=False))
            .sort("rank")
        )

    def _beginnings(self) -> pl.DataFrame:
        return self._of_state("begun").sort("attempt").unique("file_id", keep="last")

    def earlier_days(self, file_id: str, file: LandedFile) -> set[dt.date]:
        """Gaming days of earlier readings of a file, and of files that lay at its path before."""
        there = (pl.col("table_name") == file.table) & (pl.col("path") == file.name)
        same = self._of_state("ingested").filter(there | (pl.col("file_id") == file_id))
        return {d for text in same["gaming_days"] for d in days_from(text)}

    def _of_state(self, *states: str) -> pl.DataFrame:
        return self.rows.filter(pl.col("state").is_in(states))

    def _last(self, rows: pl.DataFrame) -> dict[str, Any] | None:
        return rows.tail(1).to_dicts()[0] if rows.height else None


def read_ledger(lake: Lake) -> Ledger:
    rows = lake.scan("ops", LEDGER)
    return Ledger(rows.sort("at", "attempt", maintain_order=True).collect())


def says(row: dict[str, Any], mapping: Mapping) -> bool:
    """Whether the file of a ledger row was read as `mapping` says. Of older rows it is not kept
    whether the delimiter was given or found out."""
    if row["mapping_given"] is not None:
        return mapping_from_text(row["mapping_given"], row["table_name"]) == mapping
    return mapping_from_text(row["mapping"], row["table_name"]).found_in("") == mapping.found_in("")


def batch_prefix(file_id: str) -> str:
    """Beginning of `_batch_id` of a file's rows; the number of the batch follows."""
    return file_id.rpartition(":")[2][: PREFIX_LENGTH - 1] + "."


def file_identity(table: str, digest: str) -> str:
    """What a file is: its content, in its table. A name or a place is none."""
    return f"{table}:{digest}"


@dataclass(frozen=True)
class Entry:
    """A row of the ledger to be; one for a file, a state and `once`."""

    state: str
    file_id: str
    file: LandedFile
    at: dt.datetime
    facts: Dictionary[str, Any]
    once: str = ""


def record_all(lake: Lake, entries: Sequence[Entry]) -> None:
    """Adds rows in one commit, each exactly once. Does nothing for none."""
    if not entries:
        return
    schema = contract(LEDGER).bronze_schema()
    rows = {
        f"{e.file_id}:{e.state}:{e.once}": pl.DataFrame(
            [{n: row[n] for n in schema}], schema=schema
        )
        for e in entries
        for row in [_row_of(e.state, e.file_id, e.file, e.at, e.facts)]
    }
    first = entries[0]
    commit = Commit(first.file_id, f"bronze/{first.file.table}", CODE_VERSION)
    lake.append_each("ops", LEDGER, rows, commit=commit)


def record(
    lake: Lake,
    state: str,
    file_id: str,
    file: LandedFile,
    at: dt.datetime,
    facts: Dictionary[str, Any] | None = None,
    *,
    once: str = "",
) -> None:
    """Adds one row, exactly once for a file, a state and `once`."""
    record_all(lake, [Entry(state, file_id, file, at, facts or {}, once)])


def _row_of(
    state: str, file_id: str, file: LandedFile, at: dt.datetime, facts: Dictionary[str, Any]
) -> dict[str, Any]:
    return {
        "file_id": file_id,
        "table_name": file.table,
        "state": state,
        "path": file.name,
        "size_bytes": file.size_bytes,
        "modified_ns": file.modified_ns,
        "at": at,
        **_NOTHING,
        **facts,
    }


def days_text(days: Sequence[dt.date]) -> dict[str, Any]:
    ordered = sorted(days)
    return {
        "first_day": ordered[0] if ordered else None,
        "last_day": ordered[-1] if ordered else None,
        "gaming_days": " ".join(d.isoformat() for d in ordered),
    }


def days_from(text: str) -> list[dt.date]:
    return [dt.date.fromisoformat(d) for d in text.split()]
