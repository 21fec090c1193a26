"""Purchases within sessions: of whoever plays now and then, of a few who buy much, of rings that
buy in bursts from networks that they share, and of honest guests of one café."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from lakehouse.simulate.kernel import accounts, addresses, frames
from lakehouse.simulate.kernel.arrays import in_parts, join_at, order_of, ordinals, owners
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below, chance, draw, key, pick, poisson
from lakehouse.simulate.kernel.ids import event_ids
from lakehouse.simulate.kernel.producers import producer
from lakehouse.simulate.kernel.world import World
from lakehouse.simulate.platform import game
from lakehouse.simulate.platform.cases import Case, networks
from lakehouse.simulate.platform.play import platforms, session_ids
from lakehouse.simulate.platform.sessions import Sessions, ring_members, sessions_on

TABLE = "purchases"
# Item, kind, price in cents, and of a thousand purchases how many are of it.
ITEMS = (
    ("potion", "consumable", 99, 210),
    ("elixir", "consumable", 199, 110),
    ("revive", "consumable", 149, 90),
    ("sword", "weapon", 499, 85),
    ("bow", "weapon", 449, 60),
    ("axe", "weapon", 599, 45),
    ("shield", "armor", 399, 75),
    ("armor", "armor", 799, 55),
    ("helmet", "armor", 299, 50),
    ("skin_dragon", "skin", 499, 60),
    ("skin_phoenix", "skin", 999, 40),
    ("skin_shadow", "skin", 1_499, 25),
    ("emote_wave", "emote", 199, 30),
    ("emote_dance", "emote", 299, 25),
    ("season_pass", "pass", 1_999, 25),
    ("chest_legendary", "chest", 2_999, 15),
)
_PRICES = np.array([i[2] for i in ITEMS])
_SHARES = tuple(i[3] for i in ITEMS)
_SOLD_ON = (9, 10, 11, 15)
"""What a ring buys: it can be sold on."""
# Assumptions, no source read.
_BUYS, _GUEST_BUYS, _FURTHER = 0.15, 0.6, 0.45
_SPENDERS, _SPENDER_MEAN = 0.03, 4.0
_BURST = (2, 12)
"""Purchases in a ring's burst, of a faint one and of a blatant one."""
_GAP = (180, 8)
"""Seconds between them."""
Groups = Sequence[tuple[Case, I64]]
"""Rings, or guests of one house, with their members."""


@dataclass(frozen=True)
class Bought:
    """Purchases as numbers, one entry each; seconds since the day opened."""

    day: I64
    ordinal: I64
    event: I64
    second: I64
    account: I64
    session: U64
    item: I64
    network: I64

    def __len__(self) -> int:
        return len(self.item)


def dress(config: WorldConfig, r: Bought) -> pl.DataFrame:
    """Turns the numbers of days into rows of bronze."""
    return frames.frame(
        TABLE,
        {
            "player_id": accounts.account_ids(r.account),
            "item_id": frames.code([i[0] for i in ITEMS], r.item),
            "price": frames.money(_PRICES[r.item]),
            "currency": "USD",
            "purchase_timestamp": frames.utc(r.event),
            "ip_address": addresses.addresses(r.network),
            "transaction_id": event_ids(config.seed, TABLE, r.day, r.ordinal),
            "item_type": frames.code([i[1] for i in ITEMS], r.item),
            "session_id": session_ids(r.session),
            "platform": platforms(config, r.account),
            **stamp(TABLE, gaming_days(config.start, r.day), r.event),
        },
    )


@producer(TABLE, dress=dress, clashing="item_id")
def rows_of(world: World, day: int) -> Bought:
    """A day's purchases in order of time."""
    config, s = world.config, sessions_on(world, day)
    groups = ring_members(config, day)
    guests = [(c, who) for c, who in groups if c.is_look_alike]
    rings = [(c, who) for c, who in groups if not c.is_look_alike]
    every = [_honest(config, day, s, guests, rings), _bursts(config, day, s, rings)]
    sessions_on.let_go(world)
    whole = join_at(every, order_of(np.concatenate([b.second for b in every])))
    event = world.utc(day, whole.second)
    return Bought(
        np.full(len(whole), day),
        np.arange(len(whole)),
        event,
        whole.second,
        whole.account,
        whole.session,
        whole.item,
        whole.network,
    )


