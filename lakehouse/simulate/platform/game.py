"""The game: levels and maps, how hard they are in each season, how far each player is, and the
servers. All are pure functions of (seed, account, day): nothing is stored for a player."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below, chance, draw, key, uniform
from lakehouse.simulate.kernel.places import places

LEVELS, VARIANTS, MAPS = 12, 2, 12
"""Each level is played on two of the maps."""
SEASON = 28
"""Days after which everybody is placed anew, and other places are too hard."""
AHEAD = 4
"""A player passes fewer levels than this in a day."""
LEVEL_IDS = tuple(f"level_{k + 1:02d}" for k in range(LEVELS))
MAP_IDS = tuple(f"map_{k + 1:02d}" for k in range(MAPS))
MAP_NAMES = (
    "Harbour", "Citadel", "Wetland", "Foundry", "Glacier", "Bazaar",
    "Catacombs", "Orchard", "Observatory", "Canyon", "Lighthouse", "Arena",
)  # fmt: skip
REGIONS = ("eu-north", "eu-baltic", "us-west", "us-east")
SERVER_TYPES = ("dedicated", "shared")
_NORTH, _BALTIC = ("FI", "SE"), ("EE", "LV", "LT")
GAMERS = 0.6
"""Accounts that play the game at all [assumption]."""
_SLOWEST, _PACES = 40, 111
"""Effort that a player makes in a day of play, at least, and how it varies."""
_EFFORT, _STEEP = 40, 2
"""Effort that a level takes: so much, and so much more for each point of difficulty."""
_STUCK_FAINT, _STUCK_BLATANT = 1_300, 5_000
"""Thousandths of a place's effort where it is a stuck point."""
_CROWD = 0.65
"""Players at a time for each thousand events of an average day."""


def map_of(level: I64, variant: I64) -> I64:
    return (level * 5 + variant * 6 + 4) % MAPS


def season_of(config: WorldConfig, day: int) -> tuple[int, int]:
    """Season of a day, and its days since that began."""
    at = day + key(config.seed, "platform:season") % SEASON
    return at // SEASON, at % SEASON


@functools.lru_cache(maxsize=64)
def difficulty(config: WorldConfig) -> I64:
    """By level and variant, 1 to 100: it rises from level to level; a place in eight is hard on
    purpose."""
    h = _hash(config, "difficulty", np.arange(LEVELS * VARIANTS)).reshape(LEVELS, VARIANTS)
    curve = 5 + 55 * np.arange(LEVELS)[:, None] // (LEVELS - 1)
    return curve + below(h, 10) + np.where(chance(draw(1, h), 1 / 8), 25, 0)


@functools.lru_cache(maxsize=64)
def stuck(config: WorldConfig, season: int) -> dict[tuple[int, int], int]:
    """(level, variant) → thousandths of intensity, of a season's stuck points."""
    h = _hash(config, "stuck", np.arange(LEVELS * VARIANTS), season)
    force = uniform(draw(1, h)) * config.faults.intensity
    found = np.flatnonzero(chance(h, config.faults.stuck_point))
    return {
        (int(k) // VARIANTS, int(k) % VARIANTS): round(1000 * min(1.0, float(force[k])))
        for k in found
    }


@functools.lru_cache(maxsize=64)
def efforts(config: WorldConfig, season: int) -> I64:
    """By level and variant, what it takes to complete it."""
    taken = _EFFORT + _STEEP * difficulty(config)
    for place, permille in stuck(config, season).items():
        times = _STUCK_FAINT + (_STUCK_BLATANT - _STUCK_FAINT) * permille // 1000
        taken[place] = taken[place] * times // 1000
    return taken


@dataclass(frozen=True)
class Standing:
    """How far players are as their day begins, one entry each; effort in thousandths."""

    level: I64
    variants: I64
    """A bit for each level: which of its maps the player is on."""
    pace: I64
    """Effort of the day."""
    ends: I64
    """By player, effort from the day's beginning until each of the next levels is complete."""


def standing(config: WorldConfig, account: I64, day: int) -> Standing:
    season, since = season_of(config, day)
    variants = (_hash(config, "variants", account, season) >> np.uint64(20)).astype(np.int64)
    variants &= (1 << LEVELS) - 1
    until = _untils(config, season)
    whole = until[LEVELS - 1][variants]
    pace = (_SLOWEST + below(_hash(config, "pace", account), _PACES)) * 1000
    placed = below(_hash(config, "placed", account, season), whole)
    at = (placed + pace * since) % whole
    level = np.zeros(len(account), dtype=np.int64)
    for of_level in until[:LEVELS]:
        level += of_level[variants] <= at
    ends = until[level[:, None] + np.arange(AHEAD), variants[:, None]] - at[:, None]
    return Standing(level, variants, pace, ends)


def is_stuck(config: WorldConfig, now: Standing, day: int) -> NDArray[np.bool_]:
    """Which players are at a stuck point of the season."""
    hard = np.zeros((LEVELS, VARIANTS), dtype=bool)
    for place in stuck(config, season_of(config, day)[0]):
        hard[place] = True
    return hard[now.level, now.variants >> now.level & 1]


@functools.lru_cache(maxsize=8)
def _untils(config: WorldConfig, season: int) -> I64:
    """Effort until each level is complete, and each once more, by the maps that are played."""
    maps = np.arange(1 << LEVELS) >> np.arange(LEVELS)[:, None] & 1
    of_level = efforts(config, season)[np.arange(LEVELS)[:, None], maps]
    return np.cumsum(np.concatenate([of_level, of_level]), axis=0) * 1000


def server_count(config: WorldConfig) -> int:
    """One or more of each region."""
    return len(REGIONS) * max(1, round(config.volume / len(REGIONS)))


def region_of(server: I64) -> I64:
    return server % len(REGIONS)


@functools.lru_cache(maxsize=64)
def capacity(config: WorldConfig) -> I64:
    """By server, the players that it is made for: about four times those of an average moment."""
    a_day = config.total("player_events") / max(config.days, 1)
    usual = 4 * _CROWD * a_day / 1000 / server_count(config)
    h = _hash(config, "capacity", np.arange(server_count(config)))
    return np.maximum(4, round(usual) * (80 + below(h, 41)) // 100)


@functools.cache
def _regions_of_places() -> I64:
    where = places()
    west = where["longitude"].to_numpy() < -100
    country = where["country"].to_list()
    named = [0 if c in _NORTH else 1 if c in _BALTIC else -1 for c in country]
    return np.where(np.array(named) >= 0, named, np.where(west, 2, 3))


def server_of(config: WorldConfig, home: I64, h: U64) -> I64:
    """A server of the region that a place is in."""
    of_region = server_count(config) // len(REGIONS)
    return _regions_of_places()[home] + len(REGIONS) * below(h, of_region)


def network_of(config: WorldConfig, account: I64) -> I64:
    """Number of a player's own network; some households share one."""
    home = account // 3
    shared = chance(_hash(config, "household", home), 0.08)
    h = draw(key(config.seed, "account:network"), np.where(shared, -1 - home, account))
    return (h >> np.uint64(32)).astype(np.int64)


def _hash(config: WorldConfig, stream: str, *entities: I64 | int) -> U64:
    return draw(key(config.seed, f"platform:{stream}"), *entities)


def is_gamer(config: WorldConfig, account: I64) -> NDArray[np.bool_]:
    return chance(_hash(config, "gamer", account), GAMERS)
