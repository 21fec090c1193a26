"""The ingest ledger: which files are in bronze, which were begun, and what became of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from lakehouse.contracts import contract
from lakehouse.ingest.files.zone import LandedFile
from lakehouse.storage import Commit, Lake

LEDGER = "ingest_ledger"
CODE_VERSION = "1"
_NOTHING: dict[str, Any] = {
    "reason": "",
    "rows": 0,
    "bronze_rows": 0,
    "quarantine_rows": 0,
    "replaced_rows": 0,
    "healed_rows": 0,
    "first_day": None,
    "last_day": None,
    "gaming_days": "",
    "file_columns": "[]",
    "ignored_columns": "",
    "mapping": "{}",
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
        """Whether this very file, unchanged since, is done with: its content need not be read."""
        known = self._of_state("ingested", "duplicate").filter(
            table_name=file.table,
            path=file.name,
            size_bytes=file.size_bytes,
            modified_ns=file.modified_ns,
        )
        return known.height > 0

    def ingested(self, file_id: str) -> dict[str, Any] | None:
        return self._last(self._of_state("ingested").filter(file_id=file_id))

    def begun(self, file_id: str) -> dict[str, Any] | None:
        return self._last(self._of_state("begun").filter(file_id=file_id).sort("attempt"))

    def stored(self, file_id: str) -> dict[str, Any] | None:
        return self._last(self._of_state("stored").filter(file_id=file_id))

    def was_withdrawn(self, file_id: str, attempt: int) -> bool:
        return self._of_state("withdrawn").filter(file_id=file_id, attempt=attempt).height > 0

    def interrupted(self) -> pl.DataFrame:
        """The last beginning of files that were begun and neither ended nor withdrawn."""
        begun = self._of_state("begun").sort("attempt").unique("file_id", keep="last")
        done = self._of_state("ingested").select("file_id")
        gone = self._of_state("withdrawn").select("file_id", "attempt")
        left = begun.join(done, on="file_id", how="anti")
        return left.join(gone, on=["file_id", "attempt"], how="anti").sort("at", "path")

    def earlier_days(self, table: str, path: str) -> set[dt.date]:
        """Gaming days of files that lay at this path before."""
        same = self._of_state("ingested").filter(table_name=table, path=path)
        return {d for text in same["gaming_days"] for d in days_from(text)}

    def _of_state(self, *states: str) -> pl.DataFrame:
        return self.rows.filter(pl.col("state").is_in(states))

    def _last(self, rows: pl.DataFrame) -> dict[str, Any] | None:
        return rows.tail(1).to_dicts()[0] if rows.height else None


def read_ledger(lake: Lake) -> Ledger:
    return Ledger(lake.scan("ops", LEDGER).sort("at", maintain_order=True).collect())


def file_identity(table: str, digest: str) -> str:
    """What a file is: its content, in its table. A name or a place is none."""
    return f"{table}:{digest}"


def record(
    lake: Lake,
    state: str,
    file_id: str,
    file: LandedFile,
    at: dt.datetime,
    facts: Mapping[str, Any] | None = None,
    *,
    once: str = "",
) -> None:
    """Adds one row, exactly once for a file, a state and `once`."""
    row = {
        "file_id": file_id,
        "table_name": file.table,
        "state": state,
        "path": file.name,
        "size_bytes": file.size_bytes,
        "modified_ns": file.modified_ns,
        "at": at,
        **_NOTHING,
        **(facts or {}),
    }
    schema = contract(LEDGER).bronze_schema()
    frame = pl.DataFrame([{n: row[n] for n in schema}], schema=schema)
    lake.append(
        "ops",
        LEDGER,
        frame,
        commit=Commit(run_id=file_id, asset=f"bronze/{file.table}", code_version=CODE_VERSION),
        app_transaction=(f"{file_id}:{state}:{once}", 1),
    )


def days_text(days: Sequence[dt.date]) -> dict[str, Any]:
    ordered = sorted(days)
    return {
        "first_day": ordered[0] if ordered else None,
        "last_day": ordered[-1] if ordered else None,
        "gaming_days": " ".join(d.isoformat() for d in ordered),
    }


def days_from(text: str) -> list[dt.date]:
    return [dt.date.fromisoformat(d) for d in text.split()]
