"""numpy columns → Polars columns of the bronze shape, without a copy where that is possible."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from lakehouse.contracts import contract
from lakehouse.simulate.kernel.arrays import series
from lakehouse.simulate.kernel.counter import I64

Valid = NDArray[np.bool_] | None


def _decimal(values: I64, precision: int, scale: int, valid: Valid) -> pl.Series:
    bits = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    data = pa.py_buffer(np.ascontiguousarray(values, dtype=np.int64))
    array = pa.Array.from_buffers(pa.decimal64(precision, scale), len(values), [bits, data])
    return series(array)


def money(cents: I64, valid: Valid = None) -> pl.Series:
    return _decimal(cents, 18, 2, valid)


def rate(basis_points: I64, valid: Valid = None) -> pl.Series:
    """Four decimals: 985 → 0.0985."""
    return _decimal(basis_points, 9, 4, valid)


def hours(hundredths: I64, valid: Valid = None) -> pl.Series:
    return _decimal(hundredths, 9, 2, valid)


def count(values: I64, valid: Valid = None) -> pl.Series:
    bits = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    data = pa.py_buffer(np.ascontiguousarray(values, dtype=np.int64))
    return series(pa.Array.from_buffers(pa.int64(), len(values), [bits, data]))


def utc(microseconds: I64) -> pl.Series:
    return pl.Series(np.ascontiguousarray(microseconds)).cast(pl.Datetime("us", "UTC"))


def code(names: Sequence[str], index: NDArray[np.integer], valid: Valid = None) -> pl.Series:
    """Text by index into a small vocabulary; null where not valid."""
    at = np.asarray(index)
    if valid is not None:
        at = np.where(valid, at, len(names))
    return _vocabulary(tuple(names))[pl.Series(at.astype(np.uint32))]


@functools.lru_cache(maxsize=256)
def _vocabulary(names: tuple[str, ...]) -> pl.Series:
    return pl.Series([*names, None], dtype=pl.String)


def gather(values: pl.Series, index: I64, valid: Valid = None) -> pl.Series:
    """Entries of a column by position; null where not valid."""
    if valid is None:
        return values[pl.Series(index.astype(np.uint32))]
    padded = pl.concat([values, pl.Series([None], dtype=values.dtype)])
    at = np.where(valid, index, len(padded) - 1)
    return padded[pl.Series(at.astype(np.uint32))]


def only(values: pl.Series, valid: NDArray[np.bool_]) -> pl.Series:
    """The column, null where not valid."""
    return values.zip_with(pl.Series(valid), pl.Series([None], dtype=values.dtype))


@functools.cache
def _shape(table: str) -> pl.Schema:
    return contract(table).bronze_schema()


def frame(table: str, columns: Mapping[str, pl.Series | pl.Expr | str | None]) -> pl.DataFrame:
    """The table's columns in the order of its contract. A plain string or None is a constant;
    columns that are not given are null."""
    schema = _shape(table)
    unknown = columns.keys() - schema.keys()
    if unknown:
        raise KeyError(f"{table} has no column {', '.join(sorted(unknown))}")
    given = {n: v for n, v in columns.items() if isinstance(v, pl.Series)}
    constants = [
        pl.lit(columns.get(n), dtype=t).alias(n) for n, t in schema.items() if n not in given
    ]
    return (
        pl.DataFrame(given)
        .with_columns(constants)
        .select(
            pl.col(n) if given.get(n) is None or given[n].dtype == t else pl.col(n).cast(t)
            for n, t in schema.items()
        )
    )
