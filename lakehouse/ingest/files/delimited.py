"""Delimited text: rows as text columns, and the rows that do not fit the header."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import polars as pl

from lakehouse.ingest.files.byte_blocks import LONGEST_RECORD, UnreadableFile, is_utf8
from lakehouse.ingest.files.mapping import Mapping
from lakehouse.ingest.files.records import Records, scan_records
from lakehouse.ingest.files.rows import DAMAGED_SCHEMA, LINE, ROW, Piece, damaged_rows, readable

RULES = (
    "",
    "too_few_fields",
    "too_many_fields",
    "null_character",
    "not_utf8",
    "unbalanced_quotes",
    "unreadable",
)
_LOOKED_AT = 20
DELIMITERS = ",;\t|~^\x1f:"


class WrappedLines(UnreadableFile):
    """The header is one field, and looks like a line of them."""


@dataclass(frozen=True)
class Header:
    """Columns of a delimited file, and what separates them."""

    columns: tuple[str, ...]
    delimiter: str


def read_header(
    blocks: Iterator[bytes],
    mapping: Mapping,
    known: Iterable[str],
    line: int = 1,
) -> tuple[Header, Iterator[bytes], int]:
    """The header, the blocks of rows, and the number of the first row's line; `line` is that of
    the first line in `blocks`. `known` are names to expect, which decide between delimiters.
    Raises UnreadableFile."""
    head = b""
    for block in blocks:
        head += block
        while (stripped := head.lstrip(b" \t")).startswith((b"\n", b"\r\n")):
            head, line = stripped[stripped.index(b"\n") + 1 :], line + 1
        if b"\n" in head or len(head) > LONGEST_RECORD:
            break
    first, _, rest = head.partition(b"\n")
    if mapping.has_header:
        return _header(_text(first), mapping.delimiter, known), chain([rest], blocks), line + 1
    return _without_header(head, mapping), chain([head], blocks), line


def _text(first: bytes) -> str:
    try:
        return first.rstrip(b"\r").decode()
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            f"has a first line that is not UTF-8, at byte {error.start}; say which encoding the "
            'file has in the mapping, such as encoding = "cp1252"'
        ) from error


def _header(line: str, given: str | None, known: Iterable[str]) -> Header:
    wanted = list(known)
    delimiter = given or sniff_delimiter(line, wanted)
    fields = [n.strip() for n in _fields(line, delimiter)]
    if len(fields) == 1 and _is_wrapped(line, fields[0]):
        raise WrappedLines(
            "has whole lines in quotes; say quoted_lines = true in the mapping, if that is so"
        )
    return Header(_told_apart(fields), delimiter)


def _is_wrapped(line: str, field: str) -> bool:
    return line.startswith('"') and any(d in field for d in DELIMITERS.replace(":", ""))


def _without_header(head: bytes, mapping: Mapping) -> Header:
    """The first rows decide how many columns there are, unless the mapping names them."""
    lines = [readable(r) for r in head.splitlines()[:_LOOKED_AT] if r.strip()]
    wide = len(mapping.names)
    best = max(mapping.delimiter or DELIMITERS, key=lambda d: _steadiness(lines, d, wide))
    found = len(_fields(lines[0], best)) if lines else wide
    if wide and found != wide and not mapping.delimiter:
        found = max(len(_fields(lines[0], d)) for d in DELIMITERS)
        raise UnreadableFile(
            f"has up to {found} columns in its first row, and the mapping {wide} names; name "
            'them all, with "" for those that none takes, or say the delimiter'
        )
    return Header(_told_apart(mapping.names or ("",) * found), best)


def _steadiness(lines: list[str], delimiter: str, wide: int) -> tuple[bool, int, bool, int]:
    """How well a delimiter fits rows; a colon is as a rule one of a time of day."""
    counts = [len(_fields(line, delimiter)) for line in lines]
    usual = wide or max(counts, key=counts.count, default=0)
    return usual > 1, counts.count(usual), delimiter != ":", usual


def _told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """A name that comes twice is amount#1 and amount#2; a blank one is its place, #3."""
    met: dict[str, int] = {}
    told = []
    for place, name in enumerate(names, 1):
        met[name] = met.get(name, 0) + 1
        told.append(
            f"{name}#{met[name] if name else place}" if names.count(name) > 1 or not name else name
        )
    twice = [i for i, n in enumerate(told, 1) if told.count(n) > 1]
    if twice:
        raise UnreadableFile(f"names columns {', '.join(map(str, twice[:50]))} alike")
    return tuple(told)


def sniff_delimiter(line: str, known: Iterable[str]) -> str:
    """The delimiter that tells most known columns apart; among equals, most columns."""
    wanted = {k.casefold() for k in known}

    def told_apart(delimiter: str) -> tuple[int, int]:
        found = [f.strip().casefold() for f in _fields(line, delimiter)]
        return len(wanted.intersection(found)), len(found)

    return max(DELIMITERS, key=told_apart)


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error as error:
        raise UnreadableFile("has a header that cannot be read as delimited text") from error