def _sessions_of(s: Sessions, groups: Groups) -> tuple[I64, I64]:
    """(session, group) of all members, group by group and in each by player."""
    who = np.concatenate([s.account[:0], *(who for _, who in groups)])
    group = np.repeat(np.arange(len(groups)), [len(who) for _, who in groups])
    first, after = (np.searchsorted(s.account, who, side) for side in ("left", "right"))
    count = after - first
    return np.repeat(first, count) + ordinals(count), np.repeat(group, count)


def _honest(config: WorldConfig, day: int, s: Sessions, guests: Groups, rings: Groups) -> Bought:
    house = np.full(len(s), -1)
    theirs, group = _sessions_of(s, guests)
    house[theirs] = group
    is_honest = np.ones(len(s), dtype=bool)
    is_honest[_sessions_of(s, rings)[0]] = False
    every = np.flatnonzero(is_honest)
    return in_parts(lambda some: _at_will(config, day, s, every[some], house, guests), len(every))


def _at_will(
    config: WorldConfig, day: int, s: Sessions, at: I64, house: I64, guests: Groups
) -> Bought:
    """What is bought in some sessions, by whom nobody tells to. `house`: of each session that of
    the guests that it is among, or -1."""
    h = draw(key(config.seed, "platform:buys", day), s.h[at])
    buys = chance(h, _BUYS) | ((house[at] >= 0) & chance(h, _GUEST_BUYS))
    spender = chance(draw(key(config.seed, "platform:spender"), s.account[at]), _SPENDERS)
    count = np.zeros(len(at), dtype=np.int64)
    count[buys] = 1 + poisson(draw(1, h[buys]), _FURTHER)
    count[spender] = poisson(draw(2, h[spender]), _SPENDER_MEAN)
    g = draw(3, h[owners(count)], ordinals(count))
    of = at[owners(count)]
    second = s.start[of] + below(g, s.seconds[of] + 1)
    network = game.network_of(config, s.account[of])
    away = np.flatnonzero(house[of] >= 0)
    network[away] = _networks(guests)[house[of[away]], 0]
    return _bought(s, of, second, pick(draw(1, g), _SHARES), network)


def _bursts(config: WorldConfig, day: int, s: Sessions, rings: Groups) -> Bought:
    """Each member of a ring who plays buys what can be sold on, in one burst within the longest
    of the sessions."""
    mine, ring = _sessions_of(s, rings)
    order = np.lexsort((mine, -s.seconds[mine], s.account[mine], ring))
    is_longest = np.diff(s.account[mine[order]], prepend=-1) != 0
    at, ring = mine[order[is_longest]], ring[order[is_longest]]

    def of_ring(values: Iterable[int]) -> I64:
        return np.array(list(values), dtype=np.int64)[ring]

    number = of_ring(c.number for c, _ in rings)
    h = draw(key(config.seed, "platform:burst", day), number, s.account[at])
    n, wanted = (
        of_ring(faint + (blatant - faint) * c.permille // 1000 for c, _ in rings)
        for faint, blatant in (_BURST, _GAP)
    )
    gap = np.minimum(wanted, s.seconds[at] // (n + 1))
    begins = s.start[at] + below(h, s.seconds[at] - gap * n + 1)
    of, turn = owners(n), ordinals(n)
    g = draw(1, h[of], turn)
    item = np.array(_SOLD_ON)[below(g, len(_SOLD_ON))]
    second = begins[of] + gap[of] * turn
    return _bought(s, at[of], second, item, _networks(rings)[ring, below(draw(2, h), 2)][of])


def _networks(groups: Groups) -> I64:
    """By group, its two networks."""
    return np.array([networks(c) for c, _ in groups], dtype=np.int64).reshape(-1, 2)


def _bought(s: Sessions, at: I64, second: I64, item: I64, network: I64) -> Bought:
    nothing = np.zeros(len(at), dtype=np.int64)
    return Bought(nothing, nothing, nothing, second, s.account[at], s.h[at], item, network)
