"""The first rows of a file as text, and what had to be found out to read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lakehouse.errors import BadInput
from lakehouse.ingest.files.byte_blocks import UnreadableFile, text_blocks
from lakehouse.ingest.files.delimited import WrappedLines, csv_pieces, read_header
from lakehouse.ingest.files.inspection import Inspected, inspect
from lakehouse.ingest.files.json_rows import json_pieces
from lakehouse.ingest.files.mapping import Mapping
from lakehouse.ingest.files.parquet_rows import parquet_pieces
from lakehouse.ingest.files.rows import LINE, Piece
from lakehouse.ingest.files.table_lines import table_lines

ROWS = 1_000


@dataclass(frozen=True)
class Sample:
    """`shape`: entries of a mapping that say how the file is cut into rows."""

    piece: Piece
    shape: dict[str, object]
    path: Path

    @property
    def columns(self) -> list[str]:
        return [n for n in self.piece.frame.columns if n != LINE]


def sampled(path: Path, start: Mapping) -> Sample:
    """Raises BadInput for a file that cannot be read."""
    try:
        return _sampled(path.parent.resolve() / path.name, start)
    except (UnreadableFile, OSError) as error:
        raise BadInput(f"{path}: {error}") from error


def _sampled(path: Path, start: Mapping) -> Sample:
    found = inspect(path, start)
    if found.form == "parquet":
        return Sample(_first(parquet_pieces(path, found.compression)), {}, path)
    shape: dict[str, object] = {} if found.encoding == "utf-8" else {"encoding": found.encoding}
    if found.form == "json":
        blocks = text_blocks(path, found.compression, found.encoding)
        return Sample(_first(json_pieces(blocks, start)), shape, path)
    try:
        return _of_lines(path, found, start, shape)
    except WrappedLines:
        unwrapped = start.model_copy(update={"quoted_lines": True})
        return _of_lines(path, found, unwrapped, {**shape, "quoted_lines": True})


def _of_lines(path: Path, found: Inspected, said: Mapping, shape: dict[str, object]) -> Sample:
    lines, left = table_lines(text_blocks(path, found.compression, found.encoding), said)
    header, rest, line = read_header(lines, said, said.sources, left.before + 1)
    if header.delimiter != ",":
        shape = {**shape, "delimiter": header.delimiter}
    return Sample(_first(csv_pieces(rest, header, line)), shape, path)


def _first(pieces: Iterator[Piece]) -> Piece:
    for piece in pieces:
        if piece.frame.height:
            return Piece(piece.frame.head(ROWS), piece.damaged.clear(), piece.raw)
    raise UnreadableFile("has no rows to look at")
