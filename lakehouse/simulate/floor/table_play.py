"""Table sessions of a day: seat, average bet, result, chips. Money in cents, chips of $5."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lakehouse.contracts.floor.tables import GAMES
from lakehouse.regulation.games import rates
from lakehouse.simulate.floor import layout, seating
from lakehouse.simulate.floor.sessions import HANDOVER, Sessions
from lakehouse.simulate.floor.visits import WORTH_SIGMA, Visits
from lakehouse.simulate.kernel.arrays import join, take
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import (
    F64,
    I64,
    U64,
    below,
    draw,
    exp,
    key,
    normal,
    pick,
    uniform,
)

CHIP = 500
MOST_BUYS = 5
CREDIT_LINE_Z = 1.0
"""Spending level from which a carded player may have a credit line."""
KEEPS, MOST_KEPT = 0.12, 150_000
"""Visits whose chips go home in a pocket, where they are worth no more than so many cents
[assumptions]."""
NEVER = 999
"""Marker that is not paid."""
_GAME_WEIGHTS = (45, 15, 14, 13, 7, 6)


@dataclass(frozen=True)
class TablePlay:
    """Ratings of a day, one an entry of each array; money in cents."""

    visit: I64
    player: I64
    key: U64
    table: I64
    group: I64
    start: I64
    end: I64
    bet: I64
    hours: I64
    """Hundredths of an hour."""
    hands: I64
    theo: I64
    win: I64
    """The house's."""
    buys: I64
    """How many times chips were bought."""
    first_buy: I64
    more_buy: I64
    """Each further purchase."""
    by_cheque: I64
    """1: the chips are redeemed for a cheque."""
    marker: I64
    """Drawn as chips instead of the first purchase; 0: none."""
    paid_after: I64
    """Days until the marker is paid; 0: at the table, in chips."""
    walks: I64
    """1: the chips leave the property, or are redeemed by somebody else."""
    scenario: I64

    def __len__(self) -> int:
        return len(self.visit)

    @property
    def buy_in(self) -> I64:
        """Chips that the patron received, bought or drawn on a marker, in cents."""
        return self.first_buy + (self.buys - 1) * self.more_buy

    @property
    def repaid(self) -> I64:
        """What the patron paid back of a marker at the table, in cents."""
        return np.where(self.paid_after == 0, self.marker, 0)

    @property
    def cash_out(self) -> I64:
        """Chips that the patron took from the table, in cents."""
        return self.buy_in - self.win - self.repaid

    @property
    def keeps(self) -> NDArray[np.bool_]:
        """Whether the chips are kept by habit, by a patron with nothing to hide."""
        return (self.walks > 0) & (self.scenario < 0)

    @property
    def rows(self) -> I64:
        return self.buys + 2 + (self.cash_out > 0) + (self.repaid > 0)

    @property
    def theo_micro(self) -> I64:
        return self.theo * 10_000


@dataclass(frozen=True)
class Rates:
    """Decisions per hour, edge in ten-thousandths and deviation in bets, by game."""

    decisions: I64
    edge_e4: I64
    deviation: F64


def game_rates(date: dt.date) -> Rates:
    periods = [dict(rates().on(f"table.{g}", date).params or {}) for g in GAMES]
    return Rates(
        decisions=np.array([int(p["decisions_per_hour"]) for p in periods]),
        edge_e4=np.array([round(float(p["edge"]) * 10_000) for p in periods]),
        deviation=np.array([float(p["deviation"]) for p in periods]),
    )


def theo_cents(bet: I64, hours: I64, decisions: I64, edge_e4: I64) -> I64:
    """Average bet x decisions per hour x hours x edge, half a cent rounded up."""
    scale = 1_000_000
    return (2 * bet * decisions * hours * edge_e4 + scale) // (2 * scale)


def table_play(
    config: WorldConfig, day: int, v: Visits, s: Sessions, planted: TablePlay | None, day_end: int
) -> TablePlay:
    """Ratings that found a seat, sorted by table and start."""
    play = rated(config, day, v, take(s, s.is_table))
    if planted is not None:
        play = join([planted, play])
    tables = layout.tables(config.seed, config.table_count)
    capacity = np.diff(tables.first) * layout.SEATS
    until = np.minimum(play.end + HANDOVER, day_end)
    room = seating.fits(play.group, play.start, until, capacity)
    play, until = take(play, room), until[room]
    unit = seating.assign(play.group, play.start, until, capacity)
    seats = capacity[play.group]
    unit = (unit + below(draw(key(config.seed, "seat", day), play.group), seats)) % seats
    table = tables.first[play.group] + unit // layout.SEATS
    play = take(play, np.arange(len(play)))
    play.table[:] = table
    return take(play, np.lexsort((play.key, play.start, play.table)))


