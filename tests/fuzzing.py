"""Feeds malformed files to the reader and checks that nothing of them is lost."""

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lakehouse.contracts import contract
from lakehouse.ingest.files.byte_blocks import UnreadableFile
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.inspection import inspect
from lakehouse.ingest.files.mapping import checked_mapping
from lakehouse.ingest.files.reading import judged, open_file
from lakehouse.ingest.files.row_typing import join
from tests.malformed import MAPPINGS, Malformed, malformed, plain_text

TABLE = "financial_txn"
_MARKER = re.compile(rb"K\d{5}x\d\d")


@dataclass
class Tally:
    """What became of the files so far; `faults` says what was lost of which."""

    files: int = 0
    rejected: int = 0
    good: int = 0
    bad: int = 0
    faults: list[str] | None = None


def fuzz(numbers: range, folder: Path) -> Tally:
    tally = Tally(faults=[])
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
        found = inspect(path, mapping)
        opened = open_file(path, found, contract(TABLE), mapping)
        moment = dt.datetime(2025, 2, 1, tzinfo=dt.UTC)
        zone = "America/Los_Angeles"
        origin = Origin(contract(TABLE), mapping, made.name, moment.date(), moment, zone)
        parts = list(judged(opened.pieces, origin))
    except UnreadableFile:
        tally.rejected += 1
        return
    finally:
        path.unlink()
    if not parts:
        return
    found_rows = join(parts)
    tally.good += found_rows.good.height
    tally.bad += found_rows.bad.height
    lost = _lost(made, found_rows.good, found_rows.bad)
    if lost:
        assert tally.faults is not None
        tally.faults.append(f"{made.name} lost {lost}")


def _lost(made: Malformed, good: pl.DataFrame, bad: pl.DataFrame) -> list[str]:
    """Row marks that the text holds and neither the rows nor the rejects do."""
    there = {m.decode() for m in _MARKER.findall(plain_text(made.form, made.content))}
    kept = " ".join(
        [
            *good.select(pl.concat_str(pl.all().cast(pl.String), ignore_nulls=True)).to_series(),
            *bad["_raw"].fill_null("MISSING"),
        ]
    )
    return sorted(m for m in there if m not in kept)
