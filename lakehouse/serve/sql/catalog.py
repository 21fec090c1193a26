"""SQL over the lake: DuckDB on the Parquet files of each Delta version, read-only and shut in.

Views name the files of one version, so that days are pruned by partition; DuckDB's Delta
extension is not needed (0.26 s to load, and no time travel by moment). Two walls keep a query
in: `gate` admits one reading statement, and `closed` gives DuckDB the files of whole tables and
no way to others. Of a table that is not shown whole, it has a copy of what is shown.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb
import polars as pl

from lakehouse.errors import BadInput, LakehouseError
from lakehouse.serve.sql.file_system import GivenFiles, closed, memory_limit
from lakehouse.serve.sql.limits import Limits, Runaway, watched, within
from lakehouse.serve.sql.query_guard import SEARCH, Query, admit, first_line, spliced
from lakehouse.serve.sql.shared import FILE, Columns, Shared
from lakehouse.serve.sql.visible import TABLE, View, views
from lakehouse.storage.files import data_files
from lakehouse.storage.log import lacking
from lakehouse.storage.shapes import partition_columns

if TYPE_CHECKING:
    from lakehouse.storage import Lake
    from lakehouse.storage.lake import Table

AsOf = int | dt.datetime
T = TypeVar("T")
_UNREADABLE = ("INTERVAL", "UNION", "BIGNUM", "BIT", "MAP", "TIME WITH TIME ZONE")
"""Types of DuckDB that Polars does not have: they are shown as text."""


class Catalog:
    """One locked connection to a lake; each query sees the newest version of its tables.

    `timezone` is the one in which moments are shown and hours are counted. `before` is called
    with each query that may run, before it touches data (the audit). Not for several threads;
    `shared` is for several catalogs of one reader, each in a thread of its own.
    """

    def __init__(
        self,
        lake: Lake,
        *,
        timezone: str = "UTC",
        restricted: bool = False,
        as_of: AsOf | None = None,
        before: Callable[[str], None] | None = None,
        limits: Limits = Limits(),  # noqa: B008 - it is frozen
        shared: Shared | None = None,
    ) -> None:
        self.lake = lake
        self.limits = limits
        self.views = views(restricted=restricted)
        self.as_of = as_of
        self._before = before
        self._shared = shared or Shared()
        self._mounted: dict[str, int | None] = {}
        self._is_stuck = False
        self._shut = partial(closed, timezone=timezone, memory=limits.memory)
        self._files = GivenFiles()
        self._connection = self._shut(
            self._files,
            schemas=list(dict.fromkeys((*SEARCH, *(v.schema for v in self.views.values())))),
        )

    def close(self) -> None:
        if not self._is_stuck:
            self._connection.close()

    @contextmanager
    def connection(self, names: Sequence[str] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """The locked connection with these views (all by default) at their newest version, for
        code that wants DuckDB itself. What runs on it passes the second wall only, and ends
        with the limit of time in a LakehouseError."""
        for name in self.views if names is None else names:
            self._mount(self.views[name])
        with watched(self.limits, self._connection.interrupt):
            yield self._connection

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def admit(self, sql: str) -> Query:
        """The query, if it may run here; touches no data. Raises BadInput."""
        query = admit(self._connection, sql, self.views)
        read = [part for n in query.tables for part in self.views[n].parts or (n,)]
        if isinstance(self.as_of, int) and len(read) > 1:
            raise BadInput(
                f"--as-of {self.as_of} is the version of one table, and this query reads "
                f"{', '.join(read)}; give a moment instead"
            )
        return query

    @property
    def unmade(self) -> list[str]:
        """Tables asked for so far that the lake does not have yet: they read as empty."""
        return sorted(name for name, version in self._mounted.items() if version is None)

    def frame(self, sql: str, parameters: Mapping[str, object] | None = None) -> pl.DataFrame:
        """The whole result. Raises as `answer`."""
        return self.answer(sql, pl.DataFrame, parameters)

    def answer(
        self,
        sql: str,
        take: Callable[[duckdb.DuckDBPyRelation], T],
        parameters: Mapping[str, object] | None = None,
    ) -> T:
        """What `take` makes of the result, which is fetched as it asks. `parameters` fill $name.

        Raises BadInput for what may not run or does not bind, StorageError for a table that
        cannot be read, LakehouseError where the query fails or passes a limit, and Runaway
        where it then does not stop: nothing can be asked here any more.
        """
        memory = memory_limit(self._connection)
        try:
            return within(
                self.limits, memory, self.interrupt, lambda: self._take(sql, take, parameters)
            )
        except Runaway:
            self._is_stuck = True
            raise

    def _take(
        self,
        sql: str,
        take: Callable[[duckdb.DuckDBPyRelation], T],
        parameters: Mapping[str, object] | None,
    ) -> T:
        try:
            return take(self._relation(sql, dict(parameters or {})))
        except duckdb.OutOfMemoryException as error:
            raise self.limits.too_large() from error
        except duckdb.Error as error:
            raise LakehouseError(f"SQL: {first_line(error)}") from error

    def _relation(self, sql: str, parameters: dict[str, object]) -> duckdb.DuckDBPyRelation:
        query = self.admit(sql)
        without = [p for p in query.parameters if p not in parameters]
        if without:
            raise BadInput(f"SQL: ${without[0]} has no value; give --param {without[0]}=VALUE")
        if others := sorted(parameters.keys() - set(query.parameters)):
            raise BadInput(f"SQL: excess parameters: {', '.join(others)}")
        if self._before is not None:
            self._before(sql)
        for name in self.views if query.lists_tables else query.tables:
            self._mount(self.views[name], shape_only=name not in query.tables)
        try:
            found = self._connection.sql(self._filled(query, parameters))
        except duckdb.OutOfMemoryException:
            raise
        except duckdb.Error as error:
            raise BadInput(f"SQL: {first_line(error)}") from error
        if found is None:
            raise BadInput("SQL: the statement returns no rows")
        return _readable(found)

    def _filled(self, query: Query, parameters: Mapping[str, object]) -> str:
        """The query with variables of the connection in the place of $names. DuckDB (1.5.5) runs a
        query with parameters to its end while it holds Python's lock, and its own threads wait
        for that lock to read a file: one in some hundreds never ended (2026-11-22)."""
        places = {name: f"parameter_{at}" for at, name in enumerate(query.parameters)}
        for name, variable in places.items():
            self._connection.execute(f"SET VARIABLE {variable} = $v", {"v": parameters[name]})
        return spliced(query.sql, {n: f"getvariable('{v}')" for n, v in places.items()})

    def interrupt(self) -> None:
        """Ends the question that is being answered, which then raises LakehouseError. For another
        thread to call."""
        self._connection.interrupt()
        self._reader[1].interrupt()

    @cached_property
    def _reader(self) -> tuple[GivenFiles, duckdb.DuckDBPyConnection]:
        """Reads the tables that are not shown whole, where no query comes."""
        files = GivenFiles()
        return files, self._shut(files)

    def _mount(self, view: View, *, shape_only: bool = False) -> None:
        if view.parts:
            for part in view.parts:
                self._mount(self.views[part], shape_only=shape_only)
            self._connection.execute(union(view))
            return
        if shape_only:
            if view.name not in self._mounted:
                self._define(view, _empty(view))
            return
        delta = self.lake.table(view.schema, view.table, as_of=self.as_of)
        version = None if delta is None else delta.version()
        if self._mounted.get(view.name, -1) == version:
            return
        if view.is_whole:
            select = select_of(self._shared, self._files, self.lake, view, delta)
            self._define(view, select)
        else:
            self._copy(view, delta)
        self._mounted[view.name] = version

    def _copy(self, view: View, delta: Table | None) -> None:
        files, reader = self._reader
        paths, kinds = _given(self._shared, files, self.lake, view, delta)
        if not paths:
            self._define(view, _empty(view))
            return
        rows = self._shared.copy(
            view.name,
            paths,
            lambda new: reader.sql(
                _selected(view, new, kinds, f"filename AS {FILE}")
            ).to_arrow_table(),
        )
        self._connection.register("shown", rows)
        self._define(view, "SELECT * FROM shown")
        self._connection.unregister("shown")

    def _define(self, view: View, select: str) -> None:
        # A copy where something is hidden: a view's files could be read past it, and errors
        # raised in a filter, statistics of columns and plans would tell of rows left out.
        kind = "VIEW" if view.is_whole else "TABLE"
        name = f"{quoted(view.schema)}.{quoted(view.table)}"
        self._connection.execute(f"CREATE OR REPLACE {kind} {name} AS {select}")


def union(view: View) -> str:
    """Makes a view of the rows of its parts, each with the table it is of."""
    shared = ", ".join(quoted(n) for n in view.columns if n != TABLE)
    rows = " UNION ALL ".join(
        f"SELECT {literal(part.split('.')[1])} AS {TABLE}, {shared} FROM {part}"
        for part in view.parts
    )
    return f"CREATE OR REPLACE VIEW {quoted(view.schema)}.{quoted(view.table)} AS {rows}"


def select_of(
    shared: Shared, files: GivenFiles, lake: Lake, view: View, delta: Table | None
) -> str:
    """A SELECT of the view's columns and rows from `files`, which a connection can open.
    Raises StorageError for data that cannot be read, ContractError for other columns."""
    paths, kinds = _given(shared, files, lake, view, delta)
    return _selected(view, paths, kinds)


def _given(
    shared: Shared, files: GivenFiles, lake: Lake, view: View, delta: Table | None
) -> tuple[list[str], frozenset[Columns]]:
    """The paths of a table's files, now that they are among `files`, and what columns they have."""
    if delta is None:
        return [], frozenset()
    lacking(delta, view.schema, view.table)
    found = data_files(lake, delta)
    return files.give(f"{view.schema}/{view.table}", found), shared.kinds(view.name, found)


