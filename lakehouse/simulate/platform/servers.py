"""Server metrics: every server, every minute, from the sessions that run on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.simulate.kernel import frames
from lakehouse.simulate.kernel.arrays import wide
from lakehouse.simulate.kernel.clock import day_seconds, gaming_days, stamp
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, below, draw, key
from lakehouse.simulate.kernel.ids import event_ids
from lakehouse.simulate.kernel.producers import producer
from lakehouse.simulate.kernel.world import World
from lakehouse.simulate.platform import game
from lakehouse.simulate.platform.places import regions, types
from lakehouse.simulate.platform.play import server_ids
from lakehouse.simulate.platform.sessions import (
    MINUTES,
    is_full_outage,
    online_by_minute,
    period,
    sessions_on,
    troubles,
)

TABLE = "server_metrics"
_HIGHEST_LATENCY = 300


@dataclass(frozen=True)
class Minutes:
    """Server and minute, one entry each; loads in tenths of a percent, times in tenths of a
    millisecond."""

    day: I64
    server: I64
    minute: I64
    event: I64
    players: I64
    lost: I64
    cpu: I64
    memory: I64
    latency: I64
    response: I64

    def __len__(self) -> int:
        return len(self.server)


def dress(config: WorldConfig, r: Minutes) -> pl.DataFrame:
    """Turns the numbers of days into rows of bronze."""
    return frames.frame(
        TABLE,
        {
            "server_id": server_ids(config, r.server),
            "cpu_load": _tenths(r.cpu),
            "memory_usage": _tenths(r.memory),
            "latency": _tenths(r.latency),
            "timestamp": frames.utc(r.event),
            "metric_id": event_ids(config.seed, TABLE, r.day, r.minute << 20 | r.server),
            "disconnections": frames.count(r.lost),
            "players_online": frames.count(r.players),
            "response_time": _tenths(r.response),
            "region": regions(r.server),
            "server_type": types(config, r.server),
            **stamp(TABLE, gaming_days(config.start, r.day), r.event),
        },
    )


def _tenths(values: I64) -> pl.Series:
    return pl.Series(values / 10)


@producer(TABLE, dress=dress, clashing="region")
def rows_of(world: World, day: int) -> Minutes:
    """A row per server and minute of the day, in order of time."""
    config = world.config
    s = wide(sessions_on(world, day))
    minutes, many = day_seconds(config.date(day), config.timezone) // 60, game.server_count(config)
    lost = np.zeros((many, MINUTES), dtype=np.int64)
    np.add.at(lost, (s.server[s.is_cut], s.end[s.is_cut] // 60), 1)
    minute, server = (a.reshape(-1) for a in np.mgrid[:minutes, :many])
    players = online_by_minute(config, s)[server, minute].astype(np.int64)
    h = draw(key(config.seed, "platform:metrics", day), server, minute)
    load = 1_000 * players // game.capacity(config)[server]
    base = 500 + below(draw(key(config.seed, "platform:base-latency"), np.arange(many)), 300)
    over = np.maximum(load - 800, 0)
    latency = base[server] + 4 * load // 10 + 3 * over + below(h, 151)
    is_down = _down(config, day, minutes, many)
    return Minutes(
        day=np.full(len(server), day),
        server=server,
        minute=minute,
        event=world.utc(day, minute * 60 + 59),
        players=players,
        lost=lost[server, minute],
        cpu=np.where(is_down, 200, np.minimum(200 + 7 * load // 10 + below(draw(1, h), 60), 1000)),
        memory=np.minimum(300 + 45 * load // 100 + below(draw(2, h), 80), 900),
        latency=np.where(is_down, 10 * _HIGHEST_LATENCY, np.minimum(latency, 3_000)),
        response=80 + latency // 4 + 5 * load // 10 + below(draw(3, h), 100),
    )


def _down(config: WorldConfig, day: int, minutes: int, many: int) -> NDArray[np.bool_]:
    """By minute and server, those in which one that nobody can reach answers to its monitor
    alone."""
    found = np.zeros((minutes, many), dtype=bool)
    for c in troubles(config, day):
        if is_full_outage(c):
            since, until = period(config, c)
            found[since // 60 + 1 : until // 60, c.entity] = True
    return found.reshape(-1)