def csv_pieces(blocks: Iterator[bytes], header: Header, line: int) -> Iterator[Piece]:
    """Rows after the header; `line` is the number of the first. Blank lines are no rows."""
    for records in scan_records(blocks, header.delimiter, len(header.columns), line):
        yield _piece(records, header)


def _piece(records: Records, header: Header) -> Piece:
    frame = _plain(records, header)
    if frame is not None:
        return _with_lines(records, np.arange(frame.height), frame, DAMAGED_SCHEMA.to_frame())
    damage = _damage(records, len(header.columns))
    filled = records.ends > records.starts
    good = np.flatnonzero(filled & (damage == 0))
    frame, unreadable = _parsed(records, good, header)
    damage[unreadable] = RULES.index("unreadable")
    good = np.setdiff1d(good, unreadable, assume_unique=True)
    bad = np.flatnonzero(filled & (damage != 0))
    damaged = damaged_rows(
        records.line[bad].tolist(),
        [readable(records.text(int(i))) for i in bad],
        [f"{ROW}|{RULES[n]}" for n in damage[bad]],
    )
    return _with_lines(records, good, frame, damaged)


def _with_lines(
    records: Records, rows: np.ndarray, frame: pl.DataFrame, damaged: pl.DataFrame
) -> Piece:
    lines = pl.Series(LINE, records.line[rows], dtype=pl.Int64)
    return Piece(
        frame.with_columns(lines),
        damaged,
        lambda at: [readable(records.text(i)) for i in rows[at]],
    )


def _plain(records: Records, header: Header) -> pl.DataFrame | None:
    """All records in one go, where nothing is wrong with any of them. That none has too few
    fields follows from their total, as the parser refuses those with too many."""
    if not records.starts.size or not records.may_be_plain(len(header.columns)):
        return None
    text = records.whole
    if b"\0" in text or not is_utf8(text):
        return None
    frame = _read(text, header)
    return frame if frame.height == records.starts.size else None


def _damage(records: Records, width: int) -> np.ndarray:
    """The place in RULES of what is wrong with each record; 0 where nothing is."""
    found = np.zeros(records.starts.size, dtype=np.uint8)
    found[records.fields < width] = RULES.index("too_few_fields")
    found[records.fields > width] = RULES.index("too_many_fields")
    if b"\0" in records.data:
        zeros = np.flatnonzero(np.frombuffer(records.data, np.uint8) == 0)
        found[_holding(records, zeros)] = RULES.index("null_character")
    found[_not_utf8(records)] = RULES.index("not_utf8")
    found[records.broken] = RULES.index("unbalanced_quotes")
    return found


def _holding(records: Records, positions: np.ndarray) -> np.ndarray:
    found = np.unique(np.searchsorted(records.ends, positions))
    return found[found < records.ends.size]


def _not_utf8(records: Records) -> list[int]:
    found: list[int] = []
    at = 0
    limit = int(records.ends[-1]) if records.ends.size else 0
    if records.data.isascii():
        return found
    while at < limit:
        try:
            records.data[at:limit].decode()
        except UnicodeDecodeError as error:
            i = int(np.searchsorted(records.ends, at + error.start, side="right"))
            if i >= records.ends.size:
                break
            found.append(i)
            at = int(records.ends[i])
        else:
            break
    return found


def _parsed(records: Records, rows: np.ndarray, header: Header) -> tuple[pl.DataFrame, list[int]]:
    """The rows with these positions, and the positions of those that would not parse."""
    frame = _read(_joined(records, rows) if rows.size else b"", header)
    if frame.height == rows.size:
        return frame, []
    if rows.size == 1:
        return frame.clear(), [int(rows[0])]
    halves = [_parsed(records, half, header) for half in np.array_split(rows, 2)]
    return pl.concat([f for f, _ in halves]), [i for _, bad in halves for i in bad]


def _read(text: bytes, header: Header) -> pl.DataFrame:
    """Empty where the parser refuses any of it."""
    schema = dict.fromkeys(header.columns, pl.String)
    try:
        return pl.read_csv(
            text, has_header=False, schema=schema, separator=header.delimiter, quote_char='"'
        )
    except pl.exceptions.PolarsError:
        return pl.DataFrame(schema=schema)


def _joined(records: Records, rows: np.ndarray) -> bytes:
    """The text of these rows. Neighbours are taken in one slice, so that an undamaged block
    is not copied row by row."""
    breaks = np.flatnonzero(np.diff(rows) > 1)
    firsts = rows[np.append(0, breaks + 1)]
    lasts = rows[np.append(breaks, rows.size - 1)]
    slices = (
        records.data[records.starts[first] : records.ends[last]]
        for first, last in zip(firsts, lasts, strict=True)
    )
    return b"\n".join(slices)
