"""Names of things: integer keys inside, these strings at the edge."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from lakehouse.simulate.counter import I64, U64, draw, key


def numbered(prefix: str, index: I64, width: int) -> pl.Series:
    """Indexes → "PREFIX0001"-like text; negative indexes become null. Larger numbers than
    `width` digits hold are written in full."""
    values = np.asarray(index, dtype=np.int64)
    n = len(values)
    if n and int(values.max()) >= 10**width:
        text = pl.Series(values)
        names = prefix + text.cast(pl.String).str.zfill(width)
        return names.set(text < 0, None).rename("id")
    start, size = len(prefix), len(prefix) + width
    octets = np.empty((n, size), dtype=np.uint8)
    octets[:, :start] = np.frombuffer(prefix.encode(), dtype=np.uint8)
    rest: NDArray[Any] = np.maximum(values, 0)
    rest = rest.astype(np.uint32 if width < 10 else np.uint64)
    for place in range(size - 1, start - 1, -1):
        left = rest // 10
        octets[:, place] = rest - left * 10 + 48
        rest = left
    offsets = np.arange(0, size * n + 1, size, dtype=np.int64)
    known = values >= 0
    bits = None if known.all() else pa.py_buffer(np.packbits(known, bitorder="little"))
    array = pa.LargeStringArray.from_buffers(
        n, pa.py_buffer(offsets), pa.py_buffer(octets.reshape(-1)), bits
    )
    return pl.Series("id", pl.from_arrow(array))


def players(index: I64) -> pl.Series:
    return numbered("P", index, 8)


def machines(index: I64) -> pl.Series:
    return numbered("SLOT-", np.asarray(index) + 1, 4)


def employees(index: I64) -> pl.Series:
    return numbered("EMP-", np.asarray(index) + 1, 4)


def dealers(index: I64) -> pl.Series:
    return numbered("DLR-", np.asarray(index) + 1, 4)


_HEX = np.frombuffer("".join(f"{b:02x}" for b in range(256)).encode(), dtype=np.uint8).reshape(
    256, 2
)


def hexadecimal(values: U64) -> pl.Series:
    """64-bit numbers → 16 hexadecimal digits."""
    n = len(values)
    octets = values.astype(">u8").view(np.uint8)
    digits = np.ascontiguousarray(_HEX[octets]).reshape(-1)
    offsets = np.arange(0, 16 * n + 1, 16, dtype=np.int64)
    array = pa.LargeStringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(digits))
    return pl.Series(pl.from_arrow(array))


def event_ids(seed: int, table: str, day: int, ordinal: I64) -> pl.Series:
    """Unique by construction: the hash is a bijection of (day, ordinal) for each table."""
    packed = (np.int64(day) << np.int64(40)) | np.asarray(ordinal, dtype=np.int64)
    return hexadecimal(draw(key(seed, f"id:{table}"), packed))
