"""Feeds malformed files to the reader and checks that nothing of them is lost."""

import datetime as dt
import re
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from lakehouse.contracts import contract
from lakehouse.ingest.files.byte_blocks import UnreadableFile
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.inspection import inspect
from lakehouse.ingest.files.mapping import Mapping, checked_mapping
from lakehouse.ingest.files.reading import judged, open_file
from lakehouse.ingest.files.row_typing import Judged, join
from tests.malformed import MAPPINGS, Malformed, malformed, plain_text

TABLE = "financial_txn"
AS_OF = dt.datetime(2025, 2, 1, tzinfo=dt.UTC)
MARKER = re.compile(rb"K\d{5}x\d\d")


@dataclass
class Tally:
    """What became of the files so far; `faults` says what was lost of which."""

    files: int = 0
    rejected: int = 0
    good: int = 0
    bad: int = 0
    left_out: int = 0
    made: int = 0
    faults: list[str] = field(default_factory=list)

    def fault(self, said: str) -> None:
        self.faults.append(said)


def fuzz(numbers: range, folder: Path) -> Tally:
    tally = Tally()
    for number in numbers:
        _one(number, folder, tally)
    return tally


def _one(number: int, folder: Path, tally: Tally) -> None:
    made = malformed(number)
    path = folder / made.name
    path.write_bytes(made.content)
    tally.files += 1
    mapping = checked_mapping(MAPPINGS[made.form], TABLE, made.name)
    try:
        found = _read(path, mapping)
        every = _read(path, mapping.model_copy(update={"where": None})) if mapping.where else found
    except UnreadableFile:
        tally.rejected += 1
        return
    finally:
        path.unlink()
    if found is None or every is None:
        return
    tally.good += found.good.height
    tally.bad += found.bad.height
    tally.left_out += found.left_out
    lost = _lost(made, every.good, every.bad)
    if lost:
        tally.fault(f"{made.name} lost {lost}")
    if found.rows != every.rows:
        tally.fault(f"{made.name} has {every.rows} rows, of which {found.rows} are told")


def _read(path: Path, mapping: Mapping) -> Judged | None:
    """All rows of a file; none of one that has none. Raises UnreadableFile."""
    found = inspect(path, mapping)
    opened = open_file(path, found, contract(TABLE), mapping)
    zone, day = "America/Los_Angeles", AS_OF.date()
    origin = Origin(contract(TABLE), mapping, path.name, day, AS_OF, zone, f"{TABLE}:0123")
    parts = list(judged(opened.pieces, origin))
    return join(parts) if parts else None


def _lost(made: Malformed, good: pl.DataFrame, bad: pl.DataFrame) -> list[str]:
    """Row marks that the text holds and neither the rows nor the rejects do."""
    there = {m.decode() for m in MARKER.findall(plain_text(made.form, made.content))}
    kept = " ".join(
        [
            *good.select(pl.concat_str(pl.all().cast(pl.String), ignore_nulls=True)).to_series(),
            *bad["_raw"].fill_null("MISSING"),
        ]
    )
    return sorted(m for m in there if m not in kept)
