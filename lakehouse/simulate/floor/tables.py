"""Table games as rows: ratings, chips, markers, shifts, fills and credits.

Inventory is kept at par: what left a table's tray in a shift comes back as a fill before the
shift ends, so that drop - (opening + fills - credits - closing) is the house's win.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.contracts.floor.tables import EVENT_TYPES, GAMES, SHIFTS, ZONES
from lakehouse.simulate.floor import layout
from lakehouse.simulate.floor.plan import clean_rows, day_plan
from lakehouse.simulate.floor.table_play import TablePlay
from lakehouse.simulate.kernel import frames, ids
from lakehouse.simulate.kernel.arrays import ordinals, owners
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, draw, key
from lakehouse.simulate.kernel.producers import producer
from lakehouse.simulate.kernel.world import World

TYPE = {name: index for index, name in enumerate(EVENT_TYPES)}
PAR_CENTS = 20_000_000
"""Chips in a tray at the start of a shift."""
SHIFT_SECONDS = 28_800


@dataclass(frozen=True)
class Rows:
    kind: I64
    table: I64
    second: I64
    amount: I64
    rating: I64
    """Position in the day's ratings, or -1."""


def _rows(kind: str, table: I64, second: I64, amount: I64, rating: I64) -> Rows:
    return Rows(np.full(len(table), TYPE[kind]), table, second, amount, rating)


def _join(parts: list[Rows]) -> Rows:
    return Rows(
        *(np.concatenate([getattr(p, f) for p in parts]) for f in Rows.__dataclass_fields__)
    )


def buy_times(t: TablePlay) -> tuple[I64, I64, I64]:
    """(rating, second, cents) of each purchase or draw of chips, in order of rating and time."""
    of, place = owners(t.buys), ordinals(t.buys)
    second = t.start[of] + (t.end - t.start)[of] * place // t.buys[of]
    return of, second, np.where(place == 0, t.first_buy[of], t.more_buy[of])


def rating_rows(t: TablePlay) -> Rows:
    of, second, cents = buy_times(t)
    first = np.concatenate([[True], of[1:] != of[:-1]]) if len(of) else np.zeros(0, dtype=bool)
    drawn = first & (t.marker[of] > 0)
    every = np.arange(len(t))
    paid, leaves = np.flatnonzero(t.repaid > 0), np.flatnonzero(t.cash_out > 0)
    zero = np.zeros(len(t), dtype=np.int64)
    bought = _rows("BUY_IN", t.table[of], second, cents, of)
    bought.kind[drawn] = TYPE["MARKER_ISSUED"]
    return _join(
        [
            bought,
            _rows("RATING_START", t.table, t.start, zero, every),
            _rows("RATING_END", t.table, t.end, zero, every),
            _rows("MARKER_PAID", t.table[paid], t.end[paid] + 10, t.repaid[paid], paid),
            _rows("CASH_OUT", t.table[leaves], t.end[leaves] + 20, t.cash_out[leaves], leaves),
        ]
    )


