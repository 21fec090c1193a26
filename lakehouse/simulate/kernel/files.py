"""Frames into one file each, as they come: memory does not grow with their number."""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import polars as pl

from lakehouse.errors import LakehouseError, StorageError

ROW_GROUP = 32_000
"""Rows of a group of a Parquet file, which waits in memory until it is full."""
_POLL_SECONDS = 0.5


class FrameFile(Protocol):
    """A file being written; complete after `finish`."""

    def write(self, frame: pl.DataFrame) -> None: ...

    def finish(self) -> None: ...

    def abandon(self) -> None: ...


def frame_file(path: Path, format_: str, schema: pl.Schema) -> FrameFile:
    return ParquetFile(path, schema) if format_ == "parquet" else TextFile(path, format_, schema)


def json_lines(frame: pl.DataFrame) -> bytes:
    """One object a line. Decimals are numbers with all their digits, which a float between
    would not keep. A quote within a text is escaped, so that no text can look like a field."""
    text = frame.write_ndjson()
    decimals = [n for n, t in frame.schema.items() if isinstance(t, pl.Decimal)]
    if decimals:
        field = f'"({"|".join(map(re.escape, decimals))})":"(-?[0-9.]+)"'
        text = re.sub(field, r'"\1":\2', text)
    return text.encode()


class TextFile:
    """CSV with a header, or JSON with one object a line."""

    def __init__(self, path: Path, format_: str, schema: pl.Schema) -> None:
        self._path = path
        self._stream = path.open("wb")
        self._is_csv = format_ == "csv"
        if self._is_csv:
            _flat(schema.to_frame()).write_csv(self._stream)

    def write(self, frame: pl.DataFrame) -> None:
        self.put(self.text(frame))

    def text(self, frame: pl.DataFrame) -> bytes:
        """The lines of a frame."""
        if self._is_csv:
            return _flat(frame).write_csv(include_header=False).encode()
        return json_lines(frame)

    def put(self, lines: bytes) -> None:
        try:
            self._stream.write(lines)
        except OSError as error:
            raise StorageError(f"cannot write {self._path}: {error.strerror or error}") from error

    def finish(self) -> None:
        self._stream.close()

    abandon = finish


def _flat(frame: pl.DataFrame) -> pl.DataFrame:
    """A cell has room for one text: those of a list are told one after another."""
    lists = [n for n, t in frame.schema.items() if t == pl.List(pl.String)]
    return frame.with_columns(pl.col(lists).list.join(";")) if lists else frame


class ParquetFile:
    """Parquet by Polars' streaming sink, which runs in a thread and pulls from a queue: its
    writer takes half the processor time of a row-group writer fed from outside."""

    def __init__(self, path: Path, schema: pl.Schema) -> None:
        self._queue: queue.Queue[pl.DataFrame | None] = queue.Queue(1)
        self._abandoned = False
        self._error: LakehouseError | None = None
        self._thread = threading.Thread(target=self._sink, args=(path, schema), daemon=True)
        self._thread.start()

    def write(self, frame: pl.DataFrame) -> None:
        self._put(frame)

    def finish(self) -> None:
        self._put(None)
        self._thread.join()
        self._check()

    def abandon(self) -> None:
        self._abandoned = True
        while self._thread.is_alive():
            try:
                self._queue.put_nowait(None)
            except queue.Full:
                self._thread.join(_POLL_SECONDS)

    def _put(self, item: pl.DataFrame | None) -> None:
        while True:
            self._check()
            try:
                return self._queue.put(item, timeout=_POLL_SECONDS)
            except queue.Full:
                continue

    def _check(self) -> None:
        if self._error is not None and not self._abandoned:
            raise self._error

    def _sink(self, path: Path, schema: pl.Schema) -> None:
        from polars.io.plugins import register_io_source

        def frames(
            with_columns: list[str] | None,  # noqa: ARG001 - what a source is called with
            predicate: pl.Expr | None,  # noqa: ARG001
            n_rows: int | None,  # noqa: ARG001
            batch_size: int | None,  # noqa: ARG001
        ) -> Iterator[pl.DataFrame]:
            yield schema.to_frame()
            while (frame := self._queue.get()) is not None:
                yield frame
                del frame

        try:
            register_io_source(frames, schema=schema).sink_parquet(
                path, compression="zstd", compression_level=1, row_group_size=ROW_GROUP
            )
        except (OSError, pl.exceptions.PolarsError) as error:
            self._error = StorageError(f"cannot write {path}: {error}")
