"""One simulated casino. Every table is a view of what happened in it."""

from __future__ import annotations

import datetime as dt
import functools
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl

from lakehouse.contracts import contract
from lakehouse.errors import BadInput
from lakehouse.regulation.law import Law, load
from lakehouse.simulate.compliance import filings
from lakehouse.simulate.faults import defects
from lakehouse.simulate.faults.defects import Struck, Unit, spoil
from lakehouse.simulate.faults.scenarios import LONGEST_REPORTED, scenarios
from lakehouse.simulate.floor import cage_cash, running_totals, wins
from lakehouse.simulate.kernel import producers as registry
from lakehouse.simulate.kernel.cash import Cash
from lakehouse.simulate.kernel.clock import day_start
from lakehouse.simulate.kernel.config import NO_FAULTS, ROWS, Faults, WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64
from lakehouse.simulate.kernel.plants import nothing
from lakehouse.simulate.kernel.player_totals import PlayerTotals
from lakehouse.texts import packed

MOST_DAYS = 10
"""Days made at a time."""
REMEMBERED = 50_000
"""Spoiled rows that are remembered."""


@dataclass(frozen=True)
class Piece:
    """What is made at one go: some days of a table, or one stretch of a day."""

    table: str
    days: range
    stretch: int
    stretches: int


@dataclass(frozen=True)
class Made:
    """A piece as it reaches bronze."""

    piece: Piece
    rows: pl.DataFrame
    copies: pl.DataFrame
    """Rows that came twice; they follow the last stretch of their day."""


class World:
    """Random access to any table and gaming day: the same bytes in any order, alone or in a
    run. Safe to share between threads. To producers it is the kernel's `World`."""

    def __init__(self, config: WorldConfig) -> None:
        self.config = config
        self.law: Law = load(config.profile)
        self.block = _days_at_a_time(config)
        looked_back = filings.LOOKBACK + cage_cash.LONGEST_CREDIT + LONGEST_REPORTED
        self.near = looked_back + self.block if self.block > 1 else LONGEST_REPORTED
        self.scenarios = functools.lru_cache(maxsize=64)(functools.partial(scenarios, config))
        self._lock = threading.Lock()
        self._rows_struck = 0
        self._struck: OrderedDict[tuple[str, int], dict[int, Struck]] = OrderedDict()

    def utc(self, day: int, second: I64) -> I64:
        """Microseconds since the epoch; knows days of 23 and 25 hours."""
        start = day_start(self.config.date(day), self.config.timezone)
        return start + np.asarray(second, dtype=np.int64) * 1_000_000

    def cash(self, day: int) -> Cash:
        return cage_cash.cash_on(self, day)

    def wins(self, day: int) -> pl.DataFrame:
        return wins.wins_on(self, day)

    def named(self, day: int) -> I64:
        return cage_cash.named_on(self, day)

    def totals(self, day: int, who: I64) -> PlayerTotals:
        return running_totals.totals_through(self, day, who)

    def filed(self, day: int) -> I64:
        return filings.persons(self, day)

    def obliged(self, day: int) -> I64:
        return filings.obliged(self, day)

    def reports(self, day: int) -> U64:
        return filings.reported_rows(self, day)

    def pieces(self, table: str, days: range) -> Iterator[Piece]:
        """The parts in which the table is made: some days, or a stretch of one."""
        made = registry.producers()
        if table not in made:
            raise BadInput(f"the simulator has no table {table!r}; it has: {', '.join(made)}")
        for block in _blocks(days, self.block):
            count = len(made[table].cut(self, block.start)) if self.block == 1 else 1
            yield from (Piece(table, block, k, count) for k in range(count))

    def make(self, piece: Piece) -> Made:
        """A piece as it reaches bronze, defects and all."""
        clean, units = self._clean(piece)
        spoiled = spoil(self, piece.table, clean, units)
        self._remember_struck(piece, spoiled.struck)
        return Made(piece, spoiled.rows, spoiled.copies)

    def frames(self, table: str, days: range) -> Iterator[pl.DataFrame]:
        """The table's rows as they reach bronze, in order of day, in pieces."""
        made = (self.make(piece) for piece in self.pieces(table, days))
        return (rows for _, rows in in_order(made))

    def rows(self, table: str, days: tuple[dt.date, dt.date]) -> Iterator[pl.DataFrame]:
        """`frames` from the first to the last of two gaming days."""
        return self.frames(table, self._days(days))

    def blocks(self, days: tuple[dt.date, dt.date]) -> list[range]:
        """The days from the first to the last in runs that are made together."""
        return _blocks(self._days(days), self.block)

    def _days(self, days: tuple[dt.date, dt.date]) -> range:
        return range(self.config.index(days[0]), self.config.index(days[1]) + 1)

    def clean(self, table: str, date: dt.date) -> pl.DataFrame:
        """The day's rows before defects, in bronze shape."""
        day = self.config.index(date)
        parts = [self._clean(piece)[0] for piece in self.pieces(table, range(day, day + 1))]
        return pl.concat(parts) if parts else contract(table).empty()

    def frame(self, table: str, date: dt.date) -> pl.DataFrame:
        """The day's rows as they reach bronze, defects and all."""
        day = self.config.index(date)
        return pl.concat([contract(table).empty(), *self.frames(table, range(day, day + 1))])

    def plants(self, date: dt.date, tables: Collection[str] | None = None) -> pl.DataFrame:
        """All that was planted on the day: defects, scenarios, filing faults. With `tables`, the
        defects of these, and what is told of the domains that they are of."""
        day = self.config.index(date)
        asked = registry.producers() if tables is None else tables
        domains = {contract(t).domain for t in asked}
        made = [t for t in registry.producers() if t in asked]
        spoiled = [s.plants(self.config, day) for t in made for s in self._struck_rows(t, day)]
        labels = [told for t, told in registry.labels() if contract(t).domain in domains]
        others = [told(self, day) for told in labels]
        return pl.concat([nothing(), *spoiled, *others])

    def _struck_rows(self, table: str, day: int) -> list[Struck]:
        """What was spoiled on a day: known if the day was made of late, else made again."""
        if self.config.faults == NO_FAULTS:
            return []
        pieces = list(self.pieces(table, range(day, day + 1)))
        with self._lock:
            known = self._struck.get((table, day), {})
        if len(known) < len(pieces):
            made = [spoil(self, table, *self._clean(piece)).struck for piece in pieces]
            return [s for s in made if s is not None]
        return [known[k] for k in sorted(known)]

    def _remember_struck(self, piece: Piece, struck: Struck | None) -> None:
        if struck is None:
            return
        with self._lock:
            for day in piece.days:
                known = self._struck.setdefault((piece.table, day), {})
                self._rows_struck += len(struck) - len(known.get(piece.stretch, ()))
                known[piece.stretch] = struck
            while self._rows_struck > REMEMBERED:
                _, gone = self._struck.popitem(last=False)
                self._rows_struck -= sum(map(len, gone.values()))

    def _clean(self, piece: Piece) -> tuple[pl.DataFrame, list[Unit]]:
        """The piece before defects, and the units of which it is made."""
        made = registry.producers()[piece.table]
        parts = [made.numbers(self, d, piece.stretch) for d in piece.days]
        units = [self._unit(piece, d, len(n)) for d, n in zip(piece.days, parts, strict=True)]
        return made.dressed(self.config, parts), units

    def _unit(self, piece: Piece, day: int, rows: int) -> Unit:
        """A whole day, or of a stretch's `rows` the share of the day's defects."""
        if piece.stretches == 1:
            return Unit(day, 0, rows, self._defects(piece.table, day, rows))
        cut = registry.producers()[piece.table].cut(self, day)
        at, whole = cut[piece.stretch], cut[-1].stop
        counts = self._defects(piece.table, day, whole)
        part = counts * at.stop // max(whole, 1) - counts * at.start // max(whole, 1)
        return Unit(day, piece.stretch, rows, part)

    def _defects(self, table: str, day: int, rows: int) -> I64:
        """Defects of each kind on a day, of a table without exact counts of these `rows`."""
        held = self.config.quota(table, day) if table in ROWS else rows
        return defects.counts(self.config, table, day, held)


