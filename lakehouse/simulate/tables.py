"""Table games as rows: ratings, chips, markers, shifts, fills and credits.

Inventory is kept at par: what left a table's tray in a shift comes back as a fill before the
shift ends, so that drop - (opening + fills - credits - closing) is the house's win.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from lakehouse.contracts.tables import EVENT_TYPES, GAMES, SHIFTS, ZONES
from lakehouse.simulate import floor, frames, ids
from lakehouse.simulate.arrays import ordinals, owners
from lakehouse.simulate.clock import stamp
from lakehouse.simulate.config import WorldConfig
from lakehouse.simulate.counter import I64, draw, key
from lakehouse.simulate.plan import DayPlan
from lakehouse.simulate.table_play import TablePlay

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
    shift = floor.shift_of(np.minimum(t.end + 20, length - 1))
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


def table_games(config: WorldConfig, p: DayPlan, rows: int) -> pl.DataFrame:
    """The day's table games, exactly `rows` rows, in order of time."""
    t = p.tables
    rated = rating_rows(t)
    e = _join([rated, _table_rows(config, t, p.length, rows - len(rated.kind))])
    order = np.lexsort((e.kind, e.rating, e.table, e.second))
    e = Rows(*(getattr(e, f)[order] for f in Rows.__dataclass_fields__))
    return _dress(config, p, t, e)


def _dress(config: WorldConfig, p: DayPlan, t: TablePlay, e: Rows) -> pl.DataFrame:
    tables = floor.tables(config.seed, config.table_count)
    game = tables.game[e.table]
    second = np.clip(e.second, 0, p.length - 1)
    rated = e.rating >= 0
    r = np.maximum(e.rating, 0) if len(t) else np.zeros(len(e.rating), dtype=np.int64)
    end = e.kind == TYPE["RATING_END"]
    moves = ~np.isin(e.kind, [TYPE["RATING_START"], TYPE["RATING_END"]])
    slip = np.isin(e.kind, [TYPE["FILL"], TYPE["CREDIT"]])
    marker = np.isin(e.kind, [TYPE["MARKER_ISSUED"], TYPE["MARKER_PAID"]])
    event = p.start + second * 1_000_000 + ordinals(np.array([len(second)])) % 1_000
    n = np.arange(len(e.kind))
    number = tables.number[e.table]
    numbers = ids.numbered("", number, 3)
    minimum = tables.min_bet[e.table]
    column = dict(
        event_id=ids.event_ids(config.seed, "table_games", p.day, n),
        table_id="TBL-" + frames.code(floor.TABLE_CODES, game) + "-" + numbers,
        game_type=frames.code(GAMES, game),
        table_number=frames.count(number),
        zone=frames.code(ZONES, tables.zone[e.table]),
        event_type=frames.code(EVENT_TYPES, e.kind),
        event_timestamp=frames.utc(event),
        dealer_id=ids.dealers(
            floor.dealer_at(config.seed, config.table_count, p.day, e.table, second)
        ),
        shift=frames.code(SHIFTS, floor.shift_of(second)),
        amount=frames.money(e.amount, moves),
        chip_denomination=frames.money(np.where(e.amount >= 100_000, 10_000, 2_500), moves),
        min_bet=frames.money(minimum),
        max_bet=frames.money(minimum * 100),
        drop_amount=frames.money(e.amount, e.kind == TYPE["BUY_IN"]),
        fill_slip_number=frames.gather(ids.event_ids(config.seed, "slip", p.day, n), n, slip),
        **stamp("table_games", config.date(p.day), event),
    )
    if len(t):
        column |= dict(
            player_id=frames.gather(ids.players(t.player), r, rated),
            player_rating_id=frames.gather(rating_ids(config, t), r, rated),
            marker_number=frames.gather(marker_numbers(config, t), r, marker),
            average_bet=frames.money(t.bet[r], end),
            hands_played=frames.count(t.hands[r], end),
            hours_played=frames.hours(t.hours[r], end),
            theoretical_win=frames.money(t.theo[r], end),
            actual_win_loss=frames.money(t.win[r], end),
        )
    return frames.frame("table_games", column)


def rating_ids(config: WorldConfig, t: TablePlay) -> pl.Series:
    return "R" + ids.hexadecimal(draw(key(config.seed, "rating-id"), t.key))


def marker_numbers(config: WorldConfig, t: TablePlay) -> pl.Series:
    return "MK" + ids.hexadecimal(draw(key(config.seed, "marker-id"), t.key))
