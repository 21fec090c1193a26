"""Purchases within sessions: of whoever plays now and then, of a few who buy much, of rings that
buy in bursts from networks that they share, and of honest guests of one café."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from lakehouse.simulate.kernel import accounts, addresses, frames
from lakehouse.simulate.kernel.arrays import join, order_of, ordinals, owners, starts, take, within
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
    rings = ring_members(config, day)
    crooked = np.concatenate([s.account[:0], *(who for c, who in rings if not c.is_look_alike)])
    honest = np.flatnonzero(~within(s.account, np.sort(crooked)))
    whole = join(
        [
            _honest(config, day, s, honest, rings),
            *(_burst(config, day, s, c, who) for c, who in rings if not c.is_look_alike),
        ]
    )
    whole = take(whole, order_of(whole.second))
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


def burst_sessions(s: Sessions, who: I64) -> I64:
    """Positions of the longest session of each of these players (sorted) who plays."""
    first, after = (np.searchsorted(s.account, who, side) for side in ("left", "right"))
    plays = after > first
    first, count = first[plays], (after - first)[plays]
    mine = np.repeat(first, count) + ordinals(count)
    order = mine[np.lexsort((mine, -s.seconds[mine], s.account[mine]))]
    return order[starts(count)]


def _honest(
    config: WorldConfig, day: int, s: Sessions, at: I64, rings: list[tuple[Case, I64]]
) -> Bought:
    h = draw(key(config.seed, "platform:buys", day), s.h[at])
    network = game.network_of(config, s.account[at])
    share = np.full(len(at), _BUYS)
    guests = [(c, who) for c, who in rings if c.is_look_alike]
    if guests:
        them = np.concatenate([who for _, who in guests])
        theirs = np.repeat([networks(c)[0] for c, _ in guests], [len(who) for _, who in guests])
        order = np.argsort(them)
        is_guest = within(s.account[at], them[order])
        place = np.searchsorted(them[order], s.account[at[is_guest]])
        network[is_guest] = theirs[order][place]
        share[is_guest] = _GUEST_BUYS
    spender = chance(draw(key(config.seed, "platform:spender"), s.account[at]), _SPENDERS)
    usual = np.where(chance(h, share), 1 + poisson(draw(1, h), _FURTHER), 0)
    count = np.where(spender, poisson(draw(2, h), _SPENDER_MEAN), usual)
    of = owners(count)
    g = draw(3, h[of], ordinals(count))
    second = s.start[at][of] + below(g, s.seconds[at][of] + 1)
    return _bought(s, at[of], second, pick(draw(1, g), _SHARES), network[of])


def _burst(config: WorldConfig, day: int, s: Sessions, c: Case, who: I64) -> Bought:
    """Each member buys what can be sold on, in one burst within a session."""
    at = burst_sessions(s, who)
    h = draw(key(config.seed, "platform:burst", day, c.number), s.account[at])
    faint, blatant = _BURST
    n = faint + (blatant - faint) * c.permille // 1000
    slow, quick = _GAP
    wanted = slow + (quick - slow) * c.permille // 1000
    gap: I64 = np.minimum(wanted, s.seconds[at] // (n + 1))
    begins: I64 = s.start[at] + below(h, s.seconds[at] - gap * n + 1)
    of, turn = owners(np.full(len(at), n)), ordinals(np.full(len(at), n))
    g = draw(1, h[of], turn)
    item = np.array(_SOLD_ON)[below(g, len(_SOLD_ON))]
    network = networks(c)[below(draw(2, h), 2)]
    return _bought(s, at[of], begins[of] + gap[of] * turn, item, network[of])


def _bought(s: Sessions, at: I64, second: I64, item: I64, network: I64) -> Bought:
    nothing = np.zeros(len(at), dtype=np.int64)
    return Bought(nothing, nothing, nothing, second, s.account[at], s.h[at], item, network)
