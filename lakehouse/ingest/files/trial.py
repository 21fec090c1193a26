"""The first rows of a file, before and after its mapping; nothing of it is stored."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lakehouse.contracts import PROVENANCE, Contract, contract
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.columns import match_columns
from lakehouse.ingest.files.inspection import inspect
from lakehouse.ingest.files.mapping import Mapping
from lakehouse.ingest.files.reading import open_file
from lakehouse.ingest.files.row_typing import Judged, judge
from lakehouse.ingest.files.rows import LINE, NTH, Piece
from lakehouse.regulation.gaming_day import gaming_day_of

MASK = "***"
RULES = "_rules"
_QUARANTINE = ("_stage", "_raw", "_file")


@dataclass(frozen=True)
class FirstRows:
    """`before`: line and the file's columns that ours take, as text. `after`: line, our columns
    that have a value, and the rules that a row broke. Values of persons are masked in both, and
    so are fields that a damaged row could not be told into."""

    before: pl.DataFrame
    after: pl.DataFrame


def first_rows(
    path: Path, table: str, mapping: Mapping, *, as_of: dt.datetime, timezone: str, most: int
) -> FirstRows:
    """Raises UnreadableFile."""
    c = contract(table)
    inspected = inspect(path, mapping)
    opened = open_file(path, inspected, c, mapping)
    day = gaming_day_of(as_of, timezone)
    origin = Origin(c, mapping, path.name, day, as_of, timezone, inspected.digest)
    for piece in opened.pieces:
        judged = judge(piece, origin, keep_line=True)
        if judged.rows:
            return FirstRows(_before(piece, c, mapping, most), _after(judged, c, most))
    return FirstRows(pl.DataFrame(schema={LINE: pl.Int64}), pl.DataFrame(schema={LINE: pl.Int64}))


def _before(piece: Piece, c: Contract, mapping: Mapping, most: int) -> pl.DataFrame:
    match = match_columns(c, mapping, [n for n in piece.frame.columns if n not in (LINE, NTH)])
    shown = [*match.taken.items()]
    for ours, rule in mapping.columns.items():
        shown += [(ours, match.fields[n]) for n in sorted(rule.fields) if n in match.fields]
    hidden = {theirs for ours, theirs in shown if ours in personal(c)}
    rows = piece.frame.select(LINE, *dict.fromkeys(theirs for _, theirs in shown))
    return _masked(rows, hidden).sort(LINE).head(most)


def _after(judged: Judged, c: Contract, most: int) -> pl.DataFrame:
    good = judged.good.with_columns(pl.lit(None, pl.List(pl.String)).alias(RULES))
    bad = judged.bad.drop(_QUARANTINE)
    rows = pl.concat([good, bad.select(good.columns)]).sort(LINE).head(most)
    return (
        rows.select(LINE).hstack(masked(rows.drop(LINE, RULES), c.name)).with_columns(rows[RULES])
    )


def masked(rows: pl.DataFrame, table: str) -> pl.DataFrame:
    """The columns that any of these rows has a value in, values of persons masked."""
    told = [n for n in rows.columns if n not in PROVENANCE and rows[n].null_count() < rows.height]
    return _masked(rows.select(told), personal(contract(table)))


def personal(c: Contract) -> set[str]:
    """Columns that tell of a person, or that silver protects."""
    return {n for n in c.columns if {"pii", "protect"} & c.metadata(n).keys()}


def _masked(rows: pl.DataFrame, columns: set[str]) -> pl.DataFrame:
    return rows.with_columns(
        pl.when(pl.col(n).is_not_null()).then(pl.lit(MASK)).alias(n)
        for n in rows.columns
        if n in columns
    )
