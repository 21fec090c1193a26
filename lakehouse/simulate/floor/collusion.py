"""A dealer and his player: who sits with whom, what he wins, and the rota that brings them
together. A regular who likes a dealer, and wins for a while, is the honest look-alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lakehouse.contracts.floor.tables import GAMES
from lakehouse.simulate.faults.house_cases import SCENARIOS, Case, meeting
from lakehouse.simulate.floor import layout
from lakehouse.simulate.floor.sessions import Sessions
from lakehouse.simulate.floor.table_play import CHIP, TablePlay, game_of, game_rates, rated
from lakehouse.simulate.floor.visits import WORTH_SIGMA, Visits, worth_z
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, draw, exp, key, uniform

_HOUR = 3_600
_GAMES = [GAMES.index(g) for g in ("Blackjack", "Baccarat", "Pai Gow")]
_TRIES = 12
_LEAST_Z, _MOST_Z = -0.5, 0.9
"""Spending level: enough to be rated, and below a credit line."""


@dataclass(frozen=True)
class Meeting:
    """The hour in which a player sits with his dealer."""

    case: Case
    player: int
    start: int
    end: int

    @property
    def number(self) -> int:
        return SCENARIOS + self.case.number


@dataclass(frozen=True)
class Meetings:
    """A day's meetings, with the visits and ratings that they are part of."""

    each: list[Meeting]
    visits: Visits
    ratings: TablePlay


def meetings(
    config: WorldConfig, day: int, first_visit: int, length: int, left_out: frozenset[int]
) -> Meetings:
    """Visits are numbered from `first_visit`."""
    asked = [_meeting(config, c, who, day) for who, c in meeting(config, day).items()]
    each = [m for m in asked if m.number not in left_out]
    v = _visits(config, each)
    play = rated(config, day, v, _sessions(config, day, each, v, length))
    play = _with_results(config, day, each, play)
    play.visit[:] += first_visit
    return Meetings(each, v, play)


def _meeting(config: WorldConfig, c: Case, player: int, day: int) -> Meeting:
    """Within one hour of the rota, on the dealer's shift."""
    shift = c.entity // config.table_count
    hour = shift * 8 + int(c.luck("hour", day) * 6)
    start = hour * _HOUR + 120 + 36 * int(c.luck("minute", day) * 10)
    minutes = 60 + int(c.luck("minutes", day) * 20)
    return Meeting(c, player, start, start + 36 * minutes)


def _visits(config: WorldConfig, each: Sequence[Meeting]) -> Visits:
    player = np.array([m.player for m in each], dtype=np.int64)
    number = np.array([m.number for m in each], dtype=np.int64)
    start = np.array([max(m.start - 300, 0) for m in each], dtype=np.int64)
    z = np.clip(worth_z(config, player), _LEAST_Z, _MOST_Z)
    keys = draw(key(config.seed, "meeting-visit"), player, start, number)
    return Visits(player, keys, start, exp(WORTH_SIGMA * z), z, number)


def _sessions(
    config: WorldConfig, day: int, each: Sequence[Meeting], v: Visits, length: int
) -> Sessions:
    """The meetings, and on many days an hour at another table after them."""
    n = len(each)
    number = np.array([m.number for m in each], dtype=np.int64)
    met = _keys(config, day, number)
    start = np.array([m.start for m in each], dtype=np.int64)
    end = np.array([m.end for m in each], dtype=np.int64)
    h = draw(key(config.seed, "plays-on", day), number)
    later = end + 900 + 36 * (h % np.uint64(50)).astype(np.int64)
    until = later + 36 * (50 + (h % np.uint64(97)).astype(np.int64))
    on = np.flatnonzero((uniform(h) < 0.7) & (until < length - 600))
    visit = np.concatenate([np.arange(n), on])
    return Sessions(
        visit=visit,
        key=np.concatenate([met, draw(key(config.seed, "plays-on-key"), met[on])]),
        start=np.concatenate([start, later[on]]),
        end=np.concatenate([end, until[on]]),
        is_table=np.ones(len(visit), dtype=bool),
        z=v.z[visit],
        stuffed=np.zeros(len(visit), dtype=np.int64),
    )


def _keys(config: WorldConfig, day: int, number: I64) -> U64:
    """Of each meeting the first of some keys under which a game against the house is played."""
    each = np.repeat(number, _TRIES)
    tries = np.tile(np.arange(_TRIES), len(number))
    found = draw(key(config.seed, "meeting", day), each, tries)
    fits = np.isin(game_of(config.seed, found), _GAMES).reshape(len(number), _TRIES)
    return found.reshape(len(number), _TRIES)[np.arange(len(number)), fits.argmax(axis=1)]


def _with_results(
    config: WorldConfig, day: int, each: Sequence[Meeting], play: TablePlay
) -> TablePlay:
    """What the dealer gives away is a share of each bet; what a look-alike wins is luck, as
    likely as the loss that it replaces."""
    n = len(each)
    force = np.array([m.case.intensity for m in each])
    like = np.array([m.case.is_look_alike for m in each], dtype=bool)
    given = np.where(like, 0.0, 0.02 + 0.33 * force)
    bet, hands, win = play.bet[:n], play.hands[:n], play.win[:n]
    edge = game_rates(config.date(day)).edge_e4[play.group[:n] // 2] / 10_000
    lucky = like & (uniform(draw(key(config.seed, "lucky"), play.key[:n])) < 0.7 * force)
    mirrored = _chips(2 * bet * hands * edge) - win
    win = np.where(lucky & (win > mirrored), mirrored, win) - _chips(bet * hands * given)
    play.win[:n] = win
    return play


def _chips(cents: NDArray[Any]) -> I64:
    return np.rint(cents / CHIP).astype(np.int64) * CHIP


def rota_of(config: WorldConfig, day: int, m: Meetings, t: TablePlay) -> tuple[I64, set[int]]:
    """(who deals where a dealer of the usual rota would, numbers of cases for which there is no
    way): for each meeting its dealer and whoever stands at the player's table change places for
    the day."""
    dealers = np.arange(3 * config.table_count)
    fixed: set[int] = set()
    lost: set[int] = set()
    for one in m.each:
        at = np.flatnonzero((t.scenario == one.number) & (t.start == one.start))
        if not len(at):
            continue
        here = _usual(config, day, int(t.table[at[0]]), one.start)
        there = int(np.flatnonzero(dealers == one.case.entity)[0])
        if here != there and {here, there} & fixed:
            lost.add(one.number)
            continue
        dealers[[here, there]] = dealers[[there, here]]
        fixed.add(here)
    return dealers, lost


def _usual(config: WorldConfig, day: int, table: int, second: int) -> int:
    at, when = np.array([table]), np.array([second])
    return int(layout.dealer_at(config.seed, config.table_count, day, at, when)[0])
