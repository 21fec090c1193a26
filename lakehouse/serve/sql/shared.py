"""What catalogs of one lake have in common: what they know of its files, which never change."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.errors import StorageError
from lakehouse.storage.files import DataFiles

AT_ONCE = 8
"""Footers that are read at the same time: an object store is asked for each."""
FILE = "_of_file"
"""Column of a copy: the file that a row is of."""
Columns = frozenset[tuple[str, str]]


class Shared:
    """For several threads; all catalogs that have it read the same lake as the same reader."""

    def __init__(self) -> None:
        self._kinds: dict[str, dict[str, Columns]] = {}
        self._copies: dict[str, tuple[frozenset[str], pa.Table]] = {}
        self._copying = threading.Lock()

    def kinds(self, table: str, files: DataFiles) -> frozenset[Columns]:
        """The names and types of columns that files of "gold.player_day" have: one set, or more
        where a column was added. Raises StorageError for a file that cannot be read."""
        known = self._kinds.get(table, {})
        unread = [path for path in files.sizes if path not in known]
        if unread:
            known = known | _footers(table, files, unread)
        same = {columns: columns for columns in known.values()}
        self._kinds[table] = {path: same[known[path]] for path in files.sizes}
        return frozenset(self._kinds[table].values())

    def copy(
        self, view: str, paths: Collection[str], read: Callable[[list[str]], pa.Table]
    ) -> pa.Table:
        """The rows of these files. `read` is asked for those that are new, with the column FILE;
        rows of files that are no longer there go."""
        with self._copying:
            had, rows = self._copies.get(view, (frozenset(), None))
            parts = []
            if rows is not None:
                gone = pa.array(had.difference(paths), pa.string())
                parts = [rows.filter(pc.invert(pc.is_in(rows[FILE], gone))) if gone else rows]
            if new := [path for path in paths if path not in had]:
                parts.append(read(new))
            rows = pa.concat_tables(parts)
            self._copies[view] = frozenset(paths), rows
        return rows.drop_columns(FILE)


def _footers(table: str, files: DataFiles, paths: list[str]) -> dict[str, Columns]:
    try:
        with ThreadPoolExecutor(AT_ONCE) as several:
            return dict(zip(paths, several.map(files.columns, paths), strict=True))
    except (OSError, pa.ArrowException) as error:
        said = " ".join(str(error).split())
        raise StorageError(f"cannot read {table}: {said[:300]}") from error
