"""Parquet files as text rows, so that one set of rules judges every format."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import polars as pl

from lakehouse.ingest.files.byte_blocks import Compression, UnreadableFile, opened, raw_blocks
from lakehouse.ingest.files.rows import DAMAGED_SCHEMA, LINE, Piece

BATCH_ROWS = 50_000


def parquet_pieces(path: Path, compression: Compression) -> Iterator[Piece]:
    """The rows as text; LINE counts rows from 1."""
    line = 1
    for batch in parquet_batches(path, compression):
        numbers = pl.int_range(line, line + batch.height, eager=True, dtype=pl.Int64)
        line += batch.height
        text = batch.select(_as_text(s) for s in batch.get_columns())
        yield Piece(
            text.with_columns(numbers.alias(LINE)),
            DAMAGED_SCHEMA.to_frame(),
            lambda at, text=text: _raw_rows(text, at),  # type: ignore[misc]
        )


def parquet_columns(path: Path, compression: Compression) -> tuple[str, ...]:
    import pyarrow.parquet as pq

    with _seekable(path, compression) as file:
        return tuple(pq.ParquetFile(file).schema_arrow.names)


def parquet_batches(path: Path, compression: Compression) -> Iterator[pl.DataFrame]:
    """Raises UnreadableFile for a file that is cut off or damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with _seekable(path, compression) as file:
        try:
            for batch in pq.ParquetFile(file).iter_batches(BATCH_ROWS):
                # Arrow takes the bytes of a text as they are; Polars relies on them.
                batch.validate(full=True)
                frame = pl.from_arrow(batch)
                if not isinstance(frame, pl.DataFrame):
                    raise UnreadableFile("has no columns")
                yield frame
        except (pa.ArrowException, OSError, pl.exceptions.PolarsError, UnicodeError) as error:
            # What the readers say may quote a column's name or a value.
            raise UnreadableFile(f"is damaged Parquet ({type(error).__name__})") from error


@contextmanager
def _seekable(path: Path, compression: Compression) -> Iterator[IO[bytes]]:
    if compression == "none":
        with opened(path) as file:
            yield file
        return
    with tempfile.TemporaryFile() as unpacked:
        for block in raw_blocks(path, compression):
            unpacked.write(block)
        unpacked.seek(0)
        yield unpacked


def _as_text(series: pl.Series) -> pl.Series:
    dtype = series.dtype
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None:
            return series.dt.to_string("%Y-%m-%dT%H:%M:%S%.6f")
        return series.dt.convert_time_zone("UTC").dt.to_string("%Y-%m-%dT%H:%M:%S%.6fZ")
    if dtype == pl.Binary:
        return _text_of_binary(series)
    if dtype.is_nested() or dtype == pl.Object:
        shown: list[Any] = [None if v is None else _shown(v) for v in series.to_list()]
        return pl.Series(series.name, shown, dtype=pl.String)
    return series.cast(pl.String)


def _text_of_binary(series: pl.Series) -> pl.Series:
    """Older writers leave texts unmarked; bytes that are no text are shown in hexadecimal."""
    try:
        return series.cast(pl.String)
    except pl.exceptions.PolarsError:
        return series.bin.encode("hex")


def _shown(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)


def _raw_rows(text: pl.DataFrame, at: list[int]) -> list[str]:
    return [json.dumps(row, ensure_ascii=False) for row in text[at].iter_rows(named=True)]
