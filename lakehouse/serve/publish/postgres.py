"""PostgreSQL, through ADBC: rows go in by binary COPY."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import polars as pl
import pyarrow as pa

from lakehouse.closing import Closing
from lakehouse.errors import BadInput, StorageError
from lakehouse.serve.publish.ddl import Dialect, added, created, day_sums, indexed, quoted, text
from lakehouse.serve.publish.ledger import noted, sums_found
from lakehouse.serve.publish.secrets import secrets_of, told
from lakehouse.serve.publish.shapes import Shape, lines
from lakehouse.serve.publish.target import LEDGER, Marks, refuse_differences, sums_of
from lakehouse.serve.publish.views import VIEWS

TYPES: Any = {
    "text": "text",
    "integer": "bigint",
    "float": "double precision",
    "decimal": "numeric({precision},{scale})",
    "boolean": "boolean",
    "date": "date",
    "moment": "timestamp with time zone",
    "json": "jsonb",
}
DIALECT = Dialect(TYPES)


class Postgres(Closing):
    """One database. Tables lie in schemas of the layers' names, with a prefix where one is
    given."""

    def __init__(self, uri: str, *, prefix: str = "") -> None:
        driver = _driver()
        self._error = driver.Error
        self._prefix = prefix
        try:
            self._connection = driver.connect(uri)
        except self._error as error:
            raise StorageError(f"cannot reach PostgreSQL: {_bare(error, uri)}") from None
        self._uri = uri

    @contextmanager
    def turns(self, shapes: Sequence[Shape], /) -> Iterator[None]:
        # Always in the same order: two who wait for each other's tables would wait for ever.
        places = sorted(text(self._place(s)) for s in shapes)
        with self.beside() as other:  # with whose end the turn ends, however that comes
            with other._transaction("anything") as cursor:
                for place in places:
                    cursor.execute(f"SELECT pg_advisory_lock(hashtext({place}))")
            yield

    def lay_out(self, shape: Shape) -> None:
        place = self._place(shape)
        with self._transaction(shape.name) as cursor:
            # IF NOT EXISTS is no answer where two ask at once.
            cursor.execute(f"SELECT pg_advisory_xact_lock(hashtext({text(LEDGER)}))")
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(self._schema(shape.layer))}")
            cursor.execute(
                f"CREATE TABLE IF NOT EXISTS {self._ledger(shape)} (table_name text, "
                "gaming_day date, mark text NOT NULL, rows bigint NOT NULL, sums jsonb NOT NULL, "
                "published_at timestamp with time zone NOT NULL DEFAULT now(), "
                "PRIMARY KEY (table_name, gaming_day))"
            )
            cursor.execute(created(shape, place, DIALECT))
            missing = added(shape, place, DIALECT, self._columns(cursor, shape))
            for statement in [*missing, *indexed(shape, place, DIALECT)]:
                cursor.execute(statement)
            if missing:
                mine = text(shape.table)
                cursor.execute(f"DELETE FROM {self._ledger(shape)} WHERE table_name = {mine}")
            cursor.execute(f"COMMENT ON TABLE {place} IS {text(shape.comment)}")
            for name, comment in lines(shape):
                cursor.execute(f"COMMENT ON COLUMN {place}.{quoted(name)} IS {text(comment)}")

    def known(self, shape: Shape) -> dict[dt.date, str]:
        with self._transaction(shape.name) as cursor:
            mine = text(shape.table)
            cursor.execute(
                f"SELECT gaming_day, mark FROM {self._ledger(shape)} WHERE table_name = {mine}"
            )
            return dict(cursor.fetchall())

    def replace(self, shape: Shape, rows: pl.DataFrame, marks: Marks) -> None:
        place, sent = self._place(shape), sums_of(rows, shape)
        days = _among(marks)
        with self._transaction(shape.name) as cursor:
            of_days = f" WHERE gaming_day {days}" if shape.has_days else ""
            cursor.execute(f"DELETE FROM {place}{of_days}")
            if rows.height:
                cursor.adbc_ingest(
                    shape.table,
                    _arrow(rows, shape),
                    mode="append",
                    db_schema_name=self._schema(shape.layer),
                )
            cursor.execute("SET LOCAL enable_sort = off")  # few days of many rows: by hash
            summed = "coalesce(sum({column}), 0)::text"
            cursor.execute(day_sums(shape, place, days, summed, DIALECT))
            refuse_differences(shape, sent, sums_found(cursor.fetchall()))
            for statement in noted(self._ledger(shape), shape, marks, sent, DIALECT):
                cursor.execute(statement)

    def beside(self) -> Postgres:
        return Postgres(self._uri, prefix=self._prefix)

    def lay_out_views(self) -> list[str]:
        made = []
        for view in VIEWS:
            if not self._is_there(view.layer, view.table):
                continue
            with self._transaction(view.name) as cursor:
                place = f"{quoted(self._schema('gold'))}.{quoted(view.name)}"
                source = f"{quoted(self._schema(view.layer))}.{quoted(view.table)}"
                cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(self._schema('gold'))}")
                cursor.execute(f"CREATE OR REPLACE VIEW {place} AS SELECT * FROM {source}")
            made.append(f"gold.{view.name}")
        return made

    def close(self) -> None:
        self._connection.close()

    def _columns(self, cursor: Any, shape: Shape) -> dict[str, str]:
        cursor.execute(
            "SELECT a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a "
            f"WHERE a.attrelid = {text(self._place(shape))}::regclass "
            "AND a.attnum > 0 AND NOT a.attisdropped"
        )
        return dict(cursor.fetchall())

    def _is_there(self, layer: str, table: str) -> bool:
        with self._transaction(table) as cursor:
            place = f"{quoted(self._schema(layer))}.{quoted(table)}"
            cursor.execute(f"SELECT to_regclass({text(place)}) IS NOT NULL")
            return bool(cursor.fetchone()[0])

    @contextmanager
    def _transaction(self, what: str) -> Iterator[Any]:
        cursor = self._connection.cursor()
        try:
            yield cursor
            self._connection.commit()
        except self._error as error:
            self._connection.rollback()
            raise StorageError(f"cannot publish {what}: {_bare(error, self._uri)}") from None
        except BaseException:
            self._connection.rollback()
            raise
        finally:
            cursor.close()

    def _schema(self, layer: str) -> str:
        return f"{self._prefix}{layer}"

    def _place(self, shape: Shape) -> str:
        return f"{quoted(self._schema(shape.layer))}.{quoted(shape.table)}"

    def _ledger(self, shape: Shape) -> str:
        return f"{quoted(self._schema(shape.layer))}.{LEDGER}"


def _driver() -> Any:
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError as error:
        raise BadInput(
            "PostgreSQL needs its driver: pip install 'casino-lakehouse[postgres]'"
        ) from error
    return dbapi


def _among(marks: Marks) -> str:
    """What `gaming_day` is to be. Of a table that came up just now PostgreSQL takes one of thirty
    days for a large part, and would read all of it; of a range it takes the index."""
    days = [text(str(day)) for day in sorted(marks)]
    return f"BETWEEN {days[0]} AND {days[-1]} AND gaming_day IN ({', '.join(days)})"


def _arrow(rows: pl.DataFrame, shape: Shape) -> pa.Table:
    """As Arrow; what is JSON is marked as such, so that it goes into jsonb."""
    table = rows.to_arrow()
    for at, column in enumerate(shape.columns):
        if column.kind == "json":
            plain = table.column(at).cast(pa.large_utf8()).combine_chunks()
            marked = pa.ExtensionArray.from_storage(pa.json_(pa.large_utf8()), plain)
            table = table.set_column(at, column.name, marked)
    return table


def _bare(error: Exception, uri: str) -> str:
    said = told(error, secrets_of(uri))
    return said.removeprefix("IO: ").removeprefix("INTERNAL: ")
