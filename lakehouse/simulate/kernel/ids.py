"""Names of things: integer keys inside, these strings at the edge."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from lakehouse.simulate.kernel.arrays import series
from lakehouse.simulate.kernel.counter import I64, U64, draw, key


def numbered(prefix: str, index: I64, width: int) -> pl.Series:
    """Indexes → "PREFIX0001"-like text; negative indexes become null. Larger numbers than
    `width` digits hold are written in full."""
    values = np.asarray(index, dtype=np.int64)
    n = len(values)
    if n and int(values.max()) >= 10**width:
        text = pl.Series(values)
        names = prefix + text.cast(pl.String).str.zfill(width)
        return names.set(text < 0, None)
    start, size = len(prefix), len(prefix) + width
    octets = np.empty((n, size), dtype=np.uint8)
    octets[:, :start] = np.frombuffer(prefix.encode(), dtype=np.uint8)
    rest: NDArray[Any] = np.maximum(values, 0)
    rest = rest.astype(np.uint32 if width < 10 else np.uint64)
    for place in range(size - 1, start - 1, -1):
        left = rest // 10
        octets[:, place] = rest - left * 10 + 48
        rest = left
    return texts(octets, values >= 0)


def texts(octets: NDArray[np.uint8], known: NDArray[np.bool_] | None = None) -> pl.Series:
    """Texts of one length, an octet in each column; null where not known."""
    n, size = octets.shape
    offsets = np.arange(0, size * n + 1, size, dtype=np.int64)
    bits = None
    if known is not None and not known.all():
        bits = pa.py_buffer(np.packbits(known, bitorder="little"))
    array = pa.LargeStringArray.from_buffers(
        n, pa.py_buffer(offsets), pa.py_buffer(octets.reshape(-1)), bits
    )
    return series(array)


def players(index: I64) -> pl.Series:
    return numbered("P", index, 8)


def machines(index: I64) -> pl.Series:
    return numbered("SLOT-", np.asarray(index) + 1, 4)


def employees(index: I64) -> pl.Series:
    return numbered("EMP-", np.asarray(index) + 1, 4)


def dealers(index: I64) -> pl.Series:
    return numbered("DLR-", np.asarray(index) + 1, 4)


@functools.cache
def _hex_digits() -> NDArray[np.uint32]:
    """The four digits of each 16-bit number, as they stand in memory."""
    digit = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    places = np.arange(65_536)[:, None] >> np.array([12, 8, 4, 0])
    return digit[places & 15].view(np.uint32).reshape(-1)


def digits(values: U64) -> NDArray[np.uint8]:
    """The 16 hexadecimal digits of each number, as octets; of a table of numbers, a row's one
    after another."""
    flat = np.ascontiguousarray(values).reshape(-1)
    found = np.take(_hex_digits(), flat.byteswap().view(np.uint16).byteswap()).view(np.uint8)
    return found.reshape(len(values), 16 * (values.shape[1] if values.ndim > 1 else 1))


def hexadecimal(values: U64, prefix: str = "") -> pl.Series:
    """64-bit numbers → the prefix and their `digits`."""
    found = digits(values)
    if not prefix:
        return texts(found)
    start = len(prefix)
    octets = np.empty((len(found), start + found.shape[1]), dtype=np.uint8)
    octets[:, :start] = np.frombuffer(prefix.encode(), dtype=np.uint8)
    octets[:, start:] = found
    return texts(octets)


def event_ids(seed: int, table: str, day: int | I64, ordinal: I64) -> pl.Series:
    """Unique by construction: the hash is a bijection of (day, ordinal) for each table."""
    packed = (np.asarray(day, dtype=np.int64) << np.int64(40)) | np.asarray(ordinal, dtype=np.int64)
    return hexadecimal(draw(key(seed, f"id:{table}"), packed))
