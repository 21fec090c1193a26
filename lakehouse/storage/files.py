"""The data files of one version of a table, for readers that are not Delta's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
import pyarrow.parquet as pq
from deltalake import DeltaTable
from deltalake.fs import DeltaStorageHandler

from lakehouse.storage.lake import Lake


@dataclass(frozen=True)
class DataFiles:
    """Path beneath the table → bytes, wherever the lake lies."""

    sizes: Mapping[str, int]
    store: DeltaStorageHandler

    def open(self, path: str) -> Any:
        """One of them, to read at any place."""
        return self.store.open_input_file(path)

    def columns(self, path: str) -> frozenset[tuple[str, str]]:
        """Names and types of its columns, in no order, out of its footer. Raises OSError, or
        pyarrow.ArrowException for what is no Parquet."""
        with self.open(path) as file:
            return frozenset((field.name, str(field.type)) for field in pq.read_schema(file))


def data_files(lake: Lake, delta: DeltaTable) -> DataFiles:
    """The files of the version that `delta` stands at."""
    listed = pl.DataFrame(delta.get_add_actions()).select("path", "size_bytes")
    sizes = dict(listed.iter_rows())
    options = dict(lake.storage_options) or None
    return DataFiles(sizes, DeltaStorageHandler(delta.table_uri, options, sizes))
