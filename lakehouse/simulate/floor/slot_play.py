"""Slot sessions of a day: machine, stake, outcome. Totals are fixed here, to the cent;
`slots` elaborates them into events."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from lakehouse.simulate.floor import layout, seating
from lakehouse.simulate.floor.sessions import HANDOVER, Sessions
from lakehouse.simulate.floor.visits import WORTH_SIGMA, Visits
from lakehouse.simulate.kernel.arrays import take
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import F64, I64, U64, below, draw, exp, key, normal, uniform

BIG_SHARE_BP = 300
"""Part of coin-in that returns as wins of at least 200 bets, in basis points."""
_ALPHA, _LEAST, _MOST = 1.7, 200.0, 20_000.0
BIG_WIN_MEAN = 466.6
BIG_WIN_RATE = BIG_SHARE_BP / 10_000 / BIG_WIN_MEAN
BASE_VARIANCE = 25.0
"""Variance of one game's base win, in squared bets."""
SEGMENT_SECONDS = 114
MAX_BIG_WINS = 3


@dataclass(frozen=True)
class SlotPlay:
    """One session at a machine per entry. Money in cents."""

    visit: I64
    player: I64
    key: U64
    machine: I64
    start: I64
    end: I64
    denomination: I64
    hold_bp: I64
    bet: I64
    games: I64
    coin_in: I64
    coin_out: I64
    """Won to the credit meter."""
    paid: I64
    """Won and paid by hand: one column for each of up to three hand-pays."""
    segments: I64
    bills: I64
    """How many times bills go in, in the plan."""
    stuffed: I64
    """Cents of bills put in beyond need."""
    scenario: I64

    def __len__(self) -> int:
        return len(self.visit)

    @property
    def rows(self) -> I64:
        return self.segments + self.bills + self.handpays + 1

    @property
    def handpays(self) -> I64:
        return (self.paid > 0).sum(axis=1)

    @property
    def jackpot(self) -> I64:
        return self.paid.sum(axis=1)

    @property
    def theo_micro(self) -> I64:
        """Theoretical win in millionths of a dollar."""
        return self.coin_in * self.hold_bp


@dataclass(frozen=True)
class Payouts:
    """What a day's machines pay beside their games; one entry a machine."""

    drift_bp: I64
    """Basis points of coin-in paid out in excess."""
    turned: F64
    """Share of sessions whose luck, if it is against the run, turns."""
    run: I64
    """1: the run is the patrons', -1: the house's."""

    def luck(self, seed: int, machine: I64, keys: U64, z: F64) -> F64:
        """Normal scores of sessions' luck, in a run turned to its side: each one as likely as
        its opposite, so that a run differs from other play by its length alone."""
        turns = uniform(draw(key(seed, "turned"), keys)) < self.turned[machine]
        return np.where(turns, np.abs(z) * self.run[machine], z)


# Upper bound of a bet, in cents, by denomination played; bets below the first edge are penny
# games. Log-spaced so that the mix follows the floor.
_BET_EDGES = np.array([math.log(e) for e in (90, 120, 200, 300, 500, 900, 2500, 4500, 13000)])
_MAX_CREDITS = np.array([500, 250, 100, 60, 60, 40, 30, 20, 12, 10])


def _stakes(seed: int, s: Sessions) -> tuple[I64, I64]:
    """Denomination and bet (cents) of each session."""
    log_bet = math.log(80) + 0.95 * WORTH_SIGMA * s.z + 0.3 * normal(draw(key(seed, "bet"), s.key))
    near = log_bet + 0.35 * normal(draw(key(seed, "denomination"), s.key))
    denomination = np.searchsorted(_BET_EDGES, near).astype(np.int64)
    cents = layout.DENOMINATION_CENTS[denomination]
    credits = np.rint(exp(np.minimum(log_bet, 14.0).astype(np.float64)) / cents).astype(np.int64)
    return denomination, np.clip(credits, 1, _MAX_CREDITS[denomination]) * cents


@functools.cache
def _big_win_quantiles() -> F64:
    """Win in bets at 65,536 quantiles of the truncated Pareto."""
    reach = 1 - (_LEAST / _MOST) ** _ALPHA
    return np.array(
        [_LEAST * (1 - (k + 0.5) / 65_536 * reach) ** (-1 / _ALPHA) for k in range(65_536)]
    )


def _whole(x: F64, unit: I64, h: U64) -> I64:
    """Stochastic rounding to whole units: unbiased."""
    return np.floor(x / unit + uniform(h)).astype(np.int64) * unit


