"""What is paid in the shop on a day, refused, and given back: one entry per attempt and product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from lakehouse.simulate.kernel.arrays import in_parts, join, narrow, ordinals, owners, take, wide
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below, chance, draw, key, pick
from lakehouse.simulate.kernel.ids import hexadecimal
from lakehouse.simulate.kernel.memory import by_day, in_work
from lakehouse.simulate.kernel.world import World
from lakehouse.simulate.shop import catalogue, profiles
from lakehouse.simulate.shop.cases import scripts
from lakehouse.simulate.shop.profiles import Bools, Origin, hashed
from lakehouse.simulate.shop.script import COMPLETED, FAILED, LAGS, PENDING, REFUNDED, Script
from lakehouse.simulate.shop.visits import RETRY, Sessions, placed, sessions

CASES = 1 << 24
"""Numbers of orders and sessions of planted cases, from here on."""
OF_A_CASE = 1_024
_PENDING = 0.10
_GIVEN_BACK = 0.15
"""Products that are wished to be given back [assumption]; some are, as their buyers come again."""
_REFUND = 31
"""Attempt under which a refund is numbered."""
_MOST_CARTED = 4


@dataclass(frozen=True)
class Payments:
    """Attempts and refunds. An order is numbered within the day on which it was made."""

    account: I64
    made: I64
    """Day of the order."""
    order: I64
    line: I64
    attempt: I64
    ms: I64
    """Since the gaming day opened."""
    product: I64
    quantity: I64
    unit_cents: I64
    status: I64
    method: I64
    session: I64
    """-1: not told."""
    back: I64
    """Days after which it is given back; 0: never."""
    case: I64
    """Position among the cases of the day of the order; -1: in none."""
    is_evidence: Bools
    origin: Origin

    def __len__(self) -> int:
        return len(self.account)

    @property
    def is_refund(self) -> Bools:
        return self.status == REFUNDED


@by_day(in_work)
def payments(world: World, day: int) -> Payments:
    """What was paid or refused on a day, in no order."""
    # The sessions first, so that those of the day before are forgotten before all else is made.
    planned = sessions(world, day)
    made = of_cases(world, day, scripts(world, day))
    pays = np.flatnonzero(planned.checks_out)
    ordinary = in_parts(lambda at: _ordinary(world, day, planned, pays[at]), len(pays))
    sessions.let_go(world)
    scripts.let_go(world)
    return join([ordinary, narrow(made)])


@by_day(profiles.KEPT)
def returned(world: World, day: int) -> Payments:
    """Of what was paid on a day, what is given back later: what is wished to be, by those who are
    online then. It is kept longer."""
    every = payments(world, day)
    p = take(every, np.flatnonzero(every.back > 0))
    comes = np.zeros(len(p), dtype=bool)
    for lag in LAGS:
        due = np.flatnonzero(p.back == lag)
        comes[due] = profiles.are_online(world, day + lag, p.account[due])
    return take(p, comes)


def refunds(world: World, day: int) -> Payments:
    """What is given back on a day: all of it or some pieces."""
    found = [take(returned(world, day), slice(0))]
    for lag in LAGS:
        if day >= lag:
            p = returned(world, day - lag)
            found.append(take(p, np.flatnonzero(p.back == lag)))
    p = wide(join(found))
    h = hashed(world.config, "refund", p.made, p.order, p.line)
    return given_back(world.config, p, (3_600 + below(h << np.uint64(15), 72_000)) * 1_000)


def given_back(config: WorldConfig, p: Payments, ms: I64) -> Payments:
    """What is given back of payments, all of it or some pieces, at these milliseconds."""
    h = hashed(config, "refund", p.made, p.order, p.line)
    some = np.where(chance(h, 0.7), p.quantity, 1 + below(h << np.uint64(31), p.quantity))
    nothing = np.full(len(p), -1)
    return replace(p, ms=ms, quantity=some, status=np.full(len(p), REFUNDED), session=nothing)


def looked_at(config: WorldConfig, account: I64, h: U64) -> I64:
    """Products that somebody looks at, by taste."""
    return catalogue.of_category(profiles.category(config, account, h), draw(3, h))


def in_cart(config: WorldConfig, account: I64, luck: U64, turn: I64) -> I64:
    """The product that is put into a session's cart on each turn, from 0."""
    return looked_at(config, account, draw(2, luck, turn))


def first_in_cart(config: WorldConfig, s: Sessions) -> I64:
    return in_cart(config, s.account, s.luck, np.zeros(len(s), dtype=np.int64))


