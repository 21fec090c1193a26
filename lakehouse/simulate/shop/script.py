"""What a planted case does in the shop, put together action by action."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from lakehouse.contracts.shop.orders import ACTIONS, PAYMENT_METHODS, STATUSES
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import draw, key, mix, pick
from lakehouse.simulate.kernel.places import WEIGHTS
from lakehouse.simulate.kernel.scenario import Scenario
from lakehouse.simulate.kernel.world import World
from lakehouse.simulate.shop import catalogue, profiles

VIEW, CART, CHECKOUT, PURCHASE, REFRESH = range(len(ACTIONS))
COMPLETED, PENDING, FAILED, REFUNDED = range(len(STATUSES))
CREDIT, DEBIT = PAYMENT_METHODS.index("credit_card"), PAYMENT_METHODS.index("debit_card")
MINUTE = 60_000
LAGS = (1, 2, 3, 5, 7, 10, 14)
"""Days after which something may be given back."""
APART = 2_100
"""Milliseconds between two actions of a case at the least: it takes so long to pay."""
EUROPE = (*range(13), 42)
AMERICAS = (*range(13, 37), *range(38, 42))
ASIA = (43, 44, 45)
FAR = {0: AMERICAS + ASIA, 1: EUROPE + ASIA, 2: EUROPE + AMERICAS}
"""By part of the world, places that are more than 5,000 km away [facts: coordinates]. Honolulu
is near nothing, and so left out."""


class At(NamedTuple):
    """From where and with what: an `Origin` of one."""

    device: int
    kind: int
    browser: int
    network: int
    place: int
    latitude: int
    longitude: int


class Parties(NamedTuple):
    """Who is in a case."""

    own: At
    """Where the account is that day, with its first device."""
    stranger: At
    """A device and a network that the account never had; instead of a place, how far off the
    centre of one."""
    method: int
    """How the account pays that day."""


def parties(config: WorldConfig, day: int, cases: Sequence[Scenario]) -> list[Parties]:
    """Who is in each case of a day."""
    who = np.array([case.players[0] for case in cases], dtype=np.int64)
    own = profiles.origin(config, who, day, np.zeros(len(who), dtype=np.uint64))
    h = np.array([key(case.luck, "stranger") for case in cases], dtype=np.uint64)
    device, kind = mix(h ^ np.uint64(1)), pick(mix(h ^ np.uint64(2)), (40, 55, 5))
    off, network = profiles.jitter(mix(h ^ np.uint64(3))), profiles.networks(mix(h ^ np.uint64(4)))
    seen, nowhere = profiles.browser(device, kind), np.full(len(who), -1)
    stranger = profiles.Origin(device, kind, seen, network, nowhere, *off)
    luck = np.array([case.luck for case in cases], dtype=np.uint64)
    method = profiles.method(config, who, mix(luck ^ np.uint64(7))).tolist()
    return [Parties(*one) for one in zip(_each(own), _each(stranger), method, strict=True)]


def _each(origins: profiles.Origin) -> list[At]:
    columns = (getattr(origins, name).tolist() for name in At._fields)
    return [At(*one) for one in zip(*columns, strict=True)]


class Act(NamedTuple):
    """One action. `order`: the number of what is paid, -1 of other actions."""

    at: At
    ms: int
    kind: int
    product: int = -1
    cents: int = -1
    order: int = -1
    session: int = 0


class Line(NamedTuple):
    """One attempt to pay a product of an order. `back`: days after which it is given back, 0
    never. `is_evidence`: the case rests on it."""

    at: At
    ms: int
    order: int
    line: int
    attempt: int
    product: int
    quantity: int
    status: int
    method: int
    back: int = 0
    is_evidence: bool = True
    session: int = 0


@dataclass
class Script:
    """What one case adds to a day."""

    world: World
    day: int
    case: Scenario
    parties: Parties
    actions: list[Act] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    now: int = 0
    """Milliseconds since the gaming day opened."""
    orders: int = 0
    session: int = 0
    is_there: bool = False
    """Whether the account is online on the days after, whatever the world says."""

    @property
    def config(self) -> WorldConfig:
        return self.world.config

    @property
    def account(self) -> int:
        return self.case.players[0]

    @property
    def own(self) -> At:
        return self.parties.own

    @property
    def method(self) -> int:
        return self.parties.method

    def wait(self, milliseconds: int) -> None:
        self.now += max(milliseconds, APART)

    def comes(self, earliest: int, latest: int) -> None:
        """Begins, at some second from `earliest` to `latest` hours into the day."""
        self.now = 1_000 * self.case.among(earliest * 3_600, latest * 3_600, "comes")

    def leaves(self) -> None:
        self.session += 1

    def price(self, product: int) -> int:
        return _prices(self.config.seed, self.day)[product]

    def stranger(self, place: int) -> At:
        """Somebody else, at a place."""
        found, (north, east) = self.parties.stranger, _centre(place)
        north, east = north + found.latitude, east + found.longitude
        return found._replace(place=place, latitude=north, longitude=east)

    def back_days(self) -> list[int]:
        """Days after which something can be given back: the account is online then."""
        if self.is_there:
            return list(LAGS)
        who = np.array([self.account])
        return [n for n in LAGS if profiles.are_online(self.world, self.day + n, who)[0]]

    def far(self, what: str = "far") -> int:
        """A place in another part of the world than where the account is."""
        here = self.own.place
        part = 0 if here in EUROPE else 2 if here in ASIA else 1
        places = FAR[part]
        return places[self.case.below(len(places), what)]

    def nearby(self, what: str = "near") -> int:
        """A place in the same part of the world, or the same."""
        here = self.own.place
        if here in EUROPE[:13]:
            return int(pick(draw(key(self.case.luck, what)), WEIGHTS)[0])
        part = AMERICAS if here in AMERICAS else (here,)
        return part[self.case.below(len(part), what)]

    def look(self, at: At, product: int, *, cart: bool = True) -> None:
        """Looks at a product, and puts it into the cart."""
        cents = self.price(product)
        for kind in (VIEW, CART)[: 1 + cart]:
            self.actions.append(Act(at, self.now, kind, product, cents, -1, self.session))
            self.wait(self.case.among(4_000, 25_000, "look", len(self.actions)))

    def check_out(self, at: At, cents: int) -> None:
        self.actions.append(Act(at, self.now, CHECKOUT, -1, cents, -1, self.session))
        self.wait(self.case.among(6_000, 30_000, "checkout", len(self.actions)))

    def pay(
        self,
        at: At,
        basket: Sequence[tuple[int, int]],
        status: int,
        method: int,
        *,
        attempt: int = 0,
        back: Sequence[int] = (),
        is_evidence: bool = True,
    ) -> None:
        """Pays (product, pieces) of an order, or tries to. The order stays open where it fails."""
        for k, (product, quantity) in enumerate(basket):
            days = back[k] if k < len(back) else 0
            self.lines.append(
                Line(at, self.now, self.orders, k, attempt, product, quantity, status, method,
                     days, is_evidence, self.session)
            )  # fmt: skip
        if status != FAILED:
            one = basket[0][0] if len(basket) == 1 else -1
            cents = sum(self.price(p) * q for p, q in basket)
            self.actions.append(Act(at, self.now, PURCHASE, one, cents, self.orders, self.session))
            self.orders += 1

    def gives_up(self) -> None:
        """The order was never paid."""
        self.orders += 1

    def buy(
        self,
        at: At,
        basket: Sequence[tuple[int, int]],
        method: int,
        *,
        back: Sequence[int] = (),
        is_evidence: bool = True,
    ) -> None:
        """Looks, puts into the cart, checks out and pays."""
        for product, _ in basket:
            self.look(at, product)
        self.check_out(at, sum(self.price(p) * q for p, q in basket))
        self.pay(at, basket, COMPLETED, method, back=back, is_evidence=is_evidence)

    def some(self, what: str, low: int, high: int, *parts: int) -> int:
        """A product that costs from `low` to `high` dollars that day, no gift card; the one that
        comes nearest where there is none."""
        fits = _fitting(self.config.seed, self.day, low * 100, high * 100)
        return fits[self.case.below(len(fits), what, *parts)]


@functools.cache
def _centre(place: int) -> tuple[int, int]:
    north, east = (int(column[place]) for column in profiles.centres())
    return north, east


@functools.lru_cache(maxsize=64)
def _prices(seed: int, day: int) -> list[int]:
    """By product, the cents of a day."""
    return catalogue.price_cents(seed, day).tolist()


@functools.lru_cache(maxsize=4_096)
def _fitting(seed: int, day: int, low: int, high: int) -> list[int]:
    """Products but for cards from `low` to `high` cents, or the one that comes nearest."""
    prices = catalogue.price_cents(seed, day)[: catalogue.VOUCHERS[0]]
    fits = np.flatnonzero((prices >= low) & (prices <= high))
    return fits.tolist() if len(fits) else [int(np.argmin(np.abs(prices - low)))]
