"""Small files of one table, stored together: a commit costs more than their rows do.

What a file is, and how often it counts, is its own affair all the same: each has its row in the
ledger, its batches and its application transaction, so that a run that was cut short is taken up
file by file, in whatever company.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from lakehouse.contracts import told_apart
from lakehouse.ingest.files import reading
from lakehouse.ingest.files.patrons import Told
from lakehouse.ingest.files.reading import judged, open_file
from lakehouse.ingest.files.storing import (
    Aside,
    ChangedFileError,
    Job,
    Tally,
    begin,
    clear_earlier,
    counted,
)
from lakehouse.ingest.files.zone import LandedFile, landing_zone
from lakehouse.storage import Lake

SMALL_BYTES = 4_000_000
ROWS_TOGETHER = 200_000
"""Rows of small files that are held before they are stored."""


@dataclass(frozen=True)
class Read:
    """A small file, judged: its rows by where they belong, and its facts."""

    job: Job
    rows: dict[tuple[str, str], pl.DataFrame]
    facts: dict[str, Any]
    patrons: Told


@dataclass
class Waiting:
    """Small files of one table that are read and not stored; each as it lies in the zone now, and
    as it was read."""

    files: list[tuple[LandedFile, Read]] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        return sum(read.facts["rows"] for _, read in self.files) >= ROWS_TOGETHER

    def has(self, file_id: str) -> bool:
        return any(read.job.file_id == file_id for _, read in self.files)


def read_small(job: Job) -> Read | None:
    """The file in one batch, as storing it alone would cut it; None where that cuts it into more.
    Raises ChangedFileError, UnreadableFile."""
    mine, tally, held = job.contract.name, Tally(), Aside()
    opened = open_file(job.file.path, job.inspected, job.contract, job.origin.mapping)
    for part in judged(opened.pieces, job.origin):
        tally.add(part)
        if tally.rows >= min(reading.BATCH_ROWS, reading.HELD_ROWS):
            return None
        held.add("bronze", told_apart(mine, part.good))
        held.add("quarantine", told_apart(mine, part.bad))
    if not job.file.is_unchanged():
        raise ChangedFileError
    rows = {
        home: pl.concat(parts).with_columns(_batch_id=job.batch_id(1))
        for home, parts in held.parts.items()
    }
    return Read(job, rows, counted(job, opened, tally), tally.patrons)


def store_together(lake: Lake, files: Sequence[Read]) -> None:
    """Writes what is not yet written of these files, a commit a table."""
    jobs = [f.job for f in files]
    begin(lake, jobs)
    for file in files:
        file.patrons.keep(landing_zone(lake), file.job.contract.name, file.job.file_id)
    clear_earlier(lake, jobs)
    for home in sorted({home for f in files for home in f.rows}, reverse=True):
        parts = {f.job.batches: f.rows[home] for f in files if home in f.rows}
        lake.append_each(*home, parts, commit=jobs[0].commit)
