"""Who plays on a day, when, on which server, and what cuts the sessions short.

Events, purchases and server metrics are views of these sessions, so that they agree.
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lakehouse.simulate.kernel import accounts
from lakehouse.simulate.kernel.arrays import (
    in_parts,
    narrow,
    order_of,
    ordinals,
    owners,
    parts,
    running,
    sums,
    take,
    wide,
    within,
)
from lakehouse.simulate.kernel.clock import day_seconds, day_start
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import (
    I64,
    U64,
    below,
    chance,
    draw,
    exponential,
    key,
    pick,
    poisson,
)
from lakehouse.simulate.kernel.memory import by_day, in_work
from lakehouse.simulate.kernel.places import at_local
from lakehouse.simulate.kernel.world import World
from lakehouse.simulate.platform import game
from lakehouse.simulate.platform.cases import CRASH, OUTAGE, RING, Case, cases, members

# Assumptions, no source read: half of the gamers who are online play; the stuck play less.
PLAYS, PLAYS_STUCK = 0.55, 0.35
MORE_SESSIONS, MOST_SESSIONS = 0.6, 4
SHORTEST, USUAL, LONGEST = 300, 1_500, 3 * 3_600
"""Seconds of a session: so many at least, and exponential with that mean above them."""
_PAUSE = 600
_BY_HOUR = (5, 3, 2, 1, 1, 1, 2, 3, 3, 4, 4, 5, 6, 6, 6, 7, 8, 10, 13, 15, 16, 15, 11, 8)
_LOST, _LOST_BY_LOAD = 0.012, 0.5
"""Sessions that the network cuts, and of those on a full server, by what is over 90% of it."""
_LEAST = 15
"""Seconds that a session lasts before anything cuts it."""
_DOWN, _CRASHES = (300, 2_400), (3_600, 10_800)
"""Seconds of an outage, and of a time in which a map crashes."""
_FOUND_WITHIN = 600
"""Seconds within which who comes to such a map is thrown out."""

LEAST_EVENTS = 3
"""Events of a session: a start, something, an end."""

MINUTES = 25 * 60
"""Of the longest gaming day."""


@dataclass(frozen=True)
class Sessions:
    """A day's sessions in order of player and time, one entry each; seconds since the day
    opened."""

    account: I64
    number: I64
    """Of the player's day, from 0."""
    start: I64
    seconds: I64
    server: I64
    is_cut: NDArray[np.bool_]
    case: I64
    """Position among the day's crashes and outages of the one that cut it, or -1."""
    played: I64
    """Seconds planned in the player's earlier sessions of the day, and in all of them."""
    whole: I64
    level: I64
    """As the player's day begins; then see `game.Standing`."""
    variants: I64
    pace: I64
    ends: I64
    h: U64

    def __len__(self) -> int:
        return len(self.account)

    @property
    def end(self) -> I64:
        return self.start + self.seconds


@by_day(in_work)
def sessions_on(world: World, day: int) -> Sessions:
    """The day's sessions, as they went; kept narrow, so that who reckons with a column widens it
    or adds to one of 64 bits."""
    config = world.config
    planned = _planned(config, day)
    if not len(planned):
        return planned
    disturbances = troubles(config, day)
    s = _elsewhere(config, planned, disturbances)
    left = np.minimum(s.seconds, _lost(config, s))
    case = np.full(len(s), -1)
    is_cut = left < s.seconds
    by_server = order_of(s.server)
    edges = np.searchsorted(s.server[by_server], np.arange(game.server_count(config) + 1))
    for n, c in enumerate(disturbances):
        on = slice(edges[c.entity], edges[c.entity + 1]) if c.kind == OUTAGE else slice(None)
        near, (since, until) = by_server[on], period(config, c)
        near = near[(s.start[near] < until) & (s.start[near] + left[near] > since)]
        one = take(s, near)
        at = _meets(config, c, one)
        hit = (at - one.start >= _LEAST) & (at < one.start + left[near]) & (at < until)
        share = 1.0 if is_full_outage(c) else c.intensity
        hit &= _is_there(one, c, at) & chance(_hash(config, "hit", n, one.h), share)
        met = near[hit]
        left[met] = at[hit] - s.start[met]
        case[met] = n
        is_cut[met] = not c.is_look_alike
    return narrow(dataclasses.replace(s, seconds=left, case=case, is_cut=is_cut))


def troubles(config: WorldConfig, day: int) -> list[Case]:
    """Crashes and outages of a day."""
    return [c for kind in (CRASH, OUTAGE) for c in cases(config, kind, day)]


