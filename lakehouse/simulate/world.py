"""One simulated casino. Every table is a view of what happened in it."""

from __future__ import annotations

import datetime as dt
import functools
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from lakehouse.contracts import contract
from lakehouse.errors import BadInput
from lakehouse.regulation.law import Law, load
from lakehouse.simulate.compliance import filings
from lakehouse.simulate.faults import defects
from lakehouse.simulate.faults.defects import Struck, Unit, spoil
from lakehouse.simulate.faults.misconduct import Scenario, scenarios
from lakehouse.simulate.floor import cage, people, security, slots, tables
from lakehouse.simulate.floor.ledger import Ledger, close
from lakehouse.simulate.floor.plan import DayPlan, clean_rows, plan
from lakehouse.simulate.floor.slot_play import SlotPlay
from lakehouse.simulate.floor.slots import Stretch
from lakehouse.simulate.floor.table_play import TablePlay
from lakehouse.simulate.floor.visits import Visits
from lakehouse.simulate.kernel import frames, ids
from lakehouse.simulate.kernel.arrays import join, take
from lakehouse.simulate.kernel.cash import Cash
from lakehouse.simulate.kernel.clock import day_start
from lakehouse.simulate.kernel.config import ROWS, WorldConfig
from lakehouse.simulate.kernel.counter import I64, draw, key
from lakehouse.simulate.kernel.plants import nothing
from lakehouse.simulate.labels import truth

