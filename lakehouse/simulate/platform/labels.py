"""What was planted on the game platform, as truth/plants tells it."""

from __future__ import annotations

import numpy as np
import polars as pl

from lakehouse.simulate.kernel import accounts
from lakehouse.simulate.kernel.arrays import wide
from lakehouse.simulate.kernel.counter import I64
from lakehouse.simulate.kernel.plants import nothing, planted
from lakehouse.simulate.kernel.producers import label
from lakehouse.simulate.kernel.world import World
from lakehouse.simulate.platform import game
from lakehouse.simulate.platform.cases import CRASH, Case
from lakehouse.simulate.platform.play import server_ids
from lakehouse.simulate.platform.sessions import ring_members, sessions_on, troubles

STUCK = "stuck_point"
_STEEPER = 16
"""Points of difficulty by which one map of a level is harder than the other on purpose."""


@label("purchases")
def purchase_rings(world: World, day: int) -> pl.DataFrame:
    """One plant per ring and member who buys on the day; of guests of one café, look-alikes."""
    found = [
        _plants(world, day, c, accounts.account_ids(who), "account", "purchases")
        for c, who in ring_members(world.config, day)
    ]
    return pl.concat([nothing(), *found])


@label("player_events")
def crashes_and_outages(world: World, day: int) -> pl.DataFrame:
    """One plant per map that crashed or server that failed while somebody was there."""
    s = wide(sessions_on(world, day))
    hit = set(s.case.tolist())
    found = [_trouble(world, day, c) for n, c in enumerate(troubles(world.config, day)) if n in hit]
    return pl.concat([nothing(), *found])


def _trouble(world: World, day: int, c: Case) -> pl.DataFrame:
    at = np.array([c.entity])
    if c.kind == CRASH:
        return _plants(world, day, c, pl.Series([game.MAP_IDS[c.entity]]), "map", "player_events")
    return _plants(world, day, c, server_ids(world.config, at), "server", "server_metrics")


@label("player_events")
def stuck_points(world: World, day: int) -> pl.DataFrame:
    """One plant per stuck point of the season; of places that are hard on purpose, look-alikes."""
    config = world.config
    season, since = game.season_of(config, day)
    hard = game.stuck(config, season)
    if not config.faults.stuck_point:
        return nothing()
    curve = game.difficulty(config)
    steep = {
        (level, v): 500
        for level, v in np.argwhere(curve - curve.min(axis=1, keepdims=True) >= _STEEPER).tolist()
        if (level, v) not in hard
    }
    found = [
        planted(
            STUCK,
            pl.Series([f"{STUCK}:{season}:{level}:{variant}"]),
            entity_type="map",
            entity=pl.Series([place_name(level, variant)]),
            table="player_events",
            key=None,
            rule=STUCK,
            day=config.date(day),
            intensity=permille / 1000,
            is_look_alike=(level, variant) in steep,
        ).with_columns(
            window_start=pl.lit(config.date(max(day - since, 0))),
            window_end=pl.lit(config.date(day - since + game.SEASON - 1)),
        )
        for (level, variant), permille in sorted((hard | steep).items())
    ]
    return pl.concat([nothing(), *found])


def place_name(level: int, variant: int) -> str:
    at: I64 = game.map_of(np.array([level]), np.array([variant]))
    return f"{game.LEVEL_IDS[level]}/{game.MAP_IDS[int(at[0])]}"


def _plants(
    world: World, day: int, c: Case, entity: pl.Series, of: str, table: str
) -> pl.DataFrame:
    config = world.config
    return planted(
        c.kind,
        pl.Series([f"{c.kind}:{c.number}"] * len(entity)),
        entity_type=of,
        entity=entity,
        table=table,
        key=None,
        rule=c.kind,
        day=config.date(day),
        intensity=c.intensity,
        is_look_alike=c.is_look_alike,
    ).with_columns(
        window_start=pl.lit(config.date(c.first_day)), window_end=pl.lit(config.date(c.last_day))
    )
