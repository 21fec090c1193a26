"""A DuckDB that can open no file, but for those that it is given one by one, to read.

Its local file system is switched off and no other is there, so that nothing rests on which SQL
comes in: a path of the machine, a URL, a glob or a COPY finds no way out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import duckdb
from fsspec import AbstractFileSystem

from lakehouse.storage.files import DataFiles

SCHEME = "lake"
_NOWHERE: dict[str, str | bool | int | float | list[str]] = {
    "temp_directory": "",
    "secret_directory": "none",
}
_EVER = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
"""When every file was written: Delta gives a new content a new name."""


class GivenFiles(AbstractFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Paths such as lake://gold/player_day/gaming_day=2025-01-01/part-0.parquet, read-only."""

    protocol = SCHEME
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self._homes: dict[str, tuple[DataFiles, str]] = {}

    def give(self, table: str, files: DataFiles) -> list[str]:
        """The paths of the files of "gold/player_day", which replace those given before."""
        folder = f"{SCHEME}://{table}/"
        others = {p: home for p, home in self._homes.items() if not p.startswith(folder)}
        given = {f"{folder}{name}": (files, name) for name in files.sizes}
        self._homes = others | given
        return list(given)

    def open(self, path: str, mode: str = "rb", **_: Any) -> Any:
        if mode != "rb" or path not in self._homes:
            raise PermissionError(f"{path} is not given to {'read' if mode == 'rb' else 'write'}")
        files, name = self._homes[path]
        return files.open(name)

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        if path not in self._homes:
            raise FileNotFoundError(path)
        files, name = self._homes[path]
        return {"name": path, "size": files.sizes[name], "type": "file"}

    def glob(self, path: str, **_: Any) -> list[str]:
        return [path] if path in self._homes else []

    def exists(self, path: str, **_: Any) -> bool:
        return path in self._homes

    def isfile(self, path: str) -> bool:
        return path in self._homes

    def isdir(self, path: str) -> bool:  # noqa: ARG002 - given by the library
        return False

    def modified(self, path: str) -> dt.datetime:  # noqa: ARG002
        return _EVER


def closed(
    files: GivenFiles, *, timezone: str, memory: float, schemas: Sequence[str] = ()
) -> duckdb.DuckDBPyConnection:
    """A connection in memory that opens `files` and nothing else, whose settings are locked.
    `memory` is its share of the machine's; what does not fit fails, as nothing goes to disk.
    A name without a schema is looked for in `schemas`, in this order."""
    connection = duckdb.connect(":memory:", config=_NOWHERE)
    connection.register_filesystem(files)
    # DuckDB 1.5.5 takes the least and greatest gaming day from the statistics of a file that does
    # not hold the column, where a table is one file, and fails (November 2026): hence the optimizer
    # below that is off.
    # DuckDB's own default is 80% of what it finds the process may use.
    limit = int(memory_limit(connection) / 0.8 * memory)
    for schema in schemas:
        connection.execute(f"CREATE SCHEMA {schema}")
    # 2026-11-22, duckdb-extension-delta 1.5.5: of a table of one file it looks for the greatest of
    # a partition column in the file's statistics, which have none of it, and ends the session.
    connection.execute(f"""
        SET TimeZone = '{timezone.replace("'", "''")}';
        SET memory_limit = '{limit} B';
        SET search_path = '{",".join(schemas) or "main"}';
        SET allow_persistent_secrets = false;
        SET python_enable_replacements = false;
        SET autoinstall_known_extensions = false;
        SET autoload_known_extensions = false;
        SET parquet_metadata_cache = true;
        SET disabled_optimizers = 'statistics_propagation';
        SET validate_external_file_cache = 'NO_VALIDATION';
        SET allowed_directories = ['{SCHEME}://'];
        SET enable_external_access = false;
        SET disabled_filesystems = 'LocalFileSystem';
        SET lock_configuration = true;
    """)
    return connection


def memory_limit(connection: duckdb.DuckDBPyConnection) -> int:
    """Bytes that its queries may take together."""
    asked = "SELECT parse_formatted_bytes(current_setting('memory_limit'))"
    row = connection.execute(asked).fetchone()
    return int(row[0]) if row else 0