class Described(Protocol):
    """What settings say of the world that is simulated."""

    @property
    def seed(self) -> int: ...
    @property
    def start(self) -> dt.date: ...
    @property
    def scale(self) -> float: ...
    @property
    def timezone(self) -> str: ...
    @property
    def profile(self) -> str: ...
    @property
    def faults(self) -> bool: ...


def world_of(settings: Described) -> World:
    """The simulated world of a lake; built once in a process."""
    s = settings
    return _world(s.seed, s.start, s.scale, s.timezone, s.profile, s.faults)


@functools.lru_cache(maxsize=2)
def _world(
    seed: int, start: dt.date, scale: float, timezone: str, profile: str, faults: bool
) -> World:
    return World(
        WorldConfig(
            seed=seed,
            start=start,
            scale=scale,
            timezone=timezone,
            profile=profile,
            faults=Faults() if faults else NO_FAULTS,
        )
    )


def _days_at_a_time(config: WorldConfig) -> int:
    """So many that a piece of the largest table has two stretches' rows at the most."""
    most = max(config.total(t) for t in ROWS) // config.days
    return min(max(1, 2 * registry.STRETCH_ROWS // max(most, 1)), MOST_DAYS)


def _blocks(days: range, length: int) -> list[range]:
    return [range(d, min(d + length, days.stop)) for d in range(days.start, days.stop, length)]


def in_order(made: Iterable[Made]) -> Iterator[tuple[str, pl.DataFrame]]:
    """(table, rows) of pieces, the rows that came twice at the end of their days: a day has
    the same order whatever it was made with. What is read is let go of before the next comes."""
    copies: list[pl.DataFrame] = []
    for m in made:
        piece = m.piece
        # Texts of their own: picked out of a piece, they keep all of its texts in memory.
        copies.append(packed(m.copies))
        yield piece.table, m.rows
        del m
        if piece.stretch == piece.stretches - 1:
            yield piece.table, pl.concat(copies)
            copies = []