def period(config: WorldConfig, c: Case) -> tuple[int, int]:
    """Seconds of the day from and until which a map crashes again and again, or a server is
    down, or empty for maintenance."""
    low, high = _DOWN if c.kind == OUTAGE else _CRASHES
    length = day_seconds(config.date(c.first_day), config.timezone)
    at = c.below(length - high, "when")
    return at, at + low + c.below(high - low, "long")


def is_full_outage(c: Case) -> bool:
    """Whether nobody stays on the server or comes to it."""
    return c.kind == OUTAGE and (c.is_look_alike or c.intensity >= 0.5)


def _meets(config: WorldConfig, c: Case, s: Sessions) -> I64:
    """When a session meets with a crash or an outage: as it begins, or a while after it came."""
    since, _ = period(config, c)
    if c.kind == OUTAGE:
        return np.full(len(s), since)
    return np.maximum(since, s.start + _LEAST + below(draw(5, s.h), _FOUND_WITHIN))


def _is_there(s: Sessions, c: Case, at: I64) -> NDArray[np.bool_]:
    """Whether a session is on the server, or on the map at that moment."""
    if c.kind == OUTAGE:
        return np.asarray(s.server == c.entity)
    inside = np.clip(at - s.start, 0, s.seconds)
    level, variant = place_at(s, s.played + inside, np.arange(len(s)))
    return game.map_of(level, variant) == c.entity


def place_at(s: Sessions, played: I64, session: I64) -> tuple[I64, I64]:
    """(level, variant) where the player of a session is after so many seconds of the day's
    play."""
    effort = s.pace[session] * played // np.maximum(s.whole[session], 1)
    passed = np.zeros(len(session), dtype=np.int64)
    for k in range(game.AHEAD):
        passed += effort >= s.ends[session, k]
    level = (s.level[session] + passed) % game.LEVELS
    return level, s.variants[session] >> level & 1


@functools.lru_cache(maxsize=32)
def ring_members(config: WorldConfig, day: int) -> list[tuple[Case, I64]]:
    """The rings of a day, or their look-alikes, with those of their members who are online. An
    account is of the first ring that it could be in; where fewer than two are online, a ring
    does nothing."""
    there = cases(config, RING, day)
    ring, who = members(config, there)
    here = within(who, accounts.online_on(config, day))
    edges = np.searchsorted(ring[here], np.arange(len(there) + 1))
    those = who[here].tolist()
    taken: set[int] = set()
    found = []
    for k, c in enumerate(there):
        mine = [a for a in those[edges[k] : edges[k + 1]] if a not in taken]
        if len(mine) >= 2:
            taken.update(mine)
            found.append((c, np.array(mine)))
    return found


@dataclass(frozen=True)
class _Players:
    """Who plays on a day, sorted by account."""

    account: I64
    count: I64
    """Sessions."""
    now: game.Standing


def _players(config: WorldConfig, day: int) -> _Players:
    who = accounts.online_on(config, day)
    rings = [members for _, members in ring_members(config, day)]
    is_bound = np.zeros(len(who), dtype=bool)
    is_bound[np.searchsorted(who, np.concatenate([who[:0], *rings]))] = True
    return in_parts(lambda at: _who_plays(config, day, who[at], is_bound[at]), len(who))


def _who_plays(config: WorldConfig, day: int, who: I64, is_bound: NDArray[np.bool_]) -> _Players:
    may = np.flatnonzero(is_bound | game.is_gamer(config, who))
    luck = _hash(config, "plays", day, who[may])
    # As the stuck come less than others, nobody else has to be looked at.
    willing = is_bound[may] | chance(luck, PLAYS)
    may, luck = may[willing], luck[willing]
    now = game.standing(config, who[may], day)
    comes = is_bound[may] | ~game.is_stuck(config, now, day) | chance(luck, PLAYS_STUCK)
    more = poisson(_hash(config, "sessions", day, who[may[comes]]), MORE_SESSIONS)
    return _Players(who[may[comes]], np.minimum(1 + more, MOST_SESSIONS), take(now, comes))


def _planned(config: WorldConfig, day: int) -> Sessions:
    """The day's sessions before anything goes wrong: no more than the day has rows for."""
    rows = config.quota("player_events", day)
    players = _players(config, day)
    order = order_of(_hash(config, "turn", day, players.account))
    fits = np.cumsum(players.count[order], dtype=np.int64) <= max(
        rows // LEAST_EVENTS, min(rows, 1)
    )
    fits[:1] |= rows > 0
    kept = np.sort(order[fits])
    return in_parts(lambda at: _sessions(config, day, wide(take(players, kept[at]))), len(kept))


