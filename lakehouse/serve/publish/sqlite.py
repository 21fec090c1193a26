"""SQLite: one file, for those who want to carry gold with them."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from lakehouse.closing import Closing
from lakehouse.errors import BadInput, StorageError
from lakehouse.serve.publish.ddl import Dialect, added, created, day_sums, indexed, quoted, text
from lakehouse.serve.publish.shapes import Column, Shape
from lakehouse.serve.publish.target import LEDGER, Marks, Sums, refuse_differences, sums_of
from lakehouse.serve.publish.views import VIEWS

TYPES: Any = {
    "text": "TEXT",
    "integer": "INTEGER",
    "float": "REAL",
    "decimal": "DECIMAL({precision},{scale})",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "moment": "TIMESTAMP",
    "json": "JSON",
}
"""By SQLite's rules a DECIMAL is stored as a number; days and moments are text, in ISO 8601."""
WAIT_SECONDS = 60


def _commented(declared: str, comment: str) -> str:
    """SQLite keeps the words of CREATE TABLE, and so what each column means."""
    return f"/* {comment.replace('*/', '* /')} */\n  {declared}"


DIALECT = Dialect(TYPES, commented=_commented)


class SQLite(Closing):
    """A database file. Tables are named `layer_table`, those of gold by their own name."""

    def __init__(self, path: Path) -> None:
        if path.is_dir():
            raise BadInput(f"{path} is a folder; name a file, such as gold.sqlite")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            # A log that is written ahead is whole without waiting for the disk at each commit.
            self._connection.execute("PRAGMA synchronous = NORMAL")
        except (OSError, sqlite3.Error) as error:
            raise BadInput(f"{path} is no SQLite database that can be written: {error}") from error
        self._path = path

    def turns(self, _: Sequence[Shape], /) -> AbstractContextManager[None]:
        return nullcontext()

    def lay_out(self, shape: Shape) -> None:
        place = quoted(name_of(shape))
        with self._transaction(shape.name) as do:
            do(
                f"CREATE TABLE IF NOT EXISTS {LEDGER} (table_name TEXT, gaming_day DATE, "
                "mark TEXT NOT NULL, rows INTEGER NOT NULL, PRIMARY KEY (table_name, gaming_day))"
            )
            do(created(shape, place, DIALECT))
            there = {row[1]: row[2] for row in do(f"PRAGMA table_info({place})")}
            missing = added(shape, place, DIALECT, there)
            for statement in [*missing, *indexed(shape, place, DIALECT)]:
                do(statement)
            if missing:
                do(f"DELETE FROM {LEDGER} WHERE table_name = ?", (shape.name,))

    def known(self, shape: Shape) -> dict[dt.date, str]:
        with self._transaction(shape.name) as do:
            asked = f"SELECT gaming_day, mark FROM {LEDGER} WHERE table_name = ?"
            found = do(asked, (shape.name,)).fetchall()
        return {dt.date.fromisoformat(day): mark for day, mark in found}

    def replace(self, shape: Shape, rows: pl.DataFrame, marks: Marks) -> None:
        place, sent = quoted(name_of(shape)), sums_of(rows, shape)
        days = f"IN ({', '.join(text(str(d)) for d in sorted(marks))})"
        names = ", ".join(quoted(c.name) for c in shape.columns)
        holes = ", ".join("?" * len(shape.columns))
        given = rows.select(_written(c) for c in shape.columns)
        with self._transaction(shape.name) as do:
            do(f"DELETE FROM {place}" + (f" WHERE gaming_day {days}" if shape.has_days else ""))
            insert = f"INSERT INTO {place} ({names}) VALUES ({holes})"
            self._connection.executemany(insert, given.iter_rows())
            refuse_differences(shape, sent, self._sums(shape, place, days))
            mine = f"table_name = {text(shape.name)}"
            do(f"DELETE FROM {LEDGER} WHERE {mine} AND gaming_day {days}")
            for day, mark in sorted(marks.items()):
                if mark:
                    rows_of = int(sent[day][0]) if day in sent else 0
                    do(
                        f"INSERT INTO {LEDGER} VALUES (?, ?, ?, ?)",
                        (shape.name, str(day), mark, rows_of),
                    )

    def beside(self) -> None:
        """One writes at a time."""

    def lay_out_views(self) -> list[str]:
        with self._transaction("views") as do:
            there = {row[0] for row in do("SELECT name FROM sqlite_master WHERE type = 'table'")}
            made = [v for v in VIEWS if _name(v.layer, v.table) in there]
            for view in made:
                do(f"DROP VIEW IF EXISTS {quoted(view.name)}")
                source = quoted(_name(view.layer, view.table))
                do(f"CREATE VIEW {quoted(view.name)} AS SELECT * FROM {source}")
        return [v.name for v in made]

    def close(self) -> None:
        self._connection.close()

    def _sums(self, shape: Shape, place: str, days: str) -> Sums:
        """A number of SQLite is a double: cents are summed as whole numbers."""
        scales = {c.name: c.scale for c in shape.columns}
        asked = day_sums(shape, place, days, "{column}", DIALECT)
        for name in shape.summed:
            whole = quoted(name)
            if scales[name]:
                whole = f"CAST(round({whole} * {10 ** scales[name]}) AS INTEGER)"
            asked = asked.replace(f", {quoted(name)}", f", coalesce(sum({whole}), 0)", 1)
        return {
            dt.date.fromisoformat(day): (
                Decimal(rows),
                *(Decimal(v).scaleb(-scales[n]) for n, v in zip(shape.summed, sums, strict=True)),
            )
            for day, rows, *sums in self._connection.execute(asked)
        }

    @contextmanager
    def _transaction(self, what: str) -> Iterator[Any]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield self._connection.execute
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._undo()
            raise StorageError(f"cannot publish {what} to {self._path}: {error}") from error
        except BaseException:
            self._undo()
            raise

    def _undo(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")


def name_of(shape: Shape) -> str:
    return _name(shape.layer, shape.table)


def _name(layer: str, table: str) -> str:
    return table if layer == "gold" else f"{layer}_{table}"


def _written(column: Column) -> pl.Expr:
    value = pl.col(column.name)
    if column.kind == "date":
        return value.dt.to_string("%Y-%m-%d")
    if column.kind == "moment":
        return value.dt.to_string("%Y-%m-%d %H:%M:%S%.6f")
    if column.kind == "decimal":
        return value.cast(pl.Float64)
    return value
