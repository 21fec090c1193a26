"""Which fraud and which honest look-alikes of it there are in the shop on a day, and of whom."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import numpy as np

from lakehouse.simulate.kernel import accounts
from lakehouse.simulate.kernel.arrays import order_of, parts
from lakehouse.simulate.kernel.config import WINDOW, WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64, below, draw, key, uniform
from lakehouse.simulate.kernel.memory import by_day, in_work
from lakehouse.simulate.kernel.scenario import Scenario
from lakehouse.simulate.kernel.world import World
from lakehouse.simulate.shop import fraud, look_alikes, profiles
from lakehouse.simulate.shop.script import LAGS, Script, parties

_LOOKED_UP = 512
Act = Callable[[Script], None]
KINDS: Mapping[str, tuple[Act, Act]] = MappingProxyType(
    {
        "card_testing": (fraud.card_testing, look_alikes.card_testing),
        "velocity_burst": (fraud.velocity_burst, look_alikes.velocity_burst),
        "impossible_travel": (fraud.impossible_travel, look_alikes.impossible_travel),
        "account_takeover": (fraud.account_takeover, look_alikes.account_takeover),
        "refund_abuse": (fraud.refund_abuse, look_alikes.refund_abuse),
        "gift_card_drain": (fraud.gift_card_drain, look_alikes.gift_card_drain),
    }
)
"""What a case does, and what an honest one does that looks like it."""


@by_day(profiles.KEPT)
def acted(world: World, day: int) -> list[Scenario]:
    """The cases of `scripts`, in their order."""
    return [s.case for s in scripts(world, day)]


@by_day(in_work)
def scripts(world: World, day: int) -> list[Script]:
    """What each case of a day does, in order of number; as many as the day has room for."""
    config = world.config
    room, found = config.quota("shop_actions", day) // 2, []
    planted = cases(world, day)
    for case, those in zip(planted, parties(config, day, planted), strict=True):
        script = Script(world, day, case, those)
        KINDS[case.kind][case.is_look_alike](script)
        room -= len(script.actions)
        if room >= 0:
            found.append(script)
    return found


@by_day(in_work)
def cases(world: World, day: int) -> list[Scenario]:
    """The expected number of each kind, rounded up or down by chance; each of another account
    of those who are online; who gives back comes again. The case's one player is the account."""
    config, who = world.config, profiles.online(world, day)
    faults, count = config.faults, accounts.account_count(config)
    share = np.array([getattr(faults, kind) for kind in KINDS]) * faults.misconduct
    expected = np.concatenate([share, share * faults.look_alikes]) * count / WINDOW
    luck = uniform(draw(key(config.seed, "shop:cases", day), np.arange(len(expected))))
    kinds = np.repeat(np.arange(len(expected)), (expected + luck).astype(np.int64))
    names, taken, found = list(KINDS), set[int](), []
    ranked, alike = itertools.tee(_ranked(config, day, who))
    again = _coming_again(world, day, alike)
    anybody = (account for some in ranked for account in some.tolist())
    for i, k in enumerate(kinds.tolist()):
        pool = again if names[k % len(names)] == "refund_abuse" else anybody
        account = next((a for a in pool if a not in taken), None)
        if account is not None:
            taken.add(account)
            found.append(_case(config, day, i, k, account))
    return found


def _ranked(config: WorldConfig, day: int, who: I64) -> Iterator[I64]:
    """The accounts in the order of their turns, some at a time: of many, most are never asked
    for, and are not put in order."""
    base, bands = key(config.seed, "shop:victims", day), len(parts(len(who)))
    for band in range(bands):
        found = [_in_band(who[at], draw(base, who[at]), band, bands) for at in parts(len(who))]
        some, h = (np.concatenate(column) for column in zip(*found, strict=True))
        some = some[order_of(h)]
        yield from (some[k : k + _LOOKED_UP] for k in range(0, len(some), _LOOKED_UP))


def _in_band(who: I64, h: U64, band: int, bands: int) -> tuple[I64, U64]:
    here = below(h, bands) == band
    return who[here], h[here]


def _coming_again(world: World, day: int, ranked: Iterator[I64]) -> Iterator[int]:
    """Of the accounts in turn those who come on two days or more on which they could give
    back."""
    for some in ranked:
        comes = sum(profiles.are_online(world, day + n, some).astype(np.int64) for n in LAGS)
        yield from some[comes >= 2].tolist()


def _case(config: WorldConfig, day: int, i: int, k: int, account: int) -> Scenario:
    number, honest = day << 16 | i, k >= len(KINDS)
    luck = key(config.seed, "shop:case", number)
    strong = 1 + int(below(draw(key(luck, "intensity")), 1_000)[0])
    if not honest:
        strong = min(round(strong * config.faults.intensity), 1_000)
    kind = list(KINDS)[k % len(KINDS)]
    return Scenario(number, kind, (account,), day, day, 0, luck, strong, honest)
