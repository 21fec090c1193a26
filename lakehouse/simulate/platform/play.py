"""Player events: each session starts a level, moves through it, dies, completes it and goes on to
the next, until the player leaves or is cut off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.contracts.platform.play import EVENT_TYPES, PLATFORMS
from lakehouse.errors import BadInput
from lakehouse.simulate.faults.defects import added
from lakehouse.simulate.kernel import accounts, addresses, frames
from lakehouse.simulate.kernel.arrays import narrow, order_of, ordinals, owners, take, wide
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below, draw, key, pick
from lakehouse.simulate.kernel.ids import event_ids, hexadecimal
from lakehouse.simulate.kernel.producers import producer
from lakehouse.simulate.kernel.world import World
from lakehouse.simulate.platform import game
from lakehouse.simulate.platform.sessions import LEAST_EVENTS, Sessions, place_at, sessions_on

TABLE = "player_events"
START, MOVE, INTERACT, DEATH, COMPLETE, DISCONNECT = range(len(EVENT_TYPES))
_USUAL = (70, 22, 8)
"""Of a hundred events in a level: moves, interactions, deaths."""
_HARD = (58, 18, 24)
"""The same where it is too hard."""
_CONSOLE = 38
"""Players of a hundred on a console."""


@dataclass(frozen=True)
class Events:
    """Player events as numbers, one entry each."""

    day: I64
    ordinal: I64
    event: I64
    """Microseconds since the epoch."""
    kind: I64
    account: I64
    session: U64
    level: I64
    variant: I64
    server: I64

    def __len__(self) -> int:
        return len(self.kind)


def dress(config: WorldConfig, r: Events) -> pl.DataFrame:
    """Turns the numbers of a stretch into rows of bronze."""
    return frames.frame(
        TABLE,
        {
            "player_id": accounts.account_ids(r.account),
            "session_id": session_ids(r.session),
            "event_type": frames.code(EVENT_TYPES, r.kind),
            "level_id": frames.code(game.LEVEL_IDS, r.level),
            "map_id": frames.code(game.MAP_IDS, game.map_of(r.level, r.variant)),
            "timestamp": frames.utc(r.event),
            "event_id": event_ids(config.seed, TABLE, r.day, r.ordinal),
            "server_id": server_ids(config, r.server),
            "platform": platforms(config, r.account),
            "ip_address": own_addresses(config, r.account),
            **stamp(TABLE, gaming_days(config.start, r.day), r.event),
        },
    )


@producer(TABLE, dress=dress, clashing="session_id")
def rows_of(world: World, day: int) -> Events:
    """A day's events in order of time: exactly its quota of rows, less those that defects will
    add. Raises BadInput where nobody is online to play."""
    config = world.config
    rows = max(0, config.quota(TABLE, day) - added(config, TABLE, day))
    s = wide(sessions_on(world, day))
    if rows and not len(s):
        raise BadInput(
            f"{rows} rows of {TABLE} on {config.date(day)}, and nobody is online; ask for more "
            f"rows of {accounts.TABLE}"
        )
    count = _counts(s, rows)
    of, turn = owners(count), ordinals(count)
    n = count[of]
    ms = _moments(world, day, s, of, turn, n)
    level, variant = place_at(s, s.played[of] + _entered(ms, s.start[of], turn) // 1000, of)
    h = draw(key(config.seed, "platform:event", day), s.h[of], turn)
    kind = _kinds(config, day, s.is_cut[of] & (turn == n - 1), turn, level, variant, h)
    order = order_of(ms)
    found = Events(
        day=np.full(len(of), day),
        ordinal=np.arange(len(of)),
        event=world.utc(day, np.zeros(1, dtype=np.int64))[0] + ms * 1_000,
        kind=kind,
        account=s.account[of],
        session=s.h[of],
        level=level,
        variant=variant,
        server=s.server[of],
    )
    return take(narrow(found), order)


def session_ids(session: U64) -> pl.Series:
    return hexadecimal(session)


def server_ids(config: WorldConfig, server: I64) -> pl.Series:
    names = [f"server_{k + 1}" for k in range(game.server_count(config))]
    return frames.code(names, server)


def platforms(config: WorldConfig, account: I64) -> pl.Series:
    h = draw(key(config.seed, "platform:device"), account)
    return frames.code(PLATFORMS, pick(h, (100 - _CONSOLE, _CONSOLE)))


def own_addresses(config: WorldConfig, account: I64) -> pl.Series:
    who, at = np.unique(account, return_inverse=True)
    return frames.gather(addresses.addresses(game.network_of(config, who)), at)


def _counts(s: Sessions, rows: int) -> I64:
    """Events of each session: a few, and of the rest a share by its length; `rows` in all."""
    least = min(LEAST_EVENTS, rows // max(len(s), 1))
    until = np.cumsum(s.seconds)
    spare = rows - least * len(s)
    ends = spare * until // max(int(until[-1]), 1) if len(s) else until
    return least + np.diff(ends, prepend=0)


def _moments(world: World, day: int, s: Sessions, of: I64, turn: I64, n: I64) -> I64:
    """Milliseconds since the day opened: from the beginning of a session to its end, about
    evenly, and never backwards."""
    length = s.seconds[of] * 1_000
    gap = length // np.maximum(n - 1, 1)
    h = draw(key(world.config.seed, "platform:moment", day), s.h[of], turn)
    jitter = (below(h, 1_001) - 500) * gap // 1_100
    inside = (turn > 0) & (turn < n - 1)
    at = length * turn // np.maximum(n - 1, 1) + np.where(inside, jitter, 0)
    return s.start[of] * 1_000 + at


def _entered(ms: I64, start: I64, turn: I64) -> I64:
    """Milliseconds into the session; no level is over before its first event."""
    since = ms - start * 1_000
    return np.where(turn == 1, 0, since)


def _kinds(
    config: WorldConfig,
    day: int,
    is_thrown: NDArray[np.bool_],
    turn: I64,
    level: I64,
    variant: I64,
    h: U64,
) -> I64:
    """What each event is; rows are in order of session and turn."""
    hard = np.zeros(game.LEVELS * game.VARIANTS, dtype=bool)
    for a, b in game.stuck(config, game.season_of(config, day)[0]):
        hard[a * game.VARIANTS + b] = True
    is_hard = hard[level * game.VARIANTS + variant]
    inside = MOVE + np.where(is_hard, pick(h, _HARD), pick(h, _USUAL))
    begins = turn == 0
    is_new = begins | (level != np.roll(level, 1))
    is_last = np.roll(is_new & ~begins, -1)
    kind = np.where(is_new, START, np.where(is_last, COMPLETE, inside))
    return np.where(is_thrown, DISCONNECT, kind)
