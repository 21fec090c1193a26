"""One DuckDB file that any BI tool opens: copies, so that it needs no extension and no lake.

Views over Delta would need DuckDB's Delta extension, which a tool downloads, and the lake at the
same path; views over the Parquet files would break when maintenance compacts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from lakehouse.contracts import contract
from lakehouse.errors import LakehouseError
from lakehouse.serve.dictionary.describe import columns
from lakehouse.serve.sql.catalog import literal, quoted, select_of, union
from lakehouse.serve.sql.file_system import GivenFiles
from lakehouse.serve.sql.query_guard import first_line
from lakehouse.serve.sql.shared import Shared
from lakehouse.serve.sql.visible import View, views
from lakehouse.storage.shapes import partition_columns

if TYPE_CHECKING:
    from lakehouse.storage import Days, Lake

SCHEMAS = ("gold", "silver", "quarantine")


def build_database(
    lake: Lake, file: Path, *, schemas: Sequence[str] = SCHEMAS, days: Days | None = None
) -> pl.DataFrame:
    """Writes the catalog's tables into a new database `file`, with their meaning as comments
    and in `catalog.columns`; only gaming days in `days`, where a table is stored by day.

    Returns one row per table: name, rows. Raises LakehouseError where the file cannot be made.
    """
    known = [v for v in views().values() if v.schema in schemas]
    shown = [v for v in known if not v.parts]
    try:
        with duckdb.connect(str(file)) as database:
            files = GivenFiles()
            database.register_filesystem(files)
            database.begin()
            for schema in schemas:
                database.execute(f"CREATE SCHEMA {quoted(schema)}")
            counts = [_copy(database, files, lake, view, days) for view in shown]
            for view in known:
                if view.parts:
                    database.execute(union(view))
            _describe(database, shown)
            database.commit()
    except duckdb.Error as error:
        raise LakehouseError(f"cannot build {file.name}: {first_line(error)}") from error
    return pl.DataFrame(
        {"table": [v.name for v in shown], "rows": counts},
        schema={"table": pl.String, "rows": pl.Int64},
    )


def _copy(
    database: duckdb.DuckDBPyConnection,
    files: GivenFiles,
    lake: Lake,
    view: View,
    days: Days | None,
) -> int:
    name = f"{quoted(view.schema)}.{quoted(view.table)}"
    by_day = days is not None and partition_columns(view.schema, view.table)
    where = f" WHERE gaming_day BETWEEN '{days[0]}' AND '{days[1]}'" if days and by_day else ""
    select = select_of(Shared(), files, lake, view, lake.table(view.schema, view.table))
    made = database.execute(f"CREATE TABLE {name} AS SELECT * FROM ({select}){where}").fetchone()
    about = contract(view.table)
    said = [f"COMMENT ON TABLE {name} IS {literal(f'{about.description} ({about.grain})')}"]
    said += [
        f"COMMENT ON COLUMN {name}.{quoted(n)} IS {literal(text)}"
        for n, text in view.comments.items()
    ]
    database.execute("; ".join(said))
    return int(made[0]) if made else 0


def _describe(database: duckdb.DuckDBPyConnection, shown: Sequence[View]) -> None:
    every = [
        columns(v.schema, v.table)
        .filter(pl.col("column").is_in(list(v.columns)))
        .select(pl.lit(v.schema).alias("schema"), pl.lit(v.table).alias("table"), pl.all())
        for v in shown
    ]
    database.execute("CREATE SCHEMA catalog")
    database.register("every", pl.concat(every))
    database.execute("CREATE TABLE catalog.columns AS SELECT * FROM every")
    database.unregister("every")
