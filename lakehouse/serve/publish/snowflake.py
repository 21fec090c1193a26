"""Snowflake, through its own connector: rows are staged as Parquet, copied, and merged by key."""

from __future__ import annotations

import datetime as dt
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import polars as pl

from lakehouse.closing import Closing
from lakehouse.errors import BadInput, StorageError
from lakehouse.serve.publish.ddl import Dialect, added, created, day_sums, quoted, text
from lakehouse.serve.publish.ledger import noted, sums_found
from lakehouse.serve.publish.secrets import told
from lakehouse.serve.publish.shapes import Shape, lines
from lakehouse.serve.publish.target import LEDGER, Marks, refuse_differences, sums_of
from lakehouse.serve.publish.views import WAREHOUSE, WAREHOUSE_VIEWS, View
from lakehouse.storage.shapes import PARTITION

Options = Mapping[str, str | int | bool]
Do = Callable[[str], Any]
LOGIN_SECONDS = 60
OPEN_OPTIONS = {
    *("account", "user", "database", "schema", "warehouse", "role", "host", "port", "protocol"),
    *("authenticator", "connection_name", "private_key_file", "token_file_path", "login_timeout"),
}
"""Options whose values a message may tell; all others may be secrets."""


def _upper(name: str) -> str:
    """Names without quotes are upper case to Snowflake: so ours can be written without."""
    return quoted(name.upper())


DIALECT = Dialect(
    {
        "text": "VARCHAR",
        "integer": "NUMBER(38,0)",
        "float": "FLOAT",
        "decimal": "NUMBER({precision},{scale})",
        "boolean": "BOOLEAN",
        "date": "DATE",
        "moment": "TIMESTAMP_TZ(9)",
        "json": "VARIANT",
    },
    quoted=_upper,
    commented=lambda declared, comment: f"{declared} COMMENT {text(comment)}",
)
PARQUET = "FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE)"


