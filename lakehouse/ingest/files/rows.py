"""Rows as they came out of a file: text, with their line, before anything is judged."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import polars as pl

LINE = "_line"
NTH = "#nth"
"""Which row of the file it is, where its line alone does not tell. No column of a file has the
name in an expression."""
ROW = "_row"
"""In the place of a column's name, in rules that a whole row breaks."""

DAMAGED_SCHEMA = pl.Schema({LINE: pl.Int64(), "_raw": pl.String(), "_rule": pl.String()})


@dataclass(frozen=True)
class Piece:
    """Consecutive rows of a file. `frame` has the file's columns as text, and LINE; `raw`
    gives the landed text of the rows with these positions in `frame`; `damaged` are the rows
    that could not be told into columns."""

    frame: pl.DataFrame
    damaged: pl.DataFrame
    raw: Callable[[list[int]], list[str]]


def damaged_rows(lines: list[int], raws: list[str], rules: list[str]) -> pl.DataFrame:
    return pl.DataFrame([lines, raws, rules], schema=DAMAGED_SCHEMA)


def readable(raw: bytes) -> str:
    """Text of landed bytes; those that are no UTF-8 are shown as \\xNN."""
    return raw.decode("utf-8", errors="backslashreplace")


def told_by_text(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The pieces with NTH for rows that may share a line."""
    places = Places()
    for piece in pieces:
        lines = piece.frame[LINE].to_list()
        nth = places.of(lines, piece.raw(list(range(len(lines)))))
        yield replace(piece, frame=piece.frame.with_columns(nth))


class Places:
    """What tells rows of one line, in their order: their text, and of equal ones how many came
    before. That is the same whenever they are read, with or without the others."""

    def __init__(self) -> None:
        self._line, self._met = 0, Counter[str]()

    def of(self, lines: Iterable[int], raws: Iterable[str]) -> pl.Series:
        return pl.Series(NTH, [self._next(*row) for row in zip(lines, raws, strict=True)])

    def _next(self, line: int, raw: str) -> str:
        if line != self._line:
            self._line, self._met = line, Counter()
        text = hashlib.blake2b(raw.encode(), digest_size=6).hexdigest()
        self._met[text] += 1
        return f"{line}-{text}" + (f"-{self._met[text]}" if self._met[text] > 1 else "")
