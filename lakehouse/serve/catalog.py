"""SQL over the lake: DuckDB on the Parquet files of each Delta version, read-only and shut in.

Views name the files of one version, so that days are pruned by partition; DuckDB's Delta
extension is not needed (0.26 s to load, and no time travel by moment). Two walls keep a query
in: `gate` admits one reading statement, and the connection cannot reach a file outside the
folders of its tables, the network, an extension or a setting.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import duckdb
import polars as pl

from lakehouse.errors import BadInput, LakehouseError, StorageError
from lakehouse.serve.gate import Query, admit, first_line
from lakehouse.serve.visible import View, views
from lakehouse.storage.log import lacking
from lakehouse.storage.shapes import partition_columns

if TYPE_CHECKING:
    from lakehouse.storage import Lake
    from lakehouse.storage.lake import Table

AsOf = int | dt.datetime
_UNREADABLE = ("INTERVAL", "UNION", "BIGNUM", "BIT", "MAP", "TIME WITH TIME ZONE")
"""Types of DuckDB that Polars does not have: they are shown as text."""


class Catalog:
    """One locked connection to a lake; each query sees the newest version of its tables.

    `timezone` is the one in which moments are shown and hours are counted. `before` is called
    with each query that may run, before it touches data (the audit). Not for several threads.
    """

    def __init__(
        self,
        lake: Lake,
        *,
        timezone: str = "UTC",
        restricted: bool = False,
        as_of: AsOf | None = None,
        before: Callable[[str], None] | None = None,
    ) -> None:
        self.lake = lake
        self._before = before
        self.views = views(restricted=restricted)
        self.as_of = as_of
        self._mounted: dict[str, int | None] = {}
        self._connection = duckdb.connect(":memory:", config={"temp_directory": ""})
        for schema in dict.fromkeys(v.schema for v in self.views.values()):
            self._connection.execute(f"CREATE SCHEMA {schema}")
        self._connection.execute(_lock(lake, self.views, timezone))

    def close(self) -> None:
        self._connection.close()

    def connection(self, names: Sequence[str] | None = None) -> duckdb.DuckDBPyConnection:
        """The locked connection with these views (all by default) at their newest version, for
        code that wants DuckDB itself. What runs on it passes the second wall only."""
        for name in self.views if names is None else names:
            self._mount(self.views[name])
        return self._connection

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def admit(self, sql: str) -> Query:
        """The query, if it may run here; touches no data. Raises BadInput."""
        query = admit(self._connection, sql, self.views)
        if isinstance(self.as_of, int) and len(query.tables) > 1:
            raise BadInput(
                f"--as-of {self.as_of} is the version of one table, and this query reads "
                f"{', '.join(query.tables)}; give a moment instead"
            )
        return query

    @property
    def unmade(self) -> list[str]:
        """Tables asked for so far that the lake does not have yet: they read as empty."""
        return sorted(name for name, version in self._mounted.items() if version is None)

    def relation(
        self, sql: str, parameters: Mapping[str, object] | None = None
    ) -> duckdb.DuckDBPyRelation:
        """The result, not yet fetched. `parameters` fill $name. Raises BadInput for what may
        not run or does not bind, StorageError for a table that cannot be read."""
        query = self.admit(sql)
        without = [p for p in query.parameters if p not in (parameters or {})]
        if without:
            raise BadInput(f"SQL: ${without[0]} has no value; give --param {without[0]}=VALUE")
        if self._before is not None:
            self._before(sql)
        for name in self.views if query.lists_tables else query.tables:
            self._mount(self.views[name], shape_only=name not in query.tables)
        try:
            found = self._connection.sql(sql, params=dict(parameters) if parameters else None)
        except duckdb.Error as error:
            raise BadInput(f"SQL: {first_line(error)}") from error
        if found is None:
            raise BadInput("SQL: the statement returns no rows")
        return _readable(found)

    def frame(self, sql: str, parameters: Mapping[str, object] | None = None) -> pl.DataFrame:
        """The whole result. Raises as `relation`, and LakehouseError where the query fails."""
        found = self.relation(sql, parameters)
        try:
            return pl.DataFrame(found)
        except duckdb.Error as error:
            raise failed(error) from error

    def _mount(self, view: View, *, shape_only: bool = False) -> None:
        if shape_only:
            if view.name not in self._mounted:
                self._define(view, _empty(view))
            return
        delta = self.lake.table(view.schema, view.table, as_of=self.as_of)
        version = None if delta is None else delta.version()
        if self._mounted.get(view.name, -1) != version:
            self._define(view, _select(self._connection, self.lake, view, delta))
            self._mounted[view.name] = version

    def _define(self, view: View, select: str) -> None:
        name = f"{quoted(view.schema)}.{quoted(view.table)}"
        self._connection.execute(f"CREATE OR REPLACE VIEW {name} AS {select}")


def select_of(
    connection: duckdb.DuckDBPyConnection, lake: Lake, view: View, as_of: AsOf | None = None
) -> str:
    """A SELECT of the view's columns and rows from the files of one version of its table.
    Raises StorageError for data that cannot be read, ContractError for other columns."""
    return _select(connection, lake, view, lake.table(view.schema, view.table, as_of=as_of))


def _select(
    connection: duckdb.DuckDBPyConnection, lake: Lake, view: View, delta: Table | None
) -> str:
    files = [] if delta is None else delta.file_uris()
    if delta is None or not files:
        return _empty(view)
    lacking(delta, view.schema, view.table)
    if "://" in lake.root:
        # DuckDB's own reader of object stores is an extension that it would download.
        rows = lake.scan(view.schema, view.table, as_of=delta.version()).collect()
        connection.register(f"lake:{view.name}", rows)
        return _projected(view, quoted(f"lake:{view.name}"), rows.columns)
    source = _parquet(view, [_local(lake, view, f) for f in files])
    try:
        bound = connection.execute(f"SELECT * FROM {source} LIMIT 0").description or ()
    except duckdb.Error as error:
        raise StorageError(f"cannot read {view.name}: {first_line(error)}") from error
    return _projected(view, source, [column[0] for column in bound])


def failed(error: duckdb.Error) -> LakehouseError:
    """A query that was admitted and bound, and then failed over its data."""
    return LakehouseError(f"SQL: {first_line(error)}")


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


def _lock(lake: Lake, shown: Mapping[str, View], timezone: str) -> str:
    folders = [f"{lake.uri(v.schema, v.table)}/" for v in shown.values()]
    reachable = "[]" if "://" in lake.root else f"[{', '.join(map(literal, folders))}]"
    return f"""
        SET TimeZone = {literal(timezone)};
        SET python_enable_replacements = false;
        SET autoinstall_known_extensions = false;
        SET autoload_known_extensions = false;
        SET parquet_metadata_cache = true;
        SET search_path = 'gold,silver,quarantine';
        SET allowed_directories = {reachable};
        SET enable_external_access = false;
        SET lock_configuration = true;
    """


def _parquet(view: View, files: list[str]) -> str:
    keys = partition_columns(view.schema, view.table)
    types = ", ".join(f"{literal(k)}: {sql_type(view.columns[k])}" for k in keys)
    # Files written before a column was added lack it.
    options = ["union_by_name = true", f"hive_partitioning = {bool(keys)}"]
    options += [f"hive_types = {{{types}}}"] if keys else []
    return f"read_parquet([{', '.join(map(literal, files))}], {', '.join(options)})"


def _local(lake: Lake, view: View, uri: str) -> str:
    """The path of a data file: Delta's URI has the folders above the table encoded."""
    depth = len(partition_columns(view.schema, view.table)) + 1
    return "/".join([lake.uri(view.schema, view.table), *unquote(uri).split("/")[-depth:]])


def _projected(view: View, source: str, present: list[str]) -> str:
    columns = ", ".join(
        quoted(n) if n in present else f"NULL::{sql_type(t)} AS {quoted(n)}"
        for n, t in view.columns.items()
    )
    return f"SELECT {columns} FROM {source}"


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
    """An identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text of SQL."""
    return "'" + text.replace("'", "''") + "'"