class Snowflake(Closing):
    """One database. Tables lie in schemas of the layers' names, with a prefix where one is
    given; those of the shop's warehouse under its names, in the connection's schema.

    `options` are the connector's own: account, user, database, warehouse, role, private_key_file,
    token_file_path, or connection_name for one of Snowflake's connections.toml."""

    def __init__(self, options: Options, *, prefix: str = "") -> None:
        connector = _connector()
        _refuse_unknown(options, connector)
        self._error: type[Exception] = connector.errors.Error
        self._options, self._prefix = options, prefix
        # What is said twice would be two arguments of one name.
        given = {"login_timeout": LOGIN_SECONDS} | dict(options) | {"autocommit": False}
        try:
            self._connection = connector.connect(**given)
            self._own = str(self._connection.schema or options.get("schema", "PUBLIC"))
            self._refuse_nowhere()
        except (self._error, OSError, TypeError, ValueError) as error:
            raise StorageError(f"cannot reach Snowflake: {self._bare(error)}") from None

    def turns(self, _: Sequence[Shape], /) -> AbstractContextManager[None]:
        return nullcontext()

    def lay_out(self, shape: Shape) -> None:
        place = self._place(shape)
        with self._transaction(shape.name) as do:
            do(f"CREATE SCHEMA IF NOT EXISTS {self._schema_of(shape)}")
            do(
                f"CREATE TABLE IF NOT EXISTS {self._ledger(shape)} (table_name VARCHAR NOT NULL, "
                'gaming_day DATE NOT NULL, mark VARCHAR NOT NULL, "ROWS" NUMBER(38,0) NOT NULL, '
                "sums VARCHAR NOT NULL, published_at TIMESTAMP_TZ DEFAULT current_timestamp())"
            )
            do(f"{created(shape, place, DIALECT)} COMMENT = {text(shape.comment)}")
            there = do(f"DESCRIBE TABLE {place}").fetchall()
            missing = added(shape, place, DIALECT, {n.lower(): _plain(t) for n, t, *_ in there})
            for statement in missing:
                do(statement)
            if missing:
                mine = text(shape.table)
                do(f"DELETE FROM {self._ledger(shape)} WHERE table_name = {mine}")
            said = {row[0].lower(): row[9] for row in there}
            for name, comment in lines(shape):
                if said.get(name) != comment:
                    column = f"MODIFY COLUMN {_upper(name)} COMMENT {text(comment)}"
                    do(f"ALTER TABLE {place} {column}")

    def known(self, shape: Shape) -> dict[dt.date, str]:
        asked = f"SELECT gaming_day, mark FROM {self._ledger(shape)} WHERE table_name = "
        with self._transaction(shape.name) as do:
            return dict(do(asked + text(shape.table)).fetchall())

    def replace(self, shape: Shape, rows: pl.DataFrame, marks: Marks) -> None:
        place, sent = self._place(shape), sums_of(rows, shape)
        days = f"IN ({', '.join(text(str(d)) for d in sorted(marks))})"
        summed = "CAST(coalesce(sum({column}), 0) AS VARCHAR)"
        with self._transaction(shape.name) as do:
            # Laying out ends a transaction: the days are touched by what comes after.
            staged = self._staged(do, shape, rows) if rows.height else ""
            for statement in merged(shape, place, staged, days):
                do(statement)
            found = do(day_sums(shape, place, days, summed, DIALECT)).fetchall()
            refuse_differences(shape, sent, sums_found(found))
            for statement in noted(self._ledger(shape), shape, marks, sent, DIALECT):
                do(statement)

    def beside(self) -> None:
        """Its warehouse has as many cores as it needs, and what it costs is the time that it is
        awake."""

    def lay_out_views(self) -> list[str]:
        with self._transaction("views") as do:
            asked = "SELECT table_schema, table_name FROM information_schema.tables"
            there = {(s, n) for s, n in do(f"{asked} WHERE table_type <> 'VIEW'").fetchall()}
            made = [v for v in WAREHOUSE_VIEWS if self._address(v.layer, v.table) in there]
            for view in made:
                source = _dotted(*self._address(view.layer, view.table))
                schema, name = self._view(view)
                do(f"CREATE SCHEMA IF NOT EXISTS {quoted(schema)}")
                place = _dotted(schema, name)
                do(f"CREATE OR REPLACE VIEW {place} COPY GRANTS AS SELECT * FROM {source}")
        return [".".join(self._view(v)).lower() for v in made]

    def close(self) -> None:
        self._connection.close()

    def _staged(self, do: Do, shape: Shape, rows: pl.DataFrame) -> str:
        """A table of this session with the rows; what is nested in it is text yet."""
        name = f"LAKEHOUSE_STAGED_{shape.table}".upper()
        staged = f"{self._schema_of(shape)}.{quoted(name)}"
        columns = (
            f"{_upper(c.name)} {'VARCHAR' if c.kind == 'json' else DIALECT.type_of(c)}"
            for c in shape.columns
        )
        do(f"CREATE OR REPLACE TEMPORARY STAGE {staged}")
        do(f"CREATE OR REPLACE TEMPORARY TABLE {staged} ({', '.join(columns)})")
        with tempfile.TemporaryDirectory(prefix="lakehouse-") as folder:
            file = Path(folder) / "rows.parquet"
            rows.rename(str.upper).write_parquet(file, compression="snappy")
            do(f"PUT {text(f'file://{file.as_posix()}')} @{staged} AUTO_COMPRESS = FALSE")
        do(f"COPY INTO {staged} FROM @{staged} {PARQUET} "
           "MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE FORCE = TRUE")  # fmt: skip
        return staged

    @contextmanager
    def _transaction(self, what: str) -> Iterator[Do]:
        cursor = self._connection.cursor()
        try:
            yield cursor.execute
            self._connection.commit()
        except self._error as error:
            self._undo()
            raise StorageError(f"cannot publish {what}: {self._bare(error)}") from None
        except BaseException:
            self._undo()
            raise
        finally:
            cursor.close()

    def _undo(self) -> None:
        """What cannot be asked to roll back any more has done so by itself."""
        try:
            self._connection.rollback()
        except self._error:
            return

    def _address(self, layer: str, table: str) -> tuple[str, str]:
        name = WAREHOUSE.get((layer, table))
        return (self._own, name.upper()) if name else (self._schema(layer), table.upper())

    def _view(self, view: View) -> tuple[str, str]:
        schema = self._schema(view.schema) if view.schema else self._own
        return schema, view.name.upper()

    def _schema(self, layer: str) -> str:
        return f"{self._prefix}{layer}".upper()

    def _schema_of(self, shape: Shape) -> str:
        return quoted(self._address(shape.layer, shape.table)[0])

    def _place(self, shape: Shape) -> str:
        return _dotted(*self._address(shape.layer, shape.table))

    def _ledger(self, shape: Shape) -> str:
        return f"{self._schema_of(shape)}.{_upper(LEDGER)}"

    def _refuse_nowhere(self) -> None:
        if not self._connection.database:
            self._connection.close()
            raise BadInput("name the database of Snowflake in its options: database")

    def _bare(self, error: Exception) -> str:
        closed = (str(v) for name, v in self._options.items() if name not in OPEN_OPTIONS)
        return told(error, closed)


