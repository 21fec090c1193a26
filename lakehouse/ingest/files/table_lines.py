"""Which lines of a text file are its table: without what stands before the header and after
the last row, and without the quotes that some exports put around whole lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from lakehouse.ingest.files.byte_blocks import LONGEST_RECORD, UnreadableFile
from lakehouse.ingest.files.mapping import Mapping

_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_WRAPPED = re.compile(rb'^"([^\n]*)"(\r?)$', re.MULTILINE)


@dataclass
class LeftOut:
    """Lines of a file that are none of its table, counted while they are passed over."""

    before: int = 0
    after: int = 0

    def in_words(self) -> str:
        parts = ((self.before, "before the table"), (self.after, "after it"))
        told = [f"{n:,} {'line' if n == 1 else 'lines'} {where}" for n, where in parts if n]
        return f"left out {' and '.join(told)}" if told else ""


def table_lines(blocks: Iterator[bytes], mapping: Mapping) -> tuple[Iterator[bytes], LeftOut]:
    """The lines from the header on, or from the first row where there is none, as blocks. The
    header is on line `before` + 1. Raises UnreadableFile where a mark of the mapping is not met,
    the one that ends the table when the last line was read."""
    left = LeftOut()
    if mapping.skip_rows:
        blocks = _without_first(blocks, mapping.skip_rows, left)
    if mapping.starts_at is not None:
        blocks = _from_mark(blocks, "starts_at", mapping.starts_at, left)
    if mapping.starts_after is not None:
        blocks = _from_mark(blocks, "starts_after", mapping.starts_after, left)
    if mapping.ends_at is not None:
        blocks = _until_mark(blocks, mapping.ends_at, left)
    return (_unwrapped(blocks) if mapping.quoted_lines else blocks), left


def _without_first(blocks: Iterator[bytes], count: int, left: LeftOut) -> Iterator[bytes]:
    pieces = _whole_lines(blocks)
    for piece in pieces:
        ends = [m.end() for m in islice(_LINE.finditer(piece), count - left.before)]
        left.before += len(ends)
        if left.before == count:
            return chain([piece[ends[-1] :]], pieces)
    raise UnreadableFile(
        f"has {left.before} lines, and the mapping leaves out {count} (skip_rows); write fewer"
    )


def _from_mark(blocks: Iterator[bytes], entry: str, mark: str, left: LeftOut) -> Iterator[bytes]:
    sought, pieces = _line_with(mark), _whole_lines(blocks)
    for piece in pieces:
        met = sought.search(piece)
        if met is None:
            left.before += _count(piece)
            continue
        cut = met.start() if entry == "starts_at" else met.end()
        left.before += _count(piece[:cut])
        return chain([piece[cut:]], pieces)
    raise UnreadableFile(
        f"has no line that begins with {mark!r}, where the mapping says that its table begins "
        f"({entry}); write how that line of the file begins"
    )


def _until_mark(blocks: Iterator[bytes], mark: str, left: LeftOut) -> Iterator[bytes]:
    """A file that lacks its end was cut short."""
    sought, pieces = _line_with(mark), _whole_lines(blocks)
    for piece in pieces:
        met = sought.search(piece)
        if met is None:
            yield piece
            continue
        yield piece[: met.start()]
        left.after = sum(_count(p) for p in chain([piece[met.start() :]], pieces))
        return
    raise UnreadableFile(
        f"has no line that begins with {mark!r}, where the mapping says that its table ends "
        "(ends_at): was it cut short? If not, leave ends_at out"
    )


def _line_with(mark: str) -> re.Pattern[bytes]:
    """A line that begins with a mark, whatever blanks and quotes stand before it."""
    plain = re.escape(mark.lstrip(' \t"').encode())
    return re.compile(rb'^[ \t"]*' + plain + rb"[^\n]*(?:\n|\Z)", re.MULTILINE)


def _count(piece: bytes) -> int:
    return piece.count(b"\n") + (piece != b"" and not piece.endswith(b"\n"))


def _unwrapped(blocks: Iterator[bytes]) -> Iterator[bytes]:
    for piece in _whole_lines(blocks):
        yield _WRAPPED.sub(lambda m: m[1].replace(b'""', b'"') + m[2], piece)


def _whole_lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Blocks that end with a line; of an endless one, pieces."""
    rest = b""
    for block in blocks:
        text = rest + block
        cut = text.rfind(b"\n") + 1
        if cut == 0 and len(text) < LONGEST_RECORD:
            rest = text
            continue
        yield text[: cut or len(text)]
        rest = text[cut:] if cut else b""
    if rest:
        yield rest
