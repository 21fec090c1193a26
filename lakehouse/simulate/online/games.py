"""The games of the online casino: what each pays, how often, and how fast it is played."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import polars as pl

from lakehouse.simulate.kernel import frames
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.counter import I64, U64, below
from lakehouse.simulate.kernel.producers import producer
from lakehouse.simulate.kernel.world import World


@dataclass(frozen=True)
class Game:
    """`pays`: hundredths of the stake that come back, and how often in `out_of` rounds; else
    nothing does. Paces are seconds, least and most."""

    name: str
    plays: int
    """How often it is chosen."""
    lowest: int
    highest: int
    """Stakes, dollars."""
    out_of: int
    pays: tuple[tuple[int, int], ...]
    decides: tuple[int, int]
    """From the stake to the result."""
    returns: tuple[int, int]
    """From the result to the next stake."""

    @property
    def return_to_player(self) -> int:
        """Ten-thousandths of stakes, rounded half up."""
        paid = sum(multiple * often for multiple, often in self.pays) * 100
        return (2 * paid + self.out_of) // (2 * self.out_of)


# House rules [assumptions]. Roulette has one zero: even money, dozens and single numbers in
# five, three and two of ten stakes, each with 36/37 back.
GAMES = (
    Game(
        "blackjack", 18, 5, 2_000, 10_000,
        ((50, 770), (100, 880), (200, 3_780), (250, 450)), (8, 40), (3, 15),
    ),
    Game(
        "poker", 10, 5, 1_000, 10_000,
        ((100, 1_405), (200, 3_000), (300, 400), (500, 120), (900, 35), (2_500, 10)),
        (15, 75), (4, 20),
    ),
    Game(
        "slots", 46, 1, 500, 1_000_000,
        (
            (50, 120_000), (100, 80_000), (200, 60_000), (500, 30_000), (1_000, 15_000),
            (2_500, 6_000), (10_000, 1_200), (20_000, 450), (50_000, 80),
        ),
        (2, 5), (1, 8),
    ),
    Game(
        "roulette", 16, 1, 2_000, 370, ((200, 90), (300, 36), (3_600, 2)), (15, 40), (5, 25),
    ),
    Game(
        "baccarat", 10, 10, 5_000, 10_000,
        ((100, 951), (195, 1_960), (200, 2_450), (900, 23)), (10, 28), (4, 18),
    ),
)  # fmt: skip
NAMES = tuple(g.name for g in GAMES)
SLOTS = NAMES.index("slots")
LIMITS = np.array([(g.lowest, g.highest) for g in GAMES])
DECIDES = np.array([g.decides for g in GAMES]) * 1_000
RETURNS = np.array([g.returns for g in GAMES]) * 1_000
"""Milliseconds."""


@functools.cache
def _edges() -> tuple[tuple[I64, I64], ...]:
    """By game: cumulative frequencies, and what each part pays."""
    found = []
    for g in GAMES:
        often = np.cumsum([n for _, n in g.pays])
        found.append((often, np.array([*(m for m, _ in g.pays), 0])))
    return tuple(found)


def paid(game: I64, h: U64) -> I64:
    """Hundredths of its stake that each round pays."""
    out = np.zeros(len(game), dtype=np.int64)
    for k, (edges, multiples) in enumerate(_edges()):
        at = np.flatnonzero(game == k)
        turn = below(h[at], GAMES[k].out_of)
        out[at] = multiples[np.searchsorted(edges, turn, side="right")]
    return out


@producer("games")
def games(world: World, day: int) -> pl.DataFrame:
    """The games on offer, as the platform lists them when the gaming day opens."""
    n = len(GAMES)
    opens = world.utc(day, np.zeros(n, dtype=np.int64))
    return frames.frame(
        "games",
        {
            "game_name": pl.Series(NAMES),
            "return_to_player": frames.rate(np.array([g.return_to_player for g in GAMES])),
            "lowest_stake": frames.money(LIMITS[:, 0] * 100),
            "highest_stake": frames.money(LIMITS[:, 1] * 100),
            **stamp("games", gaming_days(world.config.start, np.full(n, day)), opens),
        },
    )