def _selected(view: View, paths: list[str], kinds: frozenset[Columns], *more: str) -> str:
    """`more`: columns of DuckDB's own beside those of the view."""
    if not paths:
        return _empty(view)
    keys = partition_columns(view.schema, view.table)
    present = {name for columns in kinds for name, _ in columns}.union(keys)
    columns = [_column(n, t, is_there=n in present) for n, t in view.columns.items()]
    where = f" WHERE {view.only}" if view.only else ""
    source = _parquet(view, paths, are_alike=len(kinds) == 1)
    return f"SELECT {', '.join([*columns, *more])} FROM {source}{where}"


def _column(name: str, dtype: pl.DataType, *, is_there: bool) -> str:
    """In the contract's type where files may have less: nothing, or structs of fewer fields."""
    if is_there and not dtype.is_nested():
        return quoted(name)
    return f"{quoted(name) if is_there else 'NULL'}::{sql_type(dtype)} AS {quoted(name)}"


def sql_type(dtype: Any) -> str:
    """DuckDB's name of a stored type."""
    if isinstance(dtype, pl.List):
        return f"{sql_type(dtype.inner)}[]"
    if isinstance(dtype, pl.Struct):
        return f"STRUCT({', '.join(f'{quoted(f.name)} {sql_type(f.dtype)}' for f in dtype.fields)})"
    if isinstance(dtype, pl.Decimal):
        return f"DECIMAL({dtype.precision}, {dtype.scale})"
    if isinstance(dtype, pl.Datetime):
        return "TIMESTAMPTZ" if dtype.time_zone else "TIMESTAMP"
    return _PLAIN[type(dtype)]