TABLES = (
    "player_profile",
    "slot_telemetry",
    "table_games",
    "financial_txn",
    "gaming_wins",
    "staff_observations",
    "security_events",
    "compliance",
)
LONGEST_CREDIT = 14
"""Days after which a marker is paid at the latest."""
MOST_DAYS = 10
"""Days made at a time."""
REMEMBERED = 400
"""Days of tables of which what was spoiled is remembered."""


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
    run. Safe to share between threads."""

    def __init__(self, config: WorldConfig) -> None:
        self.config = config
        self.law: Law = load(config.profile)
        self.block = _days_at_a_time(config)
        self._lock = threading.RLock()
        self._ledgers: dict[int, Ledger] = {}
        self._struck: OrderedDict[tuple[str, int], dict[int, Struck]] = OrderedDict()
        near = filings.LOOKBACK + self.block if self.block > 1 else 6
        self._plan = functools.lru_cache(maxsize=near)(self._make_plan)
        self._cash = functools.lru_cache(maxsize=near)(self._make_cash)
        self._markers = functools.lru_cache(maxsize=40)(self._make_markers)
        self._scenarios = functools.lru_cache(maxsize=64)(functools.partial(scenarios, config))
        self._pays = functools.lru_cache(maxsize=40)(self._make_pays)
        self._named = functools.lru_cache(maxsize=40)(self._make_named)
        self._wins = functools.lru_cache(maxsize=40)(self._make_wins)

    def plan(self, day: int) -> DayPlan:
        if day < 0:
            raise BadInput(
                f"{self.config.date(day)} is before the world's first gaming day "
                f"{self.config.start}"
            )
        with self._lock:
            return self._plan(day)

    def _make_plan(self, day: int) -> DayPlan:
        return plan(self.config, self.law, day)

    def visits(self, day: int) -> Visits:
        return self.plan(day).visits

    def slots(self, day: int) -> SlotPlay:
        return self.plan(day).slots

    def tables(self, day: int) -> TablePlay:
        return self.plan(day).tables

    def scenarios(self, day: int) -> list[Scenario]:
        return self._scenarios(day)

    def utc(self, day: int, second: I64) -> I64:
        """Microseconds since the epoch; knows days of 23 and 25 hours."""
        start = day_start(self.config.date(day), self.config.timezone)
        return start + np.asarray(second, dtype=np.int64) * 1_000_000

    def _make_markers(self, day: int) -> TablePlay:
        """Ratings of a day whose marker is paid on a later one."""
        t = self.tables(day)
        return take(t, (t.marker > 0) & (t.paid_after > 0))

    def hand_pays(self, day: int) -> cage.HandPays:
        with self._lock:
            return self._pays(day)

    def _make_pays(self, day: int) -> cage.HandPays:
        return cage.hand_pays(self.config, self.plan(day))

    def cash(self, day: int) -> Cash:
        """What changed hands at the cage, before it is written down."""
        with self._lock:
            return self._cash(day)

    def _make_cash(self, day: int) -> Cash:
        p = self.plan(day)
        before = range(1, min(LONGEST_CREDIT, day) + 1)
        payments = cage.later_payments(self.config, [self._markers(day - k) for k in before])
        rows = clean_rows(self.config, "financial_txn", day)
        return cage.cash(self.config, p, self.hand_pays(day), payments, rows)

    def wins(self, day: int) -> pl.DataFrame:
        """Hand-paid wins: one row per win that may be reportable."""
        with self._lock:
            return self._wins(day)

    def _make_wins(self, day: int) -> pl.DataFrame:
        h, s, c = self.hand_pays(day), self.slots(day), self.cash(day)
        paid = np.flatnonzero(c.win >= 0)
        won = draw(key(self.config.seed, "win"), s.key[h.session], h.cents)
        n = len(h.cents)
        return pl.DataFrame(
            {
                "win_id": "W" + ids.hexadecimal(won),
                "player": h.player,
                "game_type": pl.repeat("SLOT", n, dtype=pl.String, eager=True),
                "is_free_play": pl.repeat(value=False, n=n, dtype=pl.Boolean, eager=True),
                "gross_cents": h.cents,
                "wager_cents": s.bet[h.session],
                "won_second": h.won,
                "paid_second": h.paid,
                "paid_at": frames.utc(self.utc(day, h.paid)),
                "machine": s.machine[h.session],
                "transaction_id": cage.transaction_ids(self.config.seed, day, paid),
            }
        )

    def named(self, day: int) -> I64:
        """Sorted unique players who did anything that day."""
        with self._lock:
            return self._named(day)

    def _make_named(self, day: int) -> I64:
        c = self.cash(day)
        found = np.concatenate([self.visits(day).player, c.player, c.on_behalf_of])
        return np.unique(found[found >= 0])

    def ledger(self, day: int) -> Ledger:
        """Totals of every player and machine through `day`; empty before the first."""
        with self._lock:
            if day < 0:
                return Ledger.empty(self.config.machine_count)
            if day not in self._ledgers:
                known = max((d for d in self._ledgers if d < day), default=-1)
                current = self._ledgers.get(known, Ledger.empty(self.config.machine_count))
                for d in range(known + 1, day + 1):
                    current = close(current, self.plan(d))
                    self._remember(d, current)
            return self._ledgers[day]

    def _remember(self, day: int, ledger: Ledger) -> None:
        """Keeps the last days and every sixteenth, so that any day is near one."""
        self._ledgers[day] = ledger
        for old in [d for d in self._ledgers if d < day - 2 * self.block - 4 and d % 16]:
            del self._ledgers[old]

    def pieces(self, table: str, days: range) -> Iterator[Piece]:
        """The parts in which the table is made: some days, or a stretch of one."""
        if table not in TABLES:
            raise BadInput(f"the simulator has no table {table!r}; it has: {', '.join(TABLES)}")
        for block in _blocks(days, self.block):
            if table == "slot_telemetry" and self.block == 1:
                count = len(self._stretches(block.start))
                yield from (Piece(table, block, k, count) for k in range(count))
            else:
                yield Piece(table, block, 0, 1)

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

    def plants(self, date: dt.date) -> pl.DataFrame:
        """All that was planted on the day: defects, scenarios, filing faults."""
        day = self.config.index(date)
        rows = [s.plants(self.config, day) for t in TABLES for s in self._struck_rows(t, day)]
        return pl.concat(
            [nothing(), *rows, truth.scenario_plants(self, day), filings.plants(self, day)]
        )

    def _struck_rows(self, table: str, day: int) -> list[Struck]:
        """What was spoiled on a day: known if the day was made of late, else made again."""
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
                self._struck.setdefault((piece.table, day), {})[piece.stretch] = struck
            while len(self._struck) > REMEMBERED:
                self._struck.popitem(last=False)

    def _clean(self, piece: Piece) -> tuple[pl.DataFrame, list[Unit]]:
        """The piece before defects, and the units of which it is made."""
        if piece.table == "slot_telemetry":
            return self._telemetry(piece)
        rows_of, dress = _MAKERS[piece.table]
        parts = [rows_of(self, d) for d in piece.days]
        units = [self._unit(piece.table, d, len(n)) for d, n in zip(piece.days, parts, strict=True)]
        return dress(self.config, parts), units

    def _unit(self, table: str, day: int, rows: int) -> Unit:
        """A whole day."""
        held = self.config.quota(table, day) if table in ROWS else rows
        return Unit(day, 0, rows, defects.counts(self.config, table, day, held))

    def _telemetry(self, piece: Piece) -> tuple[pl.DataFrame, list[Unit]]:
        parts, units = [], []
        for d in piece.days:
            at = self._stretches(d)[piece.stretch]
            meters, whole = self.ledger(d - 1).meters, self._unit(piece.table, d, self._rows(d))
            parts.append(slots.rows_of(self.config, self.plan(d), at, self._fillers(d), meters))
            ends = [whole.counts * n // max(whole.rows, 1) for n in (at.rows.start, at.rows.stop)]
            units.append(Unit(d, piece.stretch, len(at.rows), ends[1] - ends[0]))
        return slots.dress(self.config, parts), units

    def _rows(self, day: int) -> int:
        return clean_rows(self.config, "slot_telemetry", day)

    def _fillers(self, day: int) -> int:
        return self._rows(day) - int(self.slots(day).rows.sum())

    def _stretches(self, day: int) -> list[Stretch]:
        """A day's parts; where several days are made together, each is one part."""
        most = slots.STRETCH_ROWS if self.block == 1 else None
        count = self.config.machine_count
        return slots.stretches(self.slots(day), count, self._fillers(day), most)


