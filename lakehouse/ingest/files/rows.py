"""Rows as they came out of a file: text, with their line, before anything is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import polars as pl

LINE = "_line"
NTH = "#nth"
"""Which row of the file it is: its line, and on it, where it is not the first, its place. No
column of a file has the name in an expression."""
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


def numbered(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The pieces with NTH, which is the same whenever the file is read. Rows of a JSON array may
    share a line, across pieces too."""
    last, before = 0, 0
    for piece in pieces:
        more = pl.when(pl.col(LINE) == last).then(before).otherwise(0)
        nth = pl.col(LINE).cum_count().over(LINE) + more
        line = pl.col(LINE).cast(pl.String)
        shown = pl.when(nth == 1).then(line).otherwise(line + "-" + nth.cast(pl.String))
        frame = piece.frame.with_columns(shown.alias(NTH))
        if frame.height:
            last, before = piece.frame.select(pl.col(LINE).last(), nth.last().alias(NTH)).row(0)
        yield replace(piece, frame=frame)
