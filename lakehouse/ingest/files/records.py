"""Where the records of a delimited file begin and end, found a block at a time.

Quotes follow RFC 4180: they open at the start of a field, close before a delimiter or the end
of a line, and are doubled inside. A record whose quotes do not, is damaged: its first line is
set aside and reading goes on with the next line, so that one stray quote costs one row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from lakehouse.ingest.files.byte_blocks import LONGEST_RECORD, is_utf8

Offsets = npt.NDArray[np.int64]

_NEWLINE, _RETURN, _QUOTE = 10, 13, 34
WINDOW = LONGEST_RECORD
_SMALLEST_WINDOW = 2**16
_UNCLOSED = 2**20
"""A quote that stays open for longer was never meant to."""
_WIDEST = 200
"""Fields of a record that one regular expression is made for."""


@dataclass(frozen=True)
class Records:
    """Records of one stretch of text: `starts` and `ends` (without the end of line) into
    `data`, the `line` each begins on, whether its quotes are `broken`; the `quoted` delimiters
    of each, where there are quotes at all; the `width` of all, where it is known that each has as
    many fields, quoted as they should be, on a line of its own."""

    data: bytes
    starts: Offsets
    ends: Offsets
    line: Offsets
    broken: npt.NDArray[np.bool_]
    delimiter: int
    quoted: Offsets | None = None
    width: int = 0

    def text(self, i: int) -> bytes:
        return self.data[self.starts[i] : self.ends[i]]

    @property
    def whole(self) -> bytes:
        """From the first record to the last, with the ends of lines between them."""
        return self.data[self.starts[0] : self.ends[-1]]

    @cached_property
    def fields(self) -> Offsets:
        """The number of fields of each record."""
        if self.width:
            return np.full(self.starts.size, self.width)
        return self.cuts + 1 if self.quoted is None else self.cuts + 1 - self.quoted

    @property
    def cuts(self) -> Offsets:
        """The number of delimiters in each record, those inside quotes among them."""
        return _between(_positions(self.data, self.delimiter), self.starts, self.ends)

    def may_be_plain(self, width: int) -> bool:
        """Whether there are no quotes and no blank lines, and as many delimiters as `width`
        fields in each record have together. Sure at a fraction of the cost of counting them
        in each, as soon as none is known to have more."""
        if self.width:
            return self.width == width
        if self.quoted is not None or self.broken.any() or (self.ends <= self.starts).any():
            return False
        text = np.frombuffer(self.data, np.uint8)[: self.ends[-1]]
        return int(np.count_nonzero(text == self.delimiter)) == self.starts.size * (width - 1)


def scan_records(
    blocks: Iterator[bytes], delimiter: str, width: int, line: int = 1
) -> Iterator[Records]:
    """All records in order. `width`: fields of the header; `line`: number of the first line.
    What a broken record tears apart comes together, so that many of them cost little."""
    held: list[Records] = []
    size = 0
    for found in _stretches(blocks, delimiter, width, line):
        held.append(found)
        size += int(found.ends[-1])
        if size > WINDOW // 16:
            yield _together(held)
            held, size = [], 0
    if held:
        yield _together(held)


def _together(parts: list[Records]) -> Records:
    if len(parts) == 1:
        return parts[0]
    texts = [p.data[: p.ends[-1]] for p in parts]
    begins = np.cumsum([0, *(len(t) + 1 for t in texts[:-1])])
    widths, quoted = {p.width for p in parts}, None
    if len(widths) > 1 or any(p.quoted is not None for p in parts):
        quoted = np.concatenate([p.cuts + 1 - p.fields for p in parts])
    return Records(
        b"\n".join(texts),
        np.concatenate([p.starts + n for p, n in zip(parts, begins, strict=True)]),
        np.concatenate([p.ends + n for p, n in zip(parts, begins, strict=True)]),
        np.concatenate([p.line for p in parts]),
        np.concatenate([p.broken for p in parts]),
        parts[0].delimiter,
        quoted,
        widths.pop() if len(widths) == 1 else 0,
    )


def _stretches(blocks: Iterator[bytes], delimiter: str, width: int, line: int) -> Iterator[Records]:
    buffer, at, ended, window = b"", 0, False, WINDOW
    starved = False
    while True:
        if not ended and (starved or len(buffer) - at < _UNCLOSED):
            block = next(blocks, None)
            buffer, at, ended, starved = buffer[at:] + (block or b""), 0, block is None, False
            continue
        if at == len(buffer):
            return
        view = buffer[at : at + window]
        last = ended and at + len(view) == len(buffer)
        found, used, clean = _scan(view, ord(delimiter), width, line, last)
        if found.starts.size:
            yield found
        line += int(np.count_nonzero(np.frombuffer(view, np.uint8, used) == _NEWLINE))
        at += used
        if not clean or (used == 0 and _never_closed(view, at, buffer)):
            broken, used = _first_line(buffer, at, line, ord(delimiter))
            yield broken
            line, at, window = line + 1, at + used, _SMALLEST_WINDOW
        else:
            starved = used == 0 and at + len(view) == len(buffer)
            window = min(window * 4, WINDOW)


def _never_closed(view: bytes, at: int, buffer: bytes) -> bool:
    return len(view) >= _UNCLOSED and at + len(view) == len(buffer) and b"\n" in view


def _first_line(buffer: bytes, at: int, line: int, delimiter: int) -> tuple[Records, int]:
    end = buffer.find(b"\n", at)
    text = buffer[at : end if end >= 0 else len(buffer)]
    whole = np.array([0]), np.array([len(text.removesuffix(b"\r"))])
    found = Records(text, *whole, np.array([line]), np.array([True]), delimiter)
    return found, len(text) + (end >= 0)


def _scan(
    view: bytes, delimiter: int, width: int, line: int, last: bool
) -> tuple[Records, int, bool]:
    """Complete records at the beginning of `view`, the bytes they take, and whether what
    follows is merely incomplete (true) or broken."""
    newlines = _positions(view, _NEWLINE)
    if last and not view.endswith(b"\n"):
        newlines = np.append(newlines, len(view))
    if b'"' not in view:
        found = _records(view, newlines, newlines, line, delimiter)
        return found, _used(view, newlines), True
    if _each_line_is_one(view, newlines, delimiter, width):
        found = _records(view, newlines, newlines, line, delimiter)
        return replace(found, width=width), _used(view, newlines), True
    text = np.frombuffer(view, np.uint8)
    quotes = _positions(view, _QUOTE)
    ends = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
    broken_at = _misplaced_quote(text, quotes, delimiter, last)
    if broken_at is not None:
        ends = ends[ends < broken_at]
    found = _records(view, ends, newlines, line, delimiter)
    inside = _quoted_cuts(quotes, _positions(view, delimiter), found.starts, ends)
    found = replace(found, quoted=inside)
    spans = _between(newlines, found.starts, ends) > 0
    swallowed = np.flatnonzero(spans & _is_run_together(found.fields, inside, width))
    if swallowed.size:
        kept = broken_at = int(swallowed[0])
        ends = ends[:kept]
        found = replace(_records(view, ends, newlines, line, delimiter), quoted=inside[:kept])
    return found, _used(view, ends), broken_at is None


def _each_line_is_one(view: bytes, newlines: Offsets, delimiter: int, width: int) -> bool:
    """Whether each line is a whole record with all its fields, and its quotes are as they should
    be: told by one expression at a fifth of the cost of looking at each quote."""
    import pyarrow as pa

    if not newlines.size or not 1 < width <= _WIDEST:
        return False
    text = view[: newlines[-1] + 1]
    if not is_utf8(text):
        return False
    ends = np.minimum(np.append(0, newlines + 1), len(text))
    lines = pa.LargeStringArray.from_buffers(newlines.size, pa.py_buffer(ends), pa.py_buffer(text))
    cut = rf"\x{delimiter:02x}"
    field = rf'(?:"(?:[^"]|"")*"|[^"\r\n{cut}]*)'
    whole = rf"^{field}(?:{cut}{field}){{{width - 1}}}\r?\n?$"
    return bool(pl.Series(lines).str.contains(whole).all())


def _records(view: bytes, ends: Offsets, newlines: Offsets, line: int, delimiter: int) -> Records:
    starts = np.append(0, ends[:-1] + 1)[: ends.size]
    lines = line + np.searchsorted(newlines, starts)
    text = np.frombuffer(view, np.uint8)
    returned = (ends > starts) & (text[np.maximum(ends - 1, 0)] == _RETURN)
    whole = np.zeros(starts.size, dtype=bool)
    return Records(view, starts, ends - returned, lines, whole, delimiter)


def _used(view: bytes, ends: Offsets) -> int:
    return min(int(ends[-1]) + 1, len(view)) if ends.size else 0


def _positions(text: bytes, character: int) -> Offsets:
    return np.flatnonzero(np.frombuffer(text, np.uint8) == character)


def _between(positions: Offsets, starts: Offsets, ends: Offsets) -> Offsets:
    counted: Offsets = np.searchsorted(positions, ends) - np.searchsorted(positions, starts)
    return counted


def _misplaced_quote(
    text: npt.NDArray[np.uint8], quotes: Offsets, delimiter: int, last: bool
) -> int | None:
    is_edge = np.zeros(256, dtype=bool)
    is_edge[[delimiter, _NEWLINE, _QUOTE]] = True
    opening, closing = quotes[::2], quotes[1::2]
    opens_well = is_edge[text[opening - 1]] | (opening == 0)
    is_edge[_RETURN] = True
    after = closing + 1
    closes_well = is_edge[text[np.minimum(after, text.size - 1)]] | (after == text.size)
    misplaced = np.sort(np.append(opening[~opens_well], closing[~closes_well]))
    if misplaced.size:
        return int(misplaced[0])
    return int(quotes[-1]) if last and quotes.size % 2 else None


def _quoted_cuts(quotes: Offsets, cuts: Offsets, starts: Offsets, ends: Offsets) -> Offsets:
    """Delimiters inside quotes, per record."""
    closing = quotes[1::2]
    opening = quotes[::2][: closing.size]
    before = np.append(0, np.cumsum(_between(cuts, opening, closing)))
    counted: Offsets = (
        before[np.searchsorted(opening, ends)] - before[np.searchsorted(opening, starts)]
    )
    return counted


def _is_run_together(fields: Offsets, inside: Offsets, width: int) -> npt.NDArray[np.bool_]:
    """Of records that span lines, those that a lost quote ran together with their neighbours:
    the number of fields is wrong, or a whole row's delimiters are inside their quotes."""
    return (fields != width) | ((inside >= width - 1) & (width > 2))