def _days_at_a_time(config: WorldConfig) -> int:
    """So many that a piece of the largest table has two stretches' rows at the most."""
    most = max(config.total(t) for t in ROWS) // config.days
    return min(max(1, 2 * slots.STRETCH_ROWS // max(most, 1)), MOST_DAYS)


def _blocks(days: range, length: int) -> list[range]:
    return [range(d, min(d + length, days.stop)) for d in range(days.start, days.stop, length)]


def in_order(made: Iterable[Made]) -> Iterator[tuple[str, pl.DataFrame]]:
    """(table, rows) of pieces, the rows that came twice at the end of their days: a day has
    the same order whatever it was made with."""
    copies: list[pl.DataFrame] = []
    for m in made:
        copies.append(m.copies)
        yield m.piece.table, m.rows
        if m.piece.stretch == m.piece.stretches - 1:
            yield m.piece.table, pl.concat(copies)
            copies = []


def _belief(world: World, day: int) -> int:
    return int((world.law.on("ctr", world.config.date(day)).amount or 0) * 100)


def _frames(config: WorldConfig, parts: Sequence[pl.DataFrame]) -> pl.DataFrame:  # noqa: ARG001
    return pl.concat(parts)


_MAKERS: Mapping[
    str, tuple[Callable[[World, int], Any], Callable[[WorldConfig, Any], pl.DataFrame]]
]
_MAKERS = {
    "table_games": (
        lambda w, d: tables.rows_of(w.config, w.plan(d), clean_rows(w.config, "table_games", d)),
        lambda config, parts: tables.dress(config, join(parts)),
    ),
    "financial_txn": (
        lambda w, d: cage.rows_of(
            w.config, w.plan(d), w.cash(d), _belief(w, d), filings.reported_rows(w, d)
        ),
        lambda config, parts: cage.dress(config, join(parts)),
    ),
    "player_profile": (people.rows_of, lambda config, parts: people.dress(config, join(parts))),
    "security_events": (
        security.rows_of,
        lambda config, parts: security.dress(config, join(parts)),
    ),
    "gaming_wins": (truth.gaming_wins, _frames),
    "staff_observations": (truth.staff_observations, _frames),
    "compliance": (
        filings.rows_of,
        lambda config, parts: filings.dress(config, pl.concat(parts)),
    ),
}
"""A day's rows as numbers, and several days' as a frame."""