def _big_wins(seed: int, keys: U64, games: I64, bet: I64, unit: I64, limit: int) -> tuple[I64, I64]:
    """(credited, hand-paid) cents. A win at or over `limit` locks the machine up."""
    mean = games * BIG_WIN_RATE
    u = uniform(draw(key(seed, "big-count"), keys))
    none = exp(-mean)
    thresholds = [none, none * (1 + mean), none * (1 + mean + mean * mean / 2)]
    number = np.sum([u >= t for t in thresholds], axis=0)
    credited = np.zeros(len(keys), np.int64)
    paid = np.zeros((len(keys), MAX_BIG_WINS), np.int64)
    for k in range(MAX_BIG_WINS):
        at = np.flatnonzero(number > k)
        h = draw(key(seed, "big-size"), keys[at], k)
        size = _big_win_quantiles()[(h >> np.uint64(48)).astype(np.int64)] * bet[at]
        win = _whole(size, unit[at], draw(key(seed, "big-round"), keys[at], k))
        by_hand = win >= limit
        paid[at, k] = np.where(by_hand, win, 0)
        credited[at] += np.where(by_hand, 0, win)
    return credited, paid


def slot_play(
    config: WorldConfig,
    day: int,
    v: Visits,
    s: Sessions,
    handpay_cents: int,
    day_end: int,
    payouts: Payouts | None = None,
) -> SlotPlay:
    """Slot sessions that found a machine, sorted by machine and start."""
    s = take(s, ~s.is_table)
    seed = config.seed
    machines = layout.machines(seed, config.machine_count)
    denomination, bet = _stakes(seed, s)
    group = denomination * 2 + (draw(key(seed, "bank"), s.key) & np.uint64(1)).astype(np.int64)
    capacity = np.diff(machines.first)
    padded = np.minimum(s.end + HANDOVER, day_end)
    room = seating.fits(group, s.start, padded, capacity)
    s, group, denomination, bet = take(s, room), group[room], denomination[room], bet[room]
    unit = seating.assign(group, s.start, padded[room], capacity)
    turn = below(draw(key(seed, "rotate", day), group), capacity[group])
    machine = machines.first[group] + (unit + turn) % capacity[group]
    play = _outcome(config, v, s, machine, denomination, group, bet, handpay_cents, payouts)
    return take(play, np.lexsort((play.start, play.machine)))


def _outcome(
    config: WorldConfig,
    v: Visits,
    s: Sessions,
    machine: I64,
    denomination: I64,
    group: I64,
    bet: I64,
    handpay_cents: int,
    payouts: Payouts | None,
) -> SlotPlay:
    seed, minutes = config.seed, s.end - s.start
    speed = 420 + below(draw(key(seed, "speed"), s.key), 240)
    games = np.maximum(minutes * speed // 3600, 4)
    coin_in = games * bet
    hold_bp = layout.HOLD_BP[denomination] + layout.BANK_BP[group % 2]
    unit = layout.DENOMINATION_CENTS[denomination]
    sigma2 = _log1p_table(games)
    z = normal(draw(key(seed, "luck"), s.key))
    back_bp = 10_000 - hold_bp - BIG_SHARE_BP
    if payouts is not None:
        z = payouts.luck(seed, machine, s.key, z)
        back_bp = back_bp + payouts.drift_bp[machine]
    luck = exp(np.sqrt(sigma2) * z - sigma2 / 2)
    mean = coin_in * back_bp / 10_000
    base = _whole(mean * luck, unit, draw(key(seed, "base-round"), s.key))
    credited, paid = _big_wins(seed, s.key, games, bet, unit, handpay_cents)
    segments = np.clip(minutes // SEGMENT_SECONDS, 1, np.maximum(games // 4, 1))
    bills = np.minimum(1 + below(draw(key(seed, "bills"), s.key), 4), segments)
    return SlotPlay(
        visit=s.visit,
        player=v.player[s.visit],
        key=s.key,
        machine=machine,
        start=s.start,
        end=s.end,
        denomination=denomination,
        hold_bp=hold_bp,
        bet=bet,
        games=games,
        coin_in=coin_in,
        coin_out=base + credited,
        paid=paid,
        segments=segments,
        bills=bills,
        stuffed=s.stuffed,
        scenario=v.scenario[s.visit],
    )


@functools.cache
def _log1p_values() -> F64:
    return np.array([0.0] + [math.log1p(BASE_VARIANCE / g) for g in range(1, 8_192)])


def _log1p_table(games: I64) -> F64:
    """Variance of the log of a session's base win: ln(1 + 25 / games)."""
    return _log1p_values()[np.minimum(games, 8_191)]
