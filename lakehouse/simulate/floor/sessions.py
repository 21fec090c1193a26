"""The coarse plan of a day: each visit's sessions at machines and tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lakehouse.simulate.floor.visits import WORTH_SIGMA, Visits
from lakehouse.simulate.kernel.arrays import ordinals, owners, running
from lakehouse.simulate.kernel.counter import (
    F64,
    I64,
    U64,
    draw,
    exp,
    exponential,
    key,
    normal,
    pick,
    poisson,
)

SLOT_MINUTES, TABLE_MINUTES = 25, 60
"""Median length of a session."""
LAST_START = 600
"""No session starts in the last ten minutes of the gaming day."""
HANDOVER = 60
"""Seconds between two sessions on one machine or seat."""
SLOTS_ONLY, TABLES_ONLY, BOTH = range(3)
_TASTE = (40, 20, 40)


@dataclass(frozen=True)
class Sessions:
    """One play session per entry, in order of visit and time."""

    visit: I64
    key: U64
    start: I64
    end: I64
    is_table: np.ndarray[tuple[int], np.dtype[np.bool_]]
    z: F64
    """Spending level of the visitor, as a normal score."""
    stuffed: I64
    """Cents of bills put in beyond need."""


def _session_counts(seed: int, v: Visits) -> I64:
    """1 + Poisson(1.6 worth**0.15), by twelfths of the mean."""
    mean = 1.6 * exp(0.15 * WORTH_SIGMA * v.z)
    level = np.clip(np.rint(mean * 5).astype(np.int64), 1, 40)
    h = draw(key(seed, "sessions"), v.key)
    out = np.ones(len(v), dtype=np.int64)
    for step in np.unique(level):
        at = level == step
        out[at] += poisson(h[at], step / 5)
    return np.minimum(out, 12)


def _is_table(
    seed: int, v: Visits, owner: I64, keys: U64
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    who = np.where(v.player >= 0, v.player.astype(np.uint64), v.key)
    taste = pick(draw(key(seed, "taste"), who), _TASTE)[owner]
    coin = (draw(key(seed, "which"), keys) & np.uint64(1)).astype(bool)
    return np.where(taste == BOTH, coin, taste == TABLES_ONLY)


def sessions(seed: int, v: Visits, day_seconds: int) -> Sessions:
    """Sessions of every visit, one after another, inside the gaming day."""
    counts = _session_counts(seed, v)
    owner, place = owners(counts), ordinals(counts)
    keys = draw(key(seed, "session"), v.key[owner], place)
    table = _is_table(seed, v, owner, keys)
    spread = exp(np.where(table, 0.5, 0.75) * normal(draw(key(seed, "minutes"), keys)))
    length = (np.where(table, TABLE_MINUTES, SLOT_MINUTES) * 60 * spread).astype(np.int64)
    length = np.clip(length // 36 * 36, 108, 8 * 3600)
    gap = 300 + (900 * exponential(draw(key(seed, "gap"), keys))).astype(np.int64)
    end = v.start[owner] + running(length + gap, counts)
    start = end - length
    keep = start < day_seconds - LAST_START
    end = np.minimum(end, day_seconds - HANDOVER - (day_seconds - HANDOVER - start) % 36)
    chosen = np.flatnonzero(keep)
    return Sessions(
        visit=owner[chosen],
        key=keys[chosen],
        start=start[chosen],
        end=end[chosen],
        is_table=table[chosen],
        z=v.z[owner[chosen]],
        stuffed=np.zeros(len(chosen), dtype=np.int64),
    )


def departures(v: Visits, s: Sessions) -> I64:
    """When each visit leaves: five minutes after its last session, or after its arrival."""
    leave = v.start + 300
    np.maximum.at(leave, s.visit, s.end + 300)
    return leave