def quantity(luck: U64, turn: I64) -> I64:
    return 1 + pick(draw(4, luck, turn), (85, 11, 4))


def total_cents(config: WorldConfig, day: int, s: Sessions) -> I64:
    """What is in each cart in the end."""
    total = np.zeros(len(s), dtype=np.int64)
    for k in range(_MOST_CARTED):
        turn = np.full(len(s), k)
        price = catalogue.price_of(config, day, in_cart(config, s.account, s.luck, turn))
        total += np.where(s.carted > k, price * quantity(s.luck, turn), 0)
    return total


def _ordinary(world: World, day: int, every: Sessions, number: I64) -> Payments:
    """Of those sessions alone that come to the checkout it matters when and from where."""
    config = world.config
    s, origin = placed(config, day, take(every, number))
    counts = (s.failures + s.is_bought) * s.carted
    at = owners(counts)
    attempt, line = np.divmod(ordinals(counts), s.carted[at])
    account, luck = s.account[at], s.luck[at]
    fails = attempt < s.failures[at]
    product = in_cart(config, account, luck, line)
    waits = chance(luck << np.uint64(37), _PENDING)
    h = draw(5, luck, line)
    back = np.array(LAGS)[below(h << np.uint64(31), len(LAGS))]
    status = np.where(fails, FAILED, np.where(waits, PENDING, COMPLETED))
    return Payments(
        account=account,
        made=np.full(len(at), day),
        order=number[at],
        line=line,
        attempt=attempt,
        ms=np.where(fails, s.checkout[at] + RETRY * (attempt + 1), s.paid[at]),
        product=product,
        quantity=quantity(luck, line),
        unit_cents=catalogue.price_of(config, day, product),
        status=status,
        method=profiles.method(config, account, draw(6, luck, attempt)),
        session=np.where(s.tells, number, -1)[at],
        back=np.where(chance(h, _GIVEN_BACK) & (status == COMPLETED), back, 0),
        case=np.full(len(at), -1),
        is_evidence=np.zeros(len(at), dtype=bool),
        origin=take(origin, at),
    )


def of_cases(world: World, day: int, every: Sequence[Script], number: int = 0) -> Payments:
    """What planted cases pay, the first of them being that of the number."""
    lines = [line for s in every for line in s.lines]

    def column(name: str) -> I64:
        return np.array([getattr(line, name) for line in lines], dtype=np.int64)

    def origin(name: str, kind: type) -> np.ndarray:
        return np.array([getattr(line.at, name) for line in lines], dtype=kind)

    count = np.array([len(s.lines) for s in every], dtype=np.int64)
    nth, product = owners(count), column("product")
    account, case = np.array([s.account for s in every], dtype=np.int64)[nth], nth + number
    first = CASES + case * OF_A_CASE
    numbers = "line", "attempt", "ms", "quantity", "status", "method", "back"
    places = "kind", "browser", "network", "place", "latitude", "longitude"
    return Payments(
        account=account,
        made=np.full(len(case), day),
        order=first + column("order"),
        product=product,
        unit_cents=catalogue.price_of(world.config, day, product),
        session=first + column("session"),
        case=case,
        is_evidence=column("is_evidence").astype(bool),
        origin=Origin(
            device=origin("device", np.uint64), **{c: origin(c, np.int64) for c in places}
        ),
        **{c: column(c) for c in numbers},
    )


def order_ids(seed: int, made: I64, order: I64) -> pl.Series:
    """Unique by construction, as the session's."""
    return _numbered(seed, "order", made, order)


def session_ids(seed: int, day: I64, session: I64) -> pl.Series:
    return _numbered(seed, "session", day, session)


def _numbered(seed: int, what: str, day: I64, number: I64) -> pl.Series:
    packed = (day << np.int64(40)) | np.maximum(number, 0)
    return hexadecimal(draw(key(seed, f"shop:{what}-id"), packed), f"{what[0].upper()}-")


def transaction_ids(seed: int, p: Payments, *, paid: bool = False) -> pl.Series:
    """Of attempts and refunds; `paid`: of the payments that refunds give back."""
    attempt = np.where(p.is_refund & (not paid), _REFUND, p.attempt)
    packed = (
        (p.made << np.int64(42)) | (p.order << np.int64(10)) | (p.line << np.int64(5)) | attempt
    )
    return hexadecimal(draw(key(seed, "id:shop_orders"), packed), "T-")
