"""Names of things: integer keys inside, these strings at the edge."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa

from lakehouse.simulate.counter import I64, U64, draw, key


def numbered(prefix: str, index: I64, width: int) -> pl.Series:
    """Indexes → "PREFIX0001"-like text; negative indexes become null."""
    text = pl.Series(np.asarray(index, dtype=np.int64))
    names = (prefix + text.cast(pl.String).str.zfill(width)).rename("id")
    return names.set(text < 0, None) if len(text) and int(text.min()) < 0 else names  # type: ignore[arg-type]


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
