"""The game's reference tables: maps of levels, and servers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from lakehouse.simulate.kernel import frames
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, below, draw, key, pick
from lakehouse.simulate.kernel.producers import producer
from lakehouse.simulate.kernel.world import World
from lakehouse.simulate.platform import game
from lakehouse.simulate.platform.play import server_ids

OPENING = 60
"""Second of the gaming day at which both are published."""


@dataclass(frozen=True)
class Entries:
    """Entries of a reference table, by number."""

    number: I64
    day: I64
    event: I64

    def __len__(self) -> int:
        return len(self.number)


def _entries(world: World, day: int, count: int) -> Entries:
    event = world.utc(day, np.full(count, OPENING))
    return Entries(np.arange(count), np.full(count, day), event)


def dress_maps(config: WorldConfig, r: Entries) -> pl.DataFrame:
    """Turns numbers into rows of bronze."""
    level, variant = r.number // game.VARIANTS, r.number % game.VARIANTS
    at = game.map_of(level, variant)
    room = draw(key(config.seed, "platform:room"), at)
    return frames.frame(
        "game_maps",
        {
            "level_id": frames.code(game.LEVEL_IDS, level),
            "map_id": frames.code(game.MAP_IDS, at),
            "map_name": frames.code(game.MAP_NAMES, at),
            "difficulty": frames.count(game.difficulty(config)[level, variant]),
            "capacity": frames.count(16 * (1 + below(room, 4))),
            **stamp("game_maps", gaming_days(config.start, r.day), r.event),
        },
    )


@producer("game_maps", dress=dress_maps)
def maps_of(world: World, day: int) -> Entries:
    """Every level on its maps, each day."""
    return _entries(world, day, game.LEVELS * game.VARIANTS)


def dress_servers(config: WorldConfig, r: Entries) -> pl.DataFrame:
    """Turns numbers into rows of bronze."""
    return frames.frame(
        "servers",
        {
            "server_id": server_ids(config, r.number),
            "region": regions(r.number),
            "server_type": types(config, r.number),
            "capacity": frames.count(game.capacity(config)[r.number]),
            **stamp("servers", gaming_days(config.start, r.day), r.event),
        },
    )


@producer("servers", dress=dress_servers)
def servers_of(world: World, day: int) -> Entries:
    """Every server, each day."""
    return _entries(world, day, game.server_count(world.config))


def regions(server: I64) -> pl.Series:
    return frames.code(game.REGIONS, game.region_of(server))


def types(config: WorldConfig, server: I64) -> pl.Series:
    h = draw(key(config.seed, "platform:server-type"), server)
    return frames.code(game.SERVER_TYPES, pick(h, (70, 30)))
