"""Ids of its own for each case, where several share a lake."""

from __future__ import annotations

import re
from collections.abc import Mapping

import polars as pl

from lakehouse.compliance.scenarios.case import Case, Row
from lakehouse.contracts import contract

_PLAIN = re.compile(r"[\w.:-]+", re.ASCII)
"""Ids that cleaning leaves as they are, whatever stands before them."""


def can_be_tagged(case: Case) -> bool:
    """Whether each row is read and judged as it would be among others: its columns are the
    contract's, those without which a file is refused are there, and ids are plain text."""
    return all(_is_usual(table, row) for table, rows in case.tables.items() for row in rows)


def _is_usual(table: str, row: Row) -> bool:
    c, ids = contract(table), [row.get(n) for n in _ids(table)]
    needed = {_key(table), *([c.event_time] if c.event_time else [])}
    named = needed <= row.keys() <= c.columns.keys() and row[_key(table)] is not None
    return named and all(i is None or _is_plain(i) for i in ids)


def tagged(table: str, rows: list[Row], tag: str) -> list[Row]:
    """The rows with `tag` before all that silver compares across rows: keys, and what refers
    to them."""
    if not tag:
        return rows
    ids = _ids(table)
    return [r | {n: f"{tag}{r[n]}" for n in ids if r.get(n) is not None} for r in rows]


def of_case(tag: str, tables: Mapping[str, pl.DataFrame]) -> Mapping[str, pl.DataFrame]:
    """The rows of the case with this tag, without it; only tables that have some."""
    if not tag:
        return tables
    found = {
        table: rows.filter(pl.col(_key(table)).str.starts_with(tag)).with_columns(
            pl.col(_ids(table)).str.strip_prefix(tag)
        )
        for table, rows in tables.items()
    }
    return {table: rows for table, rows in found.items() if rows.height}


def _key(table: str) -> str:
    return contract(table).key[0]


def _ids(table: str) -> list[str]:
    return list(dict.fromkeys([_key(table), *contract(table).references()]))


def _is_plain(value: object) -> bool:
    return isinstance(value, str) and _PLAIN.fullmatch(value) is not None