def merged(shape: Shape, place: str, staged: str, days: str) -> list[str]:
    """The statements that bring the days of a table in line with what is staged: rows that are
    not there go, those of the same key are amended, new ones come."""
    within = f" WHERE {_upper(PARTITION)} {days}" if shape.has_days else ""
    if not staged:
        return [f"DELETE FROM {place}{within}"]
    names = [c.name for c in shape.columns]
    source = ", ".join(
        f"PARSE_JSON({_upper(c.name)}) AS {_upper(c.name)}" if c.kind == "json" else _upper(c.name)
        for c in shape.columns
    )
    columns, source = DIALECT.names(names), f"SELECT {source} FROM {staged}"
    if not (shape.key and shape.has_days):
        return [f"DELETE FROM {place}{within}", f"INSERT INTO {place} ({columns}) {source}"]
    key = list(dict.fromkeys([*shape.key, PARTITION]))
    keys = DIALECT.names(key)
    same = " AND ".join(f"t.{_upper(k)} = s.{_upper(k)}" for k in key)
    new = ", ".join(f"{_upper(n)} = s.{_upper(n)}" for n in names if n not in key)
    values = ", ".join(f"s.{_upper(n)}" for n in names)
    amended = f"WHEN MATCHED THEN UPDATE SET {new} " if new else ""
    return [
        f"DELETE FROM {place}{within} AND ({keys}) NOT IN (SELECT {keys} FROM {staged})",
        f"MERGE INTO {place} AS t USING ({source}) AS s ON {same} {amended}"
        f"WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({values})",
    ]


def _connector() -> Any:
    try:
        import snowflake.connector as connector
    except ImportError as error:
        raise BadInput(
            "Snowflake needs its connector: pip install 'casino-lakehouse[snowflake]'"
        ) from error
    return connector


def _refuse_unknown(options: Options, connector: Any) -> None:
    known = {*connector.connection.DEFAULT_CONFIGURATION, "connection_name"}
    unknown = sorted(options.keys() - known)
    if unknown:
        raise BadInput(
            f"Snowflake's connector has no option {unknown[0]!r}; it has account, user, database, "
            "schema, warehouse, role, private_key_file, token_file_path, connection_name and more"
        )


def _plain(kind: str) -> str:
    """Of text the length is left out: how much it may hold depends on the account."""
    return re.sub(r"^VARCHAR\(\d+\)$", "VARCHAR", kind)


def _dotted(schema: str, name: str) -> str:
    return f"{quoted(schema)}.{quoted(name)}"
