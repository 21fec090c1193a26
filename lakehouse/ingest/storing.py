"""One file into bronze and quarantine, batch by batch, and its rows in the ledger."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from lakehouse.contracts import Contract, contract
from lakehouse.ingest.inspection import Inspected
from lakehouse.ingest.ledger import CODE_VERSION, Ledger, columns_text, days_text, record
from lakehouse.ingest.mapping import Mapping, mapping_from_text
from lakehouse.ingest.reading import ahead, batches, layout, open_file
from lakehouse.ingest.supersede import (
    batch_prefix,
    landed_by_others,
    supersede,
    withdraw_other_attempts,
)
from lakehouse.ingest.typing_rows import Judged, Origin
from lakehouse.ingest.zone import LandedFile
from lakehouse.regulation.gaming_day import gaming_day_of
from lakehouse.storage import Commit, Lake

LAYERS = ("bronze", "quarantine")
KEPT = ("file_columns", "ignored_columns", "mapping", "bronze_version", "quarantine_version")
"""Facts that were settled when the file was first begun."""


class ChangedFileError(Exception):
    """Somebody wrote to the file while it was read: it was not complete after all."""


@dataclass
class Job:
    """A file on its way in. `begun` is its ledger row, which a run that takes it up obeys."""

    file: LandedFile
    file_id: str
    origin: Origin
    inspected: Inspected
    begun: dict[str, Any]
    rows: int = 0
    good: int = 0
    ignored: set[str] = field(default_factory=set)
    days: set[dt.date] = field(default_factory=set)

    @property
    def contract(self) -> Contract:
        return self.origin.contract

    @property
    def batches(self) -> str:
        """What the file's batches of this attempt are called; their number follows."""
        return f"{batch_prefix(self.file_id)}{self.begun['attempt']}-"

    @property
    def commit(self) -> Commit:
        return Commit(self.file_id, f"bronze/{self.file.table}", CODE_VERSION)


def begin(
    lake: Lake,
    file: LandedFile,
    file_id: str,
    mapping: Mapping,
    inspected: Inspected,
    ledger: Ledger,
    *,
    as_of: dt.datetime,
    timezone: str,
) -> Job:
    """Notes the file in the ledger before its first row, or takes it up as it was noted.
    Raises UnreadableFile; nothing is noted then."""
    c = contract(file.table)
    row = ledger.begun(file_id)
    if row is None:
        row = _facts(lake, file, mapping, inspected, c)
    else:
        mapping = mapping_from_text(row["mapping"], file.table)
        as_of = row["at"]
        file = replace(file, name=row["path"])
    if row["layout"] != layout():
        row = {n: row[n] for n in KEPT} | {"layout": layout(), "attempt": row["attempt"] + 1}
        record(lake, "begun", file_id, file, as_of, row, once=str(row["attempt"]))
    day = gaming_day_of(as_of, timezone)
    origin = Origin(c, mapping, file.name, day, as_of, timezone)
    return Job(file, file_id, origin, inspected, row)


def _facts(
    lake: Lake, file: LandedFile, mapping: Mapping, inspected: Inspected, c: Contract
) -> dict[str, Any]:
    opened = open_file(file.path, inspected, c, mapping)
    used = mapping.model_copy(update={"delimiter": opened.delimiter or None})
    return {
        "file_columns": columns_text(opened.columns),
        "ignored_columns": ", ".join(opened.ignored),
        "mapping": used.text(),
        "layout": "",
        "attempt": 0,
        **{f"{layer}_version": lake.version(layer, c.name) for layer in LAYERS},
    }


def store(lake: Lake, job: Job, ledger: Ledger) -> dict[str, Any]:
    """Writes what is not yet written of a file, and ends it in the ledger; the ledger's facts.
    Raises ChangedFileError."""
    c = job.contract
    if job.begun["attempt"] > 1:
        withdraw_other_attempts(lake, c, job.batches, job.file_id, job.commit)
    opened = open_file(job.file.path, job.inspected, c, job.origin.mapping)
    for number, batch in enumerate(ahead(batches(opened.pieces, job.origin)), 1):
        if not job.file.is_unchanged():
            raise ChangedFileError
        _store_batch(lake, job, batch, number)
    days = job.days | ledger.earlier_days(c.name, job.file.name)
    supersede(lake, c, job.file_id, days, job.commit)
    facts = {
        **{n: job.begun[n] for n in (*KEPT, "layout", "attempt")},
        "ignored_columns": ", ".join(sorted(job.ignored))[:2000],
        "rows": job.rows,
        "bronze_rows": job.good,
        "quarantine_rows": job.rows - job.good,
        "replaced_rows": _removed(lake, job, "bronze", days),
        "healed_rows": _removed(lake, job, "quarantine", days),
        **days_text(sorted(job.days)),
    }
    record(lake, "ingested", job.file_id, job.file, job.origin.as_of, facts)
    return facts


def _store_batch(lake: Lake, job: Job, batch: Judged, number: int) -> None:
    batch_id = f"{job.batches}{number:05d}"
    for layer, rows in zip(LAYERS, (batch.good, batch.bad), strict=True):
        if rows.height:
            lake.append(
                layer,
                job.contract.name,
                rows.with_columns(_batch_id=pl.lit(batch_id)),
                commit=job.commit,
                app_transaction=(job.batches, number),
            )
            job.days.update(rows["gaming_day"].unique().to_list())
    job.ignored |= batch.ignored
    job.rows += batch.rows
    job.good += batch.good.height


def _removed(lake: Lake, job: Job, layer: str, days: set[dt.date]) -> int:
    """Rows of others that were there before the file and are not now; counted so, a run that
    was killed half-way counts the same."""
    before = landed_by_others(
        lake, layer, job.contract, job.file_id, days, job.begun[f"{layer}_version"]
    )
    if not before:
        return 0
    now = lake.version(layer, job.contract.name)
    return before - landed_by_others(lake, layer, job.contract, job.file_id, days, now)
