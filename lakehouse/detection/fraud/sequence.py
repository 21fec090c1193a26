"""Rows of each user in order of time, and what stands before each of them: arrays, no loops."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
Bools = NDArray[np.bool_]
NOTHING = np.uint64(0)
"""Code of what is not known."""
_OTHER = 1
"""Seed of the other code of a user."""
_STEPS = 4
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
"""Odd: products with it are as different as codes are, and in their first bits too."""


@dataclass(frozen=True)
class Window:
    """For each position, the user's rows from `start` on. `several`: where these are more than
    the row itself; most rows stand alone, and are not looked at."""

    start: I64
    several: I64

    @cached_property
    def _are_most_several(self) -> bool:
        return 3 * len(self.several) > len(self.start)

    @cached_property
    def _inside(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """The rows of windows of several, and where among them each window begins and ends."""
        concerned = np.zeros(len(self.start), dtype=bool)
        concerned[self.several] = True
        concerned[self.several - 1] = True
        place = np.cumsum(concerned, dtype=np.int32) - 1
        return np.flatnonzero(concerned), place[self.start[self.several]], place[self.several]

    def up_to(self, values: NDArray[Any]) -> NDArray[Any]:
        """Sums of whole numbers, or counts, over the window, with the row itself."""
        kind = np.int32 if values.dtype == bool else np.int64
        if self._are_most_several:
            sums: NDArray[Any] = np.zeros(len(values) + 1, dtype=kind)
            np.cumsum(values, out=sums[1:])
            return np.asarray(sums[1:] - sums.take(self.start))
        found = values.astype(kind)
        inside, first, last = self._inside
        some = found[inside]
        sums = np.cumsum(some)
        found[self.several] = sums[last] - sums[first] + some[first]
        return found

    def before(self, values: NDArray[Any]) -> NDArray[Any]:
        """The same without the row itself."""
        return self.up_to(values) - values


@dataclass(frozen=True)
class Sequence:
    """Rows by user, and of a user by time. `turn`: the row's place among those of all users by
    time. All positions are of this order."""

    turn: I64
    first: I64
    """Position of the same user's first row."""
    at: I64
    """Microseconds."""
    day: I64
    reach: int
    """Days before a row's own that count as before it."""

    @cached_property
    def here(self) -> I64:
        return np.arange(len(self.first))

    def windows(self, *spans: int) -> list[Window]:
        """The user's rows of the last so many microseconds, for each of `spans`."""
        found: dict[int, Window] = {}
        several = self._followers
        for span in sorted(spans, reverse=True):
            found[span] = self._window(self.at, span, several)
            several = found[span].several
        return [found[span] for span in spans]

    @cached_property
    def remembered(self) -> Window:
        """The user's rows that count."""
        return self._window(self.day, self.reach, self._followers)

    @cached_property
    def _followers(self) -> I64:
        """Rows that are not the user's first."""
        return np.flatnonzero(self.first != self.here)

    @cached_property
    def _by_user_and_turn(self) -> I64:
        return self.first * len(self.first) + self.turn

    def _window(self, clock: I64, span: int, among: I64) -> Window:
        """`clock` never falls with time. `among`: rows that may have another in the window."""
        several = among[clock[among] - clock[among - 1] <= span]
        start = self.here.copy()
        first = self.first[several]
        start[several] = first
        rest = several[clock[several] - clock[first] > span]
        for _ in range(_STEPS):
            # Of most users the window begins a few rows later: a step is cheaper than a search.
            start[rest] += 1
            rest = rest[clock[rest] - clock[start[rest]] > span]
        if len(rest):
            size = len(self.first)
            by_turn = np.empty_like(clock)
            by_turn[self.turn] = clock
            since = np.searchsorted(by_turn, clock[rest] - span)
            start[rest] = np.searchsorted(self._by_user_and_turn, self.first[rest] * size + since)
        return Window(start, several)

    def last_before(self, wanted: Bools, until: I64 | None = None) -> I64:
        """Position of the newest remembered row that is `wanted`, before each row or before the
        position `until`; -1 for none."""
        newest = np.maximum.accumulate(np.where(wanted, self.here, -1))
        found = np.concatenate([np.full(1, -1), newest])
        found = found[: len(newest)] if until is None else found[until]
        return np.where(found >= self.remembered.start, found, -1)

    def times_before(self, codes: U64, asked: I64, wanted: U64, until: I64) -> I64:
        """How many remembered rows of the user of each position `asked` have the code `wanted`,
        before the position `until`."""
        concerned = np.zeros(len(self.first), dtype=bool)
        concerned[self.first[asked]] = True
        mine = np.flatnonzero(concerned[self.first] & (codes != NOTHING))
        room = np.uint64(len(self.first).bit_length())

        def at(code: U64, position: I64) -> U64:
            return np.asarray(code * _SPREAD >> room << room | position.astype(np.uint64))

        # A user's rows follow one another: of all that have the code, those from one of his
        # positions to another are his. Two codes of his meet by chance once in 10^12.
        known, since = np.sort(at(codes[mine], mine)), self.remembered.start[asked]
        low, high = (np.searchsorted(known, at(wanted, bound)) for bound in (since, until))
        return np.asarray(high - low)

    def is_new(self, codes: U64, counts: Bools, young: Window) -> Bools:
        """Whether a row has a code that no remembered row before the window `young` has, though
        some has one; of rows that `counts`."""
        known = np.where(counts, codes, NOTHING)
        before = self.last_before(known != NOTHING, young.start)
        new = (known != NOTHING) & (before >= 0) & (codes[before] != codes)
        asked = np.flatnonzero(new)
        new[asked] = self.times_before(known, asked, codes[asked], young.start[asked]) == 0
        return new


