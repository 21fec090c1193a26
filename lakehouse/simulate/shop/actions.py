"""What visitors of the shop did, as its client reports it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from lakehouse.contracts.columns import DEVICES
from lakehouse.contracts.shop.orders import ACTIONS, CATEGORIES
from lakehouse.simulate.kernel import accounts, frames
from lakehouse.simulate.kernel.addresses import addresses
from lakehouse.simulate.kernel.arrays import join, order_of, ordinals, owners, running, starts, take
from lakehouse.simulate.kernel.clock import gaming_days, stamp
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below, draw
from lakehouse.simulate.kernel.ids import event_ids
from lakehouse.simulate.kernel.memory import by_day, in_work
from lakehouse.simulate.kernel.producers import producer
from lakehouse.simulate.kernel.world import World
from lakehouse.simulate.shop import catalogue, payments
from lakehouse.simulate.shop.cases import scripts
from lakehouse.simulate.shop.payments import CASES, OF_A_CASE, order_ids, session_ids
from lakehouse.simulate.shop.profiles import Bools
from lakehouse.simulate.shop.script import CART, CHECKOUT, PURCHASE, REFRESH, VIEW, Script
from lakehouse.simulate.shop.visits import QUIET, TABLE, Sessions, placed, sessions

_SHORTEST, _LONGEST = 500, 2_000
"""Milliseconds between two actions of a burst."""


@dataclass(frozen=True)
class Actions:
    """One entry per action. Product, order and session are -1 where there is none, cents too."""

    account: I64
    kind: I64
    ms: I64
    product: I64
    cents: I64
    order: I64
    session: I64
    device: I64
    network: I64
    burst: I64
    """Position in its burst; -1: it is in none."""
    day: I64
    ordinal: I64
    event: I64

    def __len__(self) -> int:
        return len(self.account)


def dress(config: WorldConfig, r: Actions) -> pl.DataFrame:
    """Turns the numbers of a stretch into rows of bronze."""
    known = r.product >= 0
    product = np.maximum(r.product, 0)
    return frames.frame(
        TABLE,
        {
            "user_id": accounts.account_ids(r.account),
            "action": frames.code(ACTIONS, r.kind),
            "timestamp": frames.utc(r.event),
            "category": frames.code(CATEGORIES, catalogue.CATEGORY[product], known),
            "amount": frames.money(np.maximum(r.cents, 0), r.cents >= 0),
            "event_id": event_ids(config.seed, TABLE, r.day, r.ordinal),
            "session_id": frames.only(session_ids(config.seed, r.day, r.session), r.session >= 0),
            "product_id": frames.only(catalogue.product_ids(product), known),
            "order_id": frames.only(order_ids(config.seed, r.day, r.order), r.order >= 0),
            "device_type": frames.code(DEVICES, r.device),
            "ip_address": addresses(r.network),
            **stamp(TABLE, gaming_days(config.start, r.day), r.event),
        },
    )


@by_day(in_work)
def evidence(world: World, day: int) -> dict[str, pl.Series]:
    """Actions on which what was planted rests."""
    r = rows_of(world, day)
    at = np.flatnonzero((r.burst >= 0) | (r.order >= CASES) | (r.session >= CASES))
    return {"event_id": event_ids(world.config.seed, TABLE, r.day[at], r.ordinal[at])}


@producer(TABLE, dress=dress, clashing="ip_address", evidence=evidence, untimed=True)
@by_day(in_work)
def rows_of(world: World, day: int) -> Actions:
    """A day's actions in order of time: exactly its quota of rows, less those that defects
    will add."""
    whole = join([_ordinary(world, day, sessions(world, day)), of_cases(scripts(world, day))])
    whole = take(whole, order_of(whole.ms))
    n = len(whole)
    event = world.utc(day, np.zeros(n, dtype=np.int64)) + whole.ms * 1_000
    return replace(whole, day=np.full(n, day), ordinal=np.arange(n), event=event)


def _ordinary(world: World, day: int, planned: Sessions) -> Actions:
    config = world.config
    s, origin = placed(config, day, planned)
    at, p = owners(s.rows), ordinals(s.rows)
    step = p - (s.browsed + s.burst)[at]
    pairs = 2 * s.carted[at]
    h = draw(1, s.luck[at], p)
    is_burst = (p >= s.browsed[at]) & (step < 0)
    is_cart = (step >= 0) & (step < pairs)
    pays = (step >= pairs) & (step >= 0)
    kind = np.where(is_burst, REFRESH, np.where(is_cart & (step % 2 == 1), CART, VIEW))
    kind = np.where(pays, np.where(step == pairs, CHECKOUT, PURCHASE), kind)
    product = payments.looked_at(config, s.account[at], h)
    product[is_cart] = payments.in_cart(
        config, s.account[at[is_cart]], s.luck[at[is_cart]], step[is_cart] // 2
    )
    product[pays] = np.where(s.carted == 1, payments.first_in_cart(config, s), -1)[at[pays]]
    product[is_burst] = -1
    cents = catalogue.price_of(config, day, product)
    cents[pays] = payments.total_cents(config, day, s)[at[pays]]
    cents[is_burst] = -1
    ms = _times(s, at, p, is_burst, h)
    ms[pays] = np.where(kind == CHECKOUT, s.checkout[at], s.paid[at])[pays]
    nothing = np.zeros(len(at), dtype=np.int64)
    return Actions(
        account=s.account[at],
        kind=kind,
        ms=ms,
        product=product,
        cents=cents,
        order=np.where(kind == PURCHASE, at, -1),
        session=np.where(s.tells[at], at, -1),
        device=origin.kind[at],
        network=origin.network[at],
        burst=np.where(is_burst, p - s.browsed[at], -1),
        day=nothing,
        ordinal=nothing,
        event=nothing,
    )


def _times(s: Sessions, at: I64, p: I64, is_burst: Bools, h: U64) -> I64:
    """Each action in a slot of its own, but for those of a burst, which follow upon one another."""
    after = p >= (s.browsed + s.burst)[at]
    slot = p - np.where(after, s.burst[at], 0)
    wait = below(h << np.uint64(17), s.pace[at] - QUIET + 1)
    ms = s.begins[at] + slot * s.pace[at] + np.where(after, s.held_up[at], 0) + wait
    counts = s.burst[s.burst > 0]
    gaps = _SHORTEST + below(h[is_burst] << np.uint64(17), _LONGEST - _SHORTEST)
    gaps[starts(counts)] = 0
    ms[is_burst] = (s.begins + s.browsed * s.pace)[at[is_burst]] + running(gaps, counts)
    return ms


def of_cases(every: Sequence[Script], number: int = 0) -> Actions:
    """What planted cases do, the first of them being that of the number."""
    acts = [a for s in every for a in s.actions]

    def column(values: Iterable[int]) -> I64:
        return np.array(list(values), dtype=np.int64)

    n, nth = len(acts), owners(column(len(s.actions) for s in every))
    first, order = CASES + (nth + number) * OF_A_CASE, column(a.order for a in acts)
    nothing = np.zeros(n, dtype=np.int64)
    return Actions(
        account=column(s.account for s in every)[nth],
        kind=column(a.kind for a in acts),
        ms=column(a.ms for a in acts),
        product=column(a.product for a in acts),
        cents=column(a.cents for a in acts),
        order=np.where(order < 0, -1, first + order),
        session=first + column(a.session for a in acts),
        device=column(a.at.kind for a in acts),
        network=column(a.at.network for a in acts),
        burst=np.full(n, -1),
        day=nothing,
        ordinal=nothing,
        event=nothing,
    )