def game_of(seed: int, keys: U64) -> I64:
    """Position among the games of what sessions play."""
    return pick(draw(key(seed, "game"), keys), _GAME_WEIGHTS)


def rated(config: WorldConfig, day: int, v: Visits, s: Sessions) -> TablePlay:
    """Sessions at tables as they are rated, before they have a seat."""
    seed = config.seed
    game = game_of(seed, s.key)
    minimum = layout.MIN_BETS[game]
    log_bet = math.log(1_800) + 0.85 * WORTH_SIGMA * s.z
    wish = exp(np.minimum(log_bet + 0.3 * normal(draw(key(seed, "table-bet"), s.key)), 15.0))
    high = wish >= layout.HIGH_LIMIT * minimum
    least = np.where(high, layout.HIGH_LIMIT, 1) * minimum
    bet = np.clip(np.rint(wish / CHIP).astype(np.int64) * CHIP, least, 100 * least)
    r = game_rates(config.date(day))
    hours = (s.end - s.start) // 36
    decisions = r.decisions[game] * hours / 100
    z = normal(draw(key(seed, "table-luck"), s.key))
    mean = decisions * r.edge_e4[game] / 10_000
    result = bet * (mean + np.sqrt(decisions) * r.deviation[game] * z)
    win = np.floor(result / CHIP + uniform(draw(key(seed, "chips"), s.key))).astype(np.int64) * CHIP
    bets = 2 + below(draw(key(seed, "buy-in"), s.key), 4)
    first = -(-bet * bets // 2_000) * 2_000
    planned = pick(draw(key(seed, "buys"), s.key), (30, 40, 30))
    short = np.maximum(win - first, planned * first)
    again = np.minimum(-(-short // first), MOST_BUYS - 1)
    more = np.where(again > 0, -(-short // np.maximum(again, 1) // CHIP) * CHIP, 0)
    marker = _marker(seed, v.player[s.visit], s, first)
    cash_out = first + again * more - win
    return TablePlay(
        visit=s.visit,
        player=v.player[s.visit],
        key=s.key,
        table=np.zeros(len(s.visit), dtype=np.int64),
        group=game * 2 + high,
        start=s.start,
        end=s.end,
        bet=bet,
        hours=hours,
        hands=r.decisions[game] * hours // 100,
        theo=theo_cents(bet, hours, r.decisions[game], r.edge_e4[game]),
        win=win,
        buys=1 + again,
        first_buy=first,
        more_buy=more,
        by_cheque=_by_cheque(seed, s.key, cash_out),
        marker=marker,
        paid_after=_paid_after(seed, s.key, marker, cash_out),
        walks=_kept(config, v, s, np.where(marker > 0, 0, cash_out)),
        scenario=v.scenario[s.visit],
    )


def _kept(config: WorldConfig, v: Visits, s: Sessions, chips: I64) -> I64:
    """1: the patron, who is known and owes no marker, goes home with the chips of his visit. It is
    so where others walk off with theirs: they would stand out whatever they did."""
    if config.faults.chip_walking * config.faults.misconduct <= 0:
        return np.zeros(len(chips), dtype=np.int64)
    habit = uniform(draw(key(config.seed, "keeps-chips"), v.key[s.visit])) < KEEPS
    small = (chips > 0) & (chips <= MOST_KEPT)
    ordinary = (v.player[s.visit] >= 0) & (v.scenario[s.visit] < 0)
    return (habit & small & ordinary).astype(np.int64)


def _marker(seed: int, player: I64, s: Sessions, first: I64) -> I64:
    line = (player >= 0) & (s.z > CREDIT_LINE_Z)
    line &= uniform(draw(key(seed, "credit-line"), player)) < 0.35
    drawn = uniform(draw(key(seed, "draws-marker"), s.key)) < 0.6
    return np.where(line & drawn, first, 0)


def _paid_after(seed: int, keys: U64, marker: I64, cash_out: I64) -> I64:
    """0: at the table; else 1 to 14 days later; one in twenty-five stays open."""
    h = draw(key(seed, "repays"), keys)
    now = (cash_out >= marker) & (uniform(h) < 0.6)
    later = np.where(uniform(h) > 0.96, NEVER, 1 + below(mixed(h), 14))
    return np.where(marker == 0, NEVER, np.where(now, 0, later))


def _by_cheque(seed: int, keys: U64, cash_out: I64) -> I64:
    """Half of those who take out more than $20,000 prefer a cheque."""
    wants = (draw(key(seed, "cheque"), keys) & np.uint64(1)).astype(np.int64)
    return np.where(cash_out > 2_000_000, wants, 0)


def mixed(h: U64) -> U64:
    """A second draw from the same hash."""
    return draw(0, h)
