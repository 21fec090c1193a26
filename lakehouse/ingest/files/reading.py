"""A landed file from its first byte to typed rows, in batches of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from lakehouse.contracts import Contract
from lakehouse.ingest.files import byte_blocks, json_rows, parquet_rows, records
from lakehouse.ingest.files.byte_blocks import UnreadableFile, text_blocks
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.columns import match_columns, refuse_foreign_file
from lakehouse.ingest.files.delimited import csv_pieces, read_header
from lakehouse.ingest.files.inspection import Form, Inspected
from lakehouse.ingest.files.json_rows import json_pieces
from lakehouse.ingest.files.mapping import NUMBERED, Mapping
from lakehouse.ingest.files.parquet_rows import parquet_columns, parquet_pieces
from lakehouse.ingest.files.row_typing import Judged, judge
from lakehouse.ingest.files.rows import Piece, told_by_text
from lakehouse.ingest.files.table_lines import LeftOut, table_lines
from lakehouse.prefetch import prefetched

BATCH_ROWS = 1_000_000
"""Rows of one Delta commit. They pass through memory a piece at a time."""
HELD_ROWS = 50_000
"""Rejected rows that are held in memory before they are stored."""
READER = 2
"""To be raised with every change of how a file is cut into batches. What was interrupted is
taken up by the number of its batch; of a file that was begun in another way, nothing is."""


def layout() -> str:
    """All that decides which rows a batch has, but for the file."""
    sizes = (BATCH_ROWS, HELD_ROWS, json_rows.PIECE_ROWS, parquet_rows.BATCH_ROWS)
    cuts = (records.WINDOW, byte_blocks.BLOCK)
    return " ".join(map(str, (READER, *sizes, *cuts)))


@dataclass(frozen=True)
class OpenedFile:
    """A readable file with its pieces still to come. `columns` is empty for JSON, whose rows
    each name their own."""

    columns: tuple[str, ...]
    ignored: tuple[str, ...]
    delimiter: str
    pieces: Iterator[Piece]
    left_out: LeftOut = field(default_factory=LeftOut)


def open_file(path: Path, inspected: Inspected, c: Contract, mapping: Mapping) -> OpenedFile:
    """Raises UnreadableFile where the file lacks the columns that place a row, or is of a form
    of which the mapping cannot speak so."""
    _refuse_other_form(inspected.form, mapping)
    if inspected.form == "json":
        blocks = text_blocks(path, inspected.compression, inspected.encoding)
        pieces = json_pieces(blocks, mapping)
        return OpenedFile((), (), "", told_by_text(pieces) if mapping.numbers_rows else pieces)
    left = LeftOut()
    if inspected.form == "parquet":
        columns = parquet_columns(path, inspected.compression)
        pieces, delimiter = parquet_pieces(path, inspected.compression), ""
    else:
        blocks = text_blocks(path, inspected.compression, inspected.encoding)
        lines, left = table_lines(blocks, mapping)
        known = [*c.columns, *mapping.sources]
        header, rest, line = read_header(lines, mapping, known, left.before + 1)
        columns, delimiter = header.columns, header.delimiter
        pieces = csv_pieces(rest, header, line)
    refuse_foreign_file(c, mapping, columns)
    ignored = match_columns(c, mapping, columns).ignored
    return OpenedFile(columns, tuple(ignored), delimiter, pieces, left)


def _refuse_other_form(form: Form, mapping: Mapping) -> None:
    if form != "csv" and mapping.is_of_lines:
        raise UnreadableFile(
            f"is {form}, and the mapping speaks of lines, a header or names; leave that out"
        )
    if form != "json" and mapping.rows is not None:
        raise UnreadableFile(f"is {form}; rows = {mapping.rows!r} is for JSON; leave it out")
    numbered = [s for s in mapping.sources if NUMBERED.fullmatch(s)]
    if form == "json" and numbered:
        raise UnreadableFile(
            f"is json, whose records name their fields; {', '.join(numbered)} is a column's place"
        )


def judged(pieces: Iterator[Piece], origin: Origin) -> Iterator[Judged]:
    """Typed rows, and those that cannot be typed; the same parts every time."""
    return (judge(p, origin) for p in prefetched(pieces))


def batches(frames: Iterator[pl.DataFrame]) -> Iterator[Iterator[pl.DataFrame]]:
    """The frames of each batch: at least BATCH_ROWS rows in every one but the last. What is
    not taken from a batch is passed over."""
    for first in frames:
        batch = _filled(first, frames)
        yield batch
        for _ in batch:
            continue


def _filled(first: pl.DataFrame, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    rows = first.height
    yield first
    while rows < BATCH_ROWS and (frame := next(frames, None)) is not None:
        rows += frame.height
        yield frame
