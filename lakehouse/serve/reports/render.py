"""Results on their way out: a table for the eye, csv, json and parquet for programs."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

import polars as pl

from lakehouse.errors import BadInput

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation
    from polars._typing import PolarsDataType

Form = Literal["table", "csv", "json", "parquet"]
BATCH = 50_000
"""Rows that are in memory at a time on their way to a program."""
WIDE = 10_000
"""Width of a table where no terminal sets one."""


def write(found: DuckDBPyRelation, form: Form, out: Path | None, *, limit: int) -> int:
    """Writes a result to `out` or standard output, and returns its rows. `limit` cuts a table
    (0: no limit); a cut is told on standard error."""
    if form == "table":
        shown = pl.DataFrame(found.limit(limit + 1) if limit else found)
        return _table(shown, limit, out)
    if form == "parquet":
        return _parquet(found, out)
    with _opened(out) as sink:
        return (_csv if form == "csv" else _json)(found, sink)


def show(frame: pl.DataFrame) -> None:
    """A frame as a table on standard output."""
    _table(frame, 0, None)


def upright(one: pl.DataFrame) -> pl.DataFrame:
    """The only row as text, a line for each column: what, value."""
    return as_text(one).transpose(include_header=True, header_name="what", column_names=["value"])


def _table(frame: pl.DataFrame, limit: int, out: Path | None) -> int:
    kept = frame.head(limit) if limit else frame
    columns = [(name, dtype.is_numeric()) for name, dtype in kept.schema.items()]
    rows = as_text(kept, rounded=True).iter_rows()
    with _opened(out) as sink:
        draw(columns, (["" if v is None else v for v in row] for row in rows), sink)
    if kept.height < frame.height:
        print(f"first {limit} rows; --limit 0 shows all", file=sys.stderr)  # noqa: T201
    return kept.height


def draw(columns: Iterable[tuple[str, bool]], rows: Iterable[Iterable[str]], sink: IO[str]) -> None:
    """Rows as a table for the eye. `columns`: names, and whether they hold numbers, which stand to
    the right. Where no terminal sets a width, lines are as long as they are."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name, is_number in columns:
        table.add_column(name, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    width = None if sink.isatty() else WIDE
    Console(file=sink, width=width, markup=False, highlight=False).print(table)


def _csv(found: DuckDBPyRelation, sink: IO[str]) -> int:
    rows = 0
    for first, batch in _batches(found):
        sink.write(as_text(batch).write_csv(include_header=first))
        rows += batch.height
    return rows


def _json(found: DuckDBPyRelation, sink: IO[str]) -> int:
    """A list of objects. Money stays text, so that no reader rounds it."""
    rows = 0
    sink.write("[")
    for _, batch in _batches(found):
        for line in _with_iso_moments(batch).write_ndjson().splitlines():
            sink.write(f"{',' if rows else ''}\n{line}")
            rows += 1
    sink.write("\n]\n" if rows else "]\n")
    return rows


def _parquet(found: DuckDBPyRelation, out: Path | None) -> int:
    from pyarrow.parquet import ParquetWriter

    if out is None:
        raise BadInput("--format parquet needs --out FILE")
    reader = found.to_arrow_reader(BATCH)
    rows = 0
    with ParquetWriter(out, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            rows += batch.num_rows
    return rows


def _batches(found: DuckDBPyRelation) -> Iterator[tuple[bool, pl.DataFrame]]:
    reader = found.to_arrow_reader(BATCH)
    empty = pl.DataFrame(pl.from_arrow(reader.schema.empty_table()))
    yield True, empty
    for batch in reader:
        yield False, pl.DataFrame(pl.from_arrow(batch))


def _with_iso_moments(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.selectors.datetime().dt.to_string("iso:strict"))


def as_text(frame: pl.DataFrame, *, rounded: bool = False) -> pl.DataFrame:
    """Every column as text; for the eye, fractions are `rounded` to four places."""
    frame = _with_iso_moments(frame)
    return frame.select(_text(pl.col(n), t, rounded=rounded) for n, t in frame.schema.items())


def _text(column: pl.Expr, dtype: PolarsDataType, *, rounded: bool) -> pl.Expr:
    if isinstance(dtype, pl.List | pl.Array):
        listed = column.arr.to_list() if isinstance(dtype, pl.Array) else column
        each = _text(pl.element(), dtype.inner, rounded=False)
        return listed.list.eval(each).list.join("; ")
    if isinstance(dtype, pl.Struct):
        return column.struct.json_encode()
    if isinstance(dtype, pl.Binary):
        return column.bin.encode("hex")
    if rounded and dtype.is_float():
        return column.round(4).cast(pl.String)
    return column.cast(pl.String)


@contextmanager
def _opened(out: Path | None) -> Iterator[IO[str]]:
    if out is None:
        yield sys.stdout
        return
    with out.open("w", encoding="utf-8", newline="") as sink:
        yield sink