_PLAIN: dict[type[pl.DataType], str] = {
    pl.String: "VARCHAR",
    pl.Boolean: "BOOLEAN",
    pl.Date: "DATE",
    pl.Int64: "BIGINT",
    pl.Int32: "INTEGER",
    pl.Int16: "SMALLINT",
    pl.Int8: "TINYINT",
    pl.Float64: "DOUBLE",
    pl.Float32: "REAL",
    pl.Binary: "BLOB",
}


def _parquet(view: View, paths: list[str], *, are_alike: bool) -> str:
    keys = partition_columns(view.schema, view.table)
    types = ", ".join(f"{literal(k)}: {sql_type(view.columns[k])}" for k in keys)
    # Files written before a column was added lack it. Of files that are alike DuckDB opens one to
    # plan, and not each.
    options = [f"union_by_name = {not are_alike}", f"hive_partitioning = {bool(keys)}"]
    options += [f"hive_types = {{{types}}}"] if keys else []
    return f"read_parquet([{', '.join(map(literal, paths))}], {', '.join(options)})"


def _empty(view: View) -> str:
    nulls = (f"NULL::{sql_type(t)} AS {quoted(n)}" for n, t in view.columns.items())
    return f"SELECT {', '.join(nulls)} WHERE false"


def _readable(found: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """The relation with types that Polars has, and one name for each column."""
    names: list[str] = []
    for name in found.columns:
        again = (f"{name}_{n}" for n in range(1, len(names) + 1))
        names.append(name if name not in names else next(a for a in again if a not in names))
    odd = [any(word in str(t) for word in _UNREADABLE) for t in found.types]
    if not any(odd) and names == found.columns:
        return found
    columns = (
        f"#{position}{'::VARCHAR' if o else ''} AS {quoted(n)}"
        for position, (n, o) in enumerate(zip(names, odd, strict=True), start=1)
    )
    return found.project(", ".join(columns))


def quoted(name: str) -> str:
    """Quotes a name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Quotes a text for SQL."""
    return "'" + text.replace("'", "''") + "'"
