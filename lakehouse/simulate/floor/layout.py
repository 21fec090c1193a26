"""The gaming floor: machines, tables, and the people who work them. Pure functions of index."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from lakehouse.contracts.floor.slots import DENOMINATIONS
from lakehouse.contracts.floor.slots import ZONES as SLOT_ZONES
from lakehouse.contracts.floor.tables import GAMES
from lakehouse.simulate.kernel.counter import I64, below, draw, key, permute, pick

DENOMINATION_CENTS = np.array([int(d * 100) for d in DENOMINATIONS])
# Share of machines by denomination, per mille; after Clark County's unit counts, where
# penny games and multi-denomination games dominate [assumption for the rest].
_DENOMINATION_SHARE = np.array([400, 80, 140, 60, 150, 50, 65, 20, 22, 13])
# Nevada hold by denomination in basis points: 1c (2021), 25c (2022), others 2023; 50c, $1,
# $2 and $10 are assumptions between their neighbours.
HOLD_BP = np.array([985, 536, 806, 750, 700, 640, 511, 507, 503, 609])
BANK_BP = np.array([40, -40])
"""Hold of the two banks of each denomination, against the denomination's."""

MANUFACTURERS = ("Aristocrat", "IGT", "Light & Wonder", "Konami", "Everi", "AGS")
THEMES = (
    "Dragon Gold",
    "Buffalo Run",
    "Lucky Sevens",
    "Desert Moon",
    "Double Jackpot",
    "Jacks or Better",
    "River Queen",
    "Golden Koi",
    "Wild Canyon",
    "Neon Nights",
)

SEATS = 6
# Share of tables by game, per mille, in the order of the contract's games.
_GAME_SHARE = np.array([480, 120, 130, 140, 70, 60])
TABLE_CODES = ("BJ", "CR", "RL", "BA", "PK", "PG")
MIN_BETS = np.array([1500, 1500, 1000, 5000, 1000, 2500])


@dataclass(frozen=True)
class Machines:
    """One entry per machine, sorted by group = denomination x bank."""

    group: I64
    denomination: I64
    hold_bp: I64
    zone: I64
    kind: I64
    maker: I64
    theme: I64
    first: I64
    """First machine of each group; one more entry for the end."""

    def __len__(self) -> int:
        return len(self.group)


def _split(n: int, shares: I64, *, parts: int = 1) -> I64:
    """n things over shares x parts groups, at least one each where n allows it."""
    weights = np.repeat(shares, parts).astype(np.int64)
    floor_one = np.ones(len(weights), dtype=np.int64) if n >= len(weights) else 0 * weights
    rest = n - int(floor_one.sum())
    edges = np.cumsum(weights) * rest // int(weights.sum())
    return floor_one + np.diff(np.concatenate([[0], edges]))


@functools.lru_cache(maxsize=8)
def machines(seed: int, count: int) -> Machines:
    sizes = _split(count, _DENOMINATION_SHARE, parts=2)
    group = np.repeat(np.arange(len(sizes)), sizes)
    denomination = group // 2
    h = draw(key(seed, "machine"), np.arange(count))
    zone = pick(h, (22, 20, 20, 18, 0, 0, 20))
    zone = np.where(denomination >= 6, 5, np.where(denomination >= 8, 4, zone))
    zone = np.where((denomination == 0) & (below(h, 4) == 0), SLOT_ZONES.index("Penny"), zone)
    return Machines(
        group=group,
        denomination=denomination,
        hold_bp=HOLD_BP[denomination] + BANK_BP[group % 2],
        zone=zone,
        kind=pick(draw(key(seed, "machine-kind"), np.arange(count)), (60, 15, 17, 8)),
        maker=below(draw(key(seed, "machine-maker"), np.arange(count)), len(MANUFACTURERS)),
        theme=below(draw(key(seed, "machine-theme"), np.arange(count)), len(THEMES)),
        first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
    )


@dataclass(frozen=True)
class Tables:
    """One entry per table, sorted by group = game x limit (regular, high)."""

    group: I64
    game: I64
    number: I64
    min_bet: I64
    """Cents."""
    zone: I64
    first: I64
    """First table of each group; one more entry for the end."""

    def __len__(self) -> int:
        return len(self.game)


HIGH_LIMIT = 10
"""A high-limit table's minimum, in regular minimums."""


@functools.lru_cache(maxsize=8)
def tables(seed: int, count: int) -> Tables:
    shares = np.stack([_GAME_SHARE * 4, _GAME_SHARE], axis=1).reshape(-1)
    sizes = _split(count, shares)
    group = np.repeat(np.arange(len(sizes)), sizes)
    first = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    game, high = group // 2, group % 2 == 1
    lounge = 1 + below(draw(key(seed, "lounge"), np.arange(count)), 2)
    zone = np.where(high, lounge, 0)
    zone = np.where(game == GAMES.index("Poker"), 3, zone)
    zone = np.where((game == GAMES.index("Pai Gow")) & ~high, 4, zone)
    return Tables(
        group=group,
        game=game,
        number=np.arange(count) - first[group - group % 2] + 1,
        min_bet=MIN_BETS[game] * np.where(high, HIGH_LIMIT, 1),
        zone=zone,
        first=first,
    )


def shift_of(second: I64) -> I64:
    """0 Day (06-14), 1 Swing (14-22), 2 Grave (22-06), by seconds since 06:00."""
    return np.minimum(np.asarray(second) // 28_800, 2)


def dealer_at(seed: int, table_count: int, day: int, table: I64, second: I64) -> I64:
    """Dealer at a table: crews of one dealer a table and shift rotate every hour, so that
    no dealer is at two tables; crews change places from day to day."""
    shift = shift_of(second)
    turn = (table + np.asarray(second) // 3600) % table_count
    return shift * table_count + permute(turn, table_count, key(seed, "crew", day))