def _sessions(config: WorldConfig, day: int, players: _Players) -> Sessions:
    """What each plays, one session after another."""
    who, count, now = players.account, players.count, players.now
    of, number = owners(count), ordinals(count)
    h = draw(key(config.seed, "platform:session", day), who[of], number)
    seconds = SHORTEST + (exponential(h) * USUAL).astype(np.int64)
    seconds = np.minimum(seconds, LONGEST)
    pause = np.where(number > 0, _PAUSE + below(h << np.uint64(13), 3_000), 0)
    span = sums(seconds + pause, count)
    home = accounts.home(config, who)
    first = _first(config, day, who, home, span)
    after = running(seconds + pause, count) - seconds
    return Sessions(
        account=who[of],
        number=number,
        start=first[of] + after,
        seconds=seconds,
        server=game.server_of(config, home, _hash(config, "server", day, who))[of],
        is_cut=np.zeros(len(of), dtype=bool),
        case=np.full(len(of), -1),
        played=running(seconds, count) - seconds,
        whole=sums(seconds, count)[of],
        level=now.level[of],
        variants=now.variants[of],
        pace=now.pace[of],
        ends=now.ends[of],
        h=draw(2, h),
    )


def _first(config: WorldConfig, day: int, who: I64, home: I64, span: I64) -> I64:
    """Second at which each player's first session begins, by the clock of his home."""
    date = config.date(day)
    opens = day_start(date, config.timezone) // 1_000_000 % 86_400
    length = day_seconds(date, config.timezone)
    h = _hash(config, "hour", day, who)
    local = pick(h, _BY_HOUR) * 3_600 + below(draw(1, h), 3_600)
    return np.minimum(at_local(date, opens, length, home, local), length - span - 60)


def _elsewhere(config: WorldConfig, s: Sessions, disturbances: list[Case]) -> Sessions:
    """Who comes while a server is down is sent to the next one that is not: of the region, or,
    where it has but one, of another."""
    many, regions = game.server_count(config), len(game.REGIONS)
    step = regions if many > regions else 1
    down = [c for c in disturbances if is_full_outage(c)]
    since, until = np.array([period(config, c) for c in down], dtype=np.int64).reshape(-1, 2).T
    order = order_of(where := np.array([c.entity for c in down], dtype=np.int64))
    edges = np.searchsorted(where[order], np.arange(many + 1))

    def sent_on(server: I64, start: I64) -> I64:
        asked = np.arange(len(server))
        for _ in range(len(down)):
            first = edges[server[asked]]
            count = edges[server[asked] + 1] - first
            of, c = owners(count), order[np.repeat(first, count) + ordinals(count)]
            begun = start[asked[of]]
            barred = np.unique(of[(begun > since[c] - _LEAST) & (begun < until[c])])
            asked = asked[barred]
            server[asked] = (server[asked] + step) % many
        return server

    some = (sent_on(s.server[at].astype(np.int64), s.start[at]) for at in parts(len(s)))
    return dataclasses.replace(s, server=np.concatenate(list(some)))


def _lost(config: WorldConfig, s: Sessions) -> I64:
    """Seconds after which the network, or a server that is full, cuts each session; as long as
    it was planned where nothing does."""
    online = online_by_minute(config, s)
    return np.concatenate([_cut(config, take(s, at), online) for at in parts(len(s))])


def _cut(config: WorldConfig, s: Sessions, online: NDArray[np.int32]) -> I64:
    load = online[s.server, np.minimum(s.start // 60, MINUTES - 1)]
    over = np.maximum(load / game.capacity(config)[s.server] - 0.9, 0)
    hit = chance(draw(3, s.h), _LOST + np.minimum(_LOST_BY_LOAD * over, 0.3))
    until = _LEAST + below(draw(4, s.h), np.maximum(s.seconds - 2 * _LEAST, 1))
    return np.where(hit, until, s.seconds)


def online_by_minute(config: WorldConfig, s: Sessions) -> NDArray[np.int32]:
    """By server and minute, the sessions that are on as the minute ends."""
    found = np.zeros((game.server_count(config), MINUTES + 1), dtype=np.int32)
    for at in parts(len(s)):
        server, begun, ended = s.server[at], s.start[at] // 60, s.end[at] // 60
        np.add.at(found, (server, np.minimum(begun, MINUTES)), 1)
        np.add.at(found, (server, np.minimum(ended, MINUTES)), -1)
    return np.cumsum(found[:, :MINUTES], axis=1, dtype=np.int32, out=found[:, :MINUTES])


def _hash(config: WorldConfig, stream: str, day: int, who: I64 | U64) -> U64:
    return draw(key(config.seed, f"platform:{stream}", day), who)
