"""The first rows of a file as text, and what had to be found out to read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from os import SEEK_END
from pathlib import Path

from lakehouse.errors import BadInput
from lakehouse.ingest.files.byte_blocks import UnreadableFile, text_blocks
from lakehouse.ingest.files.delimited import WrappedLines, csv_pieces, read_header
from lakehouse.ingest.files.inference.surroundings import around, nesting
from lakehouse.ingest.files.inspection import Inspected, inspect
from lakehouse.ingest.files.json_rows import json_pieces
from lakehouse.ingest.files.mapping import ColumnMapping, Mapping
from lakehouse.ingest.files.parquet_rows import parquet_pieces
from lakehouse.ingest.files.rows import LINE, Piece
from lakehouse.ingest.files.table_lines import table_lines

ROWS = 1_000
_HEAD_BYTES, _LAST_BYTES = 65_536, 4_096


@dataclass(frozen=True)
class Sample:
    """`shape`: entries of a mapping that say how the file is cut into rows; `lists`: paths of
    lists of objects inside its JSON rows."""

    piece: Piece
    shape: dict[str, object]
    path: Path
    lists: tuple[str, ...] = ()

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
        return _of_json(path, found, start, shape)
    if not start.is_of_lines:
        shape |= around(_head_lines(path, found), _last_lines(path, found))
        start = start.model_copy(update=shape)
    try:
        return _of_lines(path, found, start, shape)
    except WrappedLines:
        unwrapped = start.model_copy(update={"quoted_lines": True})
        return _of_lines(path, found, unwrapped, {**shape, "quoted_lines": True})


def _of_json(path: Path, found: Inspected, said: Mapping, shape: dict[str, object]) -> Sample:
    """With the values inside objects as columns of their own, by their paths."""
    again = partial(text_blocks, path, found.compression, found.encoding)
    rows, paths, lists = nesting(again(), said.rows)
    if rows != said.rows:
        shape = {**shape, "rows": rows}
    inner = {p: ColumnMapping.model_validate({"from": p}) for p in paths}
    wanted = said.model_copy(update={"rows": rows, "columns": {**said.columns, **inner}})
    piece = _first(json_pieces(again(), wanted))
    around_them = {p.partition(".")[0] for p in (*paths, *lists)}
    frame = piece.frame.drop(around_them & set(piece.frame.columns))
    return Sample(Piece(frame, piece.damaged, piece.raw), shape, path, tuple(lists))


def _head_lines(path: Path, found: Inspected) -> list[str]:
    first = next(iter(text_blocks(path, found.compression, found.encoding)), b"")[:_HEAD_BYTES]
    lines = first.decode(errors="replace").split("\n")
    return [n.rstrip("\r") for n in (lines[:-1] if len(lines) > 1 else lines)]


def _last_lines(path: Path, found: Inspected) -> list[str]:
    """Of a file that is not compressed."""
    if found.compression != "none":
        return []
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, SEEK_END) - _LAST_BYTES))
        text = file.read().decode(found.encoding, errors="replace")
    return [n.strip("\r") for n in text.split("\n") if n.strip()][-4:]


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
