"""Machines and seats for sessions: no unit serves two at once, fully vectorised.

With a first-in-first-out list of free units, the k-th start of a group takes unit k while
units last, and after that the unit of the (k - capacity)-th session to end. Following those
links by pointer doubling colours all sessions of a day at once.
"""

from __future__ import annotations

import numpy as np

from lakehouse.simulate.kernel.counter import I64


def _places(group: I64) -> I64:
    """Position of each entry within its group, for entries sorted by group."""
    n = len(group)
    change = np.concatenate([[True], group[1:] != group[:-1]]) if n else np.zeros(0, dtype=bool)
    begins = np.flatnonzero(change)
    return np.arange(n) - np.repeat(begins, np.diff(np.concatenate([begins, [n]])))


def fits(
    group: I64, start: I64, end: I64, capacity: I64
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which sessions find a free unit; refused ones would make the group overflow."""
    n = len(group)
    times = np.concatenate([start, end])
    is_start = np.repeat([True, False], n)
    order = np.lexsort((is_start, times, np.concatenate([group, group])))
    occupied = np.cumsum(np.where(is_start, 1, -1)[order])
    at_start = np.zeros(2 * n, dtype=np.int64)
    at_start[order] = occupied
    return at_start[:n] <= capacity[group]


def assign(group: I64, start: I64, end: I64, capacity: I64) -> I64:
    """Unit within its group for each session; occupancy never exceeds capacity."""
    n = len(group)
    by_start = np.lexsort((np.arange(n), start, group))
    by_end = np.lexsort((np.arange(n), end, group))
    g = group[by_start]
    place = _places(g)
    cap = capacity[g]
    begins = np.arange(n) - place
    rank = np.empty(n, dtype=np.int64)
    rank[by_start] = np.arange(n)
    ended = rank[by_end]
    parent = np.where(place < cap, np.arange(n), 0)
    later = place >= cap
    parent[later] = ended[(begins + place - cap)[later]]
    while True:
        grand = parent[parent]
        if np.array_equal(grand, parent):
            break
        parent = grand
    unit = np.empty(n, dtype=np.int64)
    unit[by_start] = place[parent]
    return unit