def _table_rows(config: WorldConfig, t: TablePlay, length: int, room: int) -> Rows:
    """Rows of the tables themselves: first the fills that the play calls for, then shifts,
    then pairs of fill and credit; exactly `room` of them."""
    n = config.table_count
    shift = layout.shift_of(np.minimum(t.end + 20, length - 1))
    gone = np.zeros(3 * n, dtype=np.int64)
    np.add.at(gone, t.table * 3 + shift, t.cash_out)
    needs = np.flatnonzero(gone)
    ends = np.array([SHIFT_SECONDS, 2 * SHIFT_SECONDS, length])
    nobody = np.full(len(needs), -1)
    fills = _rows("FILL", needs // 3, ends[needs % 3] - 120, gone[needs], nobody)
    each = np.arange(3 * n)
    par, alone = np.full(3 * n, PAR_CENTS), np.full(3 * n, -1)
    opening = _rows("SHIFT_START", each // 3, each % 3 * SHIFT_SECONDS, par, alone)
    closing = _rows("SHIFT_END", each // 3, ends[each % 3] - 1, par, alone)
    parts = [fills, opening, closing]
    spare = max(0, room - sum(len(p.kind) for p in parts))
    k = np.arange(spare)
    at = (k // 2 * 2_654_435_761) % (length - 1_200) + k % 2 * 600
    pairs = _rows("FILL", (k // 2) % n, at, 50_000 + (k // 2 % 40) * 5_000, np.full(spare, -1))
    pairs.kind[:] = np.where(k % 2 == 0, TYPE["FILL"], TYPE["CREDIT"])
    if spare % 2:
        pairs.kind[-1], pairs.amount[-1] = TYPE["SHIFT_START"], PAR_CENTS
        pairs.second[-1] = 0
    every = _join([*parts, pairs])
    return Rows(*(getattr(every, f)[:room] for f in Rows.__dataclass_fields__))


@dataclass(frozen=True)
class TableRows:
    """Table games as numbers, in order of day and time; exactly a day's rows. Money in cents."""

    day: I64
    ordinal: I64
    kind: I64
    table: I64
    event: I64
    """Microseconds since the epoch."""
    shift: I64
    dealer: I64
    amount: I64
    rated: NDArray[np.bool_]
    """Whether the row belongs to a rating; the columns below hold only then."""
    player: I64
    key: U64
    bet: I64
    hands: I64
    hours: I64
    theo: I64
    win: I64

    def __len__(self) -> int:
        return len(self.kind)


def dress(config: WorldConfig, r: TableRows) -> pl.DataFrame:
    """Turns the numbers of a stretch into rows of bronze."""
    tables, seed = layout.tables(config.seed, config.table_count), config.seed
    game, number, minimum = (c[r.table] for c in (tables.game, tables.number, tables.min_bet))
    end = r.kind == TYPE["RATING_END"]
    moves = ~(end | (r.kind == TYPE["RATING_START"]))
    slip = (r.kind == TYPE["FILL"]) | (r.kind == TYPE["CREDIT"])
    marker = (r.kind == TYPE["MARKER_ISSUED"]) | (r.kind == TYPE["MARKER_PAID"])
    return frames.frame(
        "table_games",
        dict(
            event_id=ids.event_ids(seed, "table_games", r.day, r.ordinal),
            table_id="TBL-"
            + frames.code(layout.TABLE_CODES, game)
            + "-"
            + ids.numbered("", number, 3),
            game_type=frames.code(GAMES, game),
            table_number=frames.count(number),
            zone=frames.code(ZONES, tables.zone[r.table]),
            event_type=frames.code(EVENT_TYPES, r.kind),
            event_timestamp=frames.utc(r.event),
            dealer_id=ids.dealers(r.dealer),
            shift=frames.code(SHIFTS, r.shift),
            amount=frames.money(r.amount, moves),
            chip_denomination=frames.money(np.where(r.amount >= 100_000, 10_000, 2_500), moves),
            min_bet=frames.money(minimum),
            max_bet=frames.money(minimum * 100),
            drop_amount=frames.money(r.amount, r.kind == TYPE["BUY_IN"]),
            fill_slip_number=frames.only(ids.event_ids(seed, "slip", r.day, r.ordinal), slip),
            player_id=ids.players(np.where(r.rated, r.player, -1)),
            player_rating_id=frames.only(rating_ids(seed, r.key), r.rated),
            marker_number=frames.only(marker_numbers(seed, r.key), marker),
            average_bet=frames.money(r.bet, end),
            hands_played=frames.count(r.hands, end),
            hours_played=frames.hours(r.hours, end),
            theoretical_win=frames.money(r.theo, end),
            actual_win_loss=frames.money(r.win, end),
            **stamp("table_games", gaming_days(config.start, r.day), r.event),
        ),
    )


@producer("table_games", dress=dress, clashing="dealer_id")
def rows_of(world: World, day: int) -> TableRows:
    """A day's table games, exactly its quota of rows, less those that defects will add."""
    config, p = world.config, day_plan(world, day)
    t, rows = p.tables, clean_rows(config, "table_games", day)
    whole = rating_rows(t)
    e = _join([whole, _table_rows(config, t, p.length, rows - len(whole.kind))])
    order = np.lexsort((e.kind, e.rating, e.table, e.second))
    kind, table, rating, amount = (c[order] for c in (e.kind, e.table, e.rating, e.amount))
    second = np.clip(e.second[order], 0, p.length - 1)
    n = np.arange(len(kind))
    rated = rating >= 0

    def of(column: NDArray[Any]) -> NDArray[Any]:
        return np.where(rated, column[rating], 0) if len(t) else np.zeros(len(n), column.dtype)

    return TableRows(
        day=np.full(len(n), p.day),
        ordinal=n,
        kind=kind,
        table=table,
        event=p.start + second * 1_000_000 + n % 1_000,
        shift=layout.shift_of(second),
        dealer=p.rota[layout.dealer_at(config.seed, config.table_count, p.day, table, second)],
        amount=amount,
        rated=rated,
        player=of(t.player),
        key=of(t.key),
        bet=of(t.bet),
        hands=of(t.hands),
        hours=of(t.hours),
        theo=of(t.theo),
        win=of(t.win),
    )


def rating_ids(seed: int, keys: U64) -> pl.Series:
    return ids.hexadecimal(draw(key(seed, "rating-id"), keys), "R")


def marker_numbers(seed: int, keys: U64) -> pl.Series:
    return ids.hexadecimal(draw(key(seed, "marker-id"), keys), "MK")
