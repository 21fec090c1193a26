"""Frames as one stream of record batches: a commit may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import polars as pl
from deltalake import (
    ColumnProperties,
    CommitProperties,
    DeltaTable,
    PostCommitHookProperties,
    WriterProperties,
    write_deltalake,
)

from lakehouse.contracts import contract
from lakehouse.prefetch import prefetched
from lakehouse.storage.shapes import PARTITION, conform, partition_columns, stored_schema

if TYPE_CHECKING:
    import pyarrow as pa

FORGETS_EVERY = 100
"""Commits between two at which entries of the log that are old enough are removed: as many as Delta
leaves between two checkpoints."""


class Stream:
    """Frames on their way into a table. `rows` counts those that were taken; `error` is what
    the frames' source raised, of which Arrow would keep no more than the text. They are made in
    a thread of their own, as whoever makes them may use the lake, which Delta's must not."""

    def __init__(self, frames: Iterator[pl.DataFrame], layer: str, table: str) -> None:
        self.rows = 0
        self.error: BaseException | None = None
        self._frames, self._home = frames, (layer, table)

    def reader(self) -> pa.RecordBatchReader:
        import pyarrow as pa

        schema = _arrow(stored_schema(*self._home).to_frame()).schema
        return pa.RecordBatchReader.from_batches(schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            for frame in prefetched(self._frames):
                self.rows += frame.height
                yield from _arrow(conform(frame, *self._home)).to_batches()
        except BaseException as error:
            self.error = error
            raise


def write(
    delta: DeltaTable,
    rows: pl.DataFrame | pa.RecordBatchReader,
    layer: str,
    table: str,
    mode: Literal["overwrite", "append"],
    said: CommitProperties,
    *,
    predicate: str | None = None,
    codec: Literal["SNAPPY", "ZSTD"] = "SNAPPY",
) -> None:
    """One commit of rows in the stored order and types. Delta would ask the age of every entry of
    the log at each, which then cost the more the longer the log is."""
    forgets = (delta.version() + 1) % FORGETS_EVERY == 0
    write_deltalake(
        delta,
        rows,
        mode=mode,  # type: ignore[arg-type]  # one overload each
        predicate=predicate,
        partition_by=partition_columns(layer, table) or None,
        commit_properties=said,
        post_commithook_properties=PostCommitHookProperties(cleanup_expired_logs=forgets),
        writer_properties=plain_where_unique(table, codec),
    )


def plain_where_unique(table: str, compression: Literal["SNAPPY", "ZSTD"]) -> WriterProperties:
    """How a table is written: a dictionary of values that hardly repeat is made in vain, and was a
    fifth of what writing gaming days took. ZSTD packs into two thirds of SNAPPY's room, for a
    quarter more time."""
    c = contract(table)
    plain = ColumnProperties(dictionary_enabled=False)
    unique = [n for n in (*c.key, c.event_time) if n and n != PARTITION]
    return WriterProperties(
        compression=compression,
        compression_level=1 if compression == "ZSTD" else None,
        column_properties=dict.fromkeys(unique, plain),
    )


def _arrow(frame: pl.DataFrame) -> pa.Table:
    """Without a copy: texts stay views."""
    return frame.to_arrow(compat_level=pl.CompatLevel.newest())
