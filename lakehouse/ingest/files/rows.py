"""Rows as they came out of a file: text, with their line, before anything is judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

LINE = "_line"
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
