"""Small helpers for ragged and columnar numpy arrays."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from lakehouse.simulate.counter import I64

T = TypeVar("T")


def take(columns: T, index: NDArray[Any]) -> T:
    """A dataclass of equally long arrays, at `index` (positions or a mask)."""
    picked = {f.name: getattr(columns, f.name)[index] for f in dataclasses.fields(columns)}  # type: ignore[arg-type]
    return dataclasses.replace(columns, **picked)  # type: ignore[type-var]


def concat(first: T, second: T) -> T:
    """Two dataclasses of arrays, end to end."""
    joined = {
        f.name: np.concatenate([getattr(first, f.name), getattr(second, f.name)])
        for f in dataclasses.fields(first)  # type: ignore[arg-type]
    }
    return dataclasses.replace(first, **joined)  # type: ignore[type-var]


def starts(counts: I64) -> I64:
    """Position of each group's first row, for groups of `counts` rows laid end to end."""
    return np.cumsum(counts) - counts


def owners(counts: I64) -> I64:
    """Group of each row."""
    return np.repeat(np.arange(len(counts), dtype=np.int64), counts)


def ordinals(counts: I64) -> I64:
    """Position of each row within its group."""
    return np.arange(int(counts.sum()), dtype=np.int64) - np.repeat(starts(counts), counts)


def running(values: I64, counts: I64) -> I64:
    """Cumulative sum within each group, the row itself included."""
    total = np.cumsum(values)
    base = np.concatenate([[0], total])[starts(counts)]
    return total - np.repeat(base, counts)


def running_max(values: I64, counts: I64) -> I64:
    """Running maximum within each group; values must stay below 2**40 in size."""
    lift = owners(counts) << np.int64(41)
    return np.maximum.accumulate(values + lift) - lift


def sums(values: I64, counts: I64) -> I64:
    """Total of each group."""
    total = np.concatenate([[0], np.cumsum(values)])
    first = starts(counts)
    return total[first + counts] - total[first]
