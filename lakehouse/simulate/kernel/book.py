"""The book of players: who comes often, and who never comes."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, key, permute, unpermute

RESERVED_SHARE = 0.04
"""Part of the book that never comes of its own: patrons lost long ago, and the excluded."""


def reserved(config: WorldConfig) -> int:
    """Ranks at the end of the book that never come: at the most half of a small one."""
    wanted = max(20, round(config.player_count * RESERVED_SHARE))
    return min(wanted, config.player_count // 2)


def player_of_rank(config: WorldConfig, rank: I64) -> I64:
    return permute(rank, config.player_count, key(config.seed, "player-rank"))


def rank_of_player(config: WorldConfig, player: I64) -> I64:
    """The inverse of `player_of_rank`; -1 for the anonymous."""
    known = np.maximum(player, 0)
    rank = unpermute(known, config.player_count, key(config.seed, "player-rank"))
    return np.where(player >= 0, rank, -1)


@functools.lru_cache(maxsize=4)
def _last_ranks(seed: int, players: int, first: int) -> I64:
    return np.sort(permute(np.arange(first, players), players, key(seed, "player-rank")))


def always_excluded(config: WorldConfig) -> I64:
    """Sorted players who are on the self-exclusion list from the beginning: the last quarter
    of those who never come, of whom some are let in all the same."""
    first = config.player_count - max(1, reserved(config) // 4)
    return _last_ranks(config.seed, config.player_count, first)


def is_always_excluded(config: WorldConfig, player: I64) -> NDArray[np.bool_]:
    """Who of the given players is among `always_excluded`; not the anonymous, below 0."""
    return _is_excluded(config)[np.maximum(player, -1)]


@functools.lru_cache(maxsize=4)
def _is_excluded(config: WorldConfig) -> NDArray[np.bool_]:
    """By player, and of the anonymous at the end: a byte each is found sooner than in a list."""
    found = np.zeros(config.player_count + 1, dtype=bool)
    found[always_excluded(config)] = True
    return found