def sequence(rows: pl.DataFrame, hashes: U64, reach: int) -> tuple[Sequence, I64]:
    """Of rows in order of time, with `user_id`, `timestamp` and `gaming_day`, and the hash of each
    row's user: their sequence, and which row stands at each position."""
    user, by_user = _by_hash(hashes)
    if _meet(rows["user_id"], user, by_user):
        user = rows["user_id"].rank("dense").to_numpy()
        by_user = np.argsort(user, kind="stable")
    ordered, here = user[by_user], np.arange(len(rows))
    starts = np.ones(len(rows), dtype=bool)
    starts[1:] = ordered[1:] != ordered[:-1]
    first = np.maximum.accumulate(np.where(starts, here, 0)) if len(rows) else here
    at = rows["timestamp"].to_physical().to_numpy()[by_user]
    day = rows["gaming_day"].to_physical().to_numpy()[by_user].astype(np.int64)
    return Sequence(by_user, first, at, day, reach), by_user


def _by_hash(user: U64) -> tuple[U64, I64]:
    """The part of each hash that leaves room for a row's number, and rows by it: plain numbers
    are sorted in a tenth of the time that a stable argsort takes."""
    room = np.uint64(len(user).bit_length())
    code = user >> room << room
    packed = np.sort(code | np.arange(len(user), dtype=np.uint64))
    return code, (packed & ((np.uint64(1) << room) - np.uint64(1))).astype(np.int64)


def _meet(ids: pl.Series, codes: U64, by_code: I64) -> bool:
    """Whether two users have one code: their others differ. Of a million rows they do in one of
    a hundred batches, and both meet once in 10^19."""
    ordered, other = codes[by_code], ids.hash(_OTHER).to_numpy()[by_code]
    return bool(((ordered[1:] == ordered[:-1]) & (other[1:] != other[:-1])).any())


def code(column: str) -> pl.Expr:
    """A number for each value of a column, 0 for null. Two values meet by chance once in 10^19."""
    known = pl.col(column).hash() | pl.lit(1, pl.UInt64)
    return pl.when(pl.col(column).is_null()).then(pl.lit(NOTHING)).otherwise(known)
