"""A case of fraud in the shop that ends at a given moment, beside those that the world has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from lakehouse.errors import BadInput
from lakehouse.regulation.gaming_day import gaming_day_of
from lakehouse.simulate.kernel import accounts
from lakehouse.simulate.kernel.arrays import join, take
from lakehouse.simulate.kernel.counter import key
from lakehouse.simulate.kernel.scenario import Scenario
from lakehouse.simulate.kernel.world import World
from lakehouse.simulate.shop import actions, orders, payments, profiles, visits
from lakehouse.simulate.shop.cases import KINDS, cases
from lakehouse.simulate.shop.script import Script, parties

FIRST = 1 << 15
"""Number of the first such case of a day, after all that the world has."""
MOST = 1 << 15
_ORDINALS = 1 << 30
_OF_A_CASE = 1_024
_BACK = 1_800_000
"""Milliseconds after which a burst gives back, for each day after which the world does: all of it
is within a day, as what comes later than that is not judged live."""


@dataclass(frozen=True)
class Burst:
    """What a case adds: rows of the shop's tables in bronze's shape, and what is planted."""

    account: str
    rows: Mapping[str, pl.DataFrame]
    plants: pl.DataFrame


def burst(
    world: World,
    kind: str,
    ends: dt.datetime,
    number: int,
    *,
    user: str | None = None,
    intensity: float = 1.0,
    is_look_alike: bool = False,
) -> Burst:
    """The `number`-th burst (from 0) of the gaming day of `ends`, at which its last event
    happens. Without `user`, of somebody who is online that day and in no other case. Raises
    BadInput for a kind, an account or a day that is none."""
    if kind not in KINDS:
        raise BadInput(f"no fraud {kind!r}; there are: {', '.join(KINDS)}")
    if not 0 <= number < MOST:
        raise BadInput(f"{MOST} bursts are planted on that day already")
    day = world.config.index(gaming_day_of(ends, world.config.timezone))
    luck = key(world.config.seed, "shop:burst", day, number)
    account = _somebody(world, day, luck) if user is None else _account(world, user)
    strong = max(1, min(1_000, round(intensity * 1_000)))
    case = Scenario(
        day << 16 | FIRST + number, kind, (account,), day, day, 0, luck, strong, is_look_alike
    )
    script = Script(world, day, case, parties(world.config, day, [case])[0], is_there=True)
    KINDS[kind][is_look_alike](script)
    paid, done = _numbers(world, day, FIRST + number, script, ends)
    rows = {
        orders.TABLE: orders.dress(world.config, paid),
        visits.TABLE: actions.dress(world.config, done),
    }
    evidence = take(paid.payments, np.flatnonzero(paid.payments.is_evidence))
    planted = orders.planted_in(world, day, evidence, [case] * len(evidence))
    return Burst(accounts.account_ids(np.array([account]))[0], rows, planted)


def is_burst() -> pl.Expr:
    """Whether a plant of the truth is of such a case: its number is above the world's own."""
    number = pl.col("plant_id").str.strip_prefix("shop:").cast(pl.Int64, strict=False)
    return (number & 0xFFFF >= FIRST).fill_null(value=False)


def _numbers(
    world: World, day: int, k: int, script: Script, ends: dt.datetime
) -> tuple[orders.Rows, actions.Actions]:
    """Payments and actions in order of time, moved so that the last one happens at `ends`. What
    would be given back days later is given back within hours."""
    p, a = payments.of_cases(world, day, [script], k), actions.of_cases([script], k)
    worn = take(p, np.flatnonzero(p.back > 0))
    returned = payments.given_back(world.config, worn, worn.ms + worn.back * _BACK)
    p = replace(join([p, returned]), back=np.zeros(len(p) + len(returned), dtype=np.int64))
    p = take(p, np.argsort(p.ms, kind="stable"))
    a = take(a, np.argsort(a.ms, kind="stable"))
    last = int(max(p.ms.max(), a.ms.max()))
    until = round(ends.timestamp() * 1_000)
    days = np.full(len(a), day)
    ordinal = _ORDINALS + (k - FIRST) * _OF_A_CASE + np.arange(len(a))
    event = (until - last + a.ms) * 1_000
    done = replace(a, day=days, ordinal=ordinal, event=event)
    return orders.Rows(p, np.full(len(p), day), (until - last + p.ms) * 1_000), done


def _account(world: World, user: str) -> int:
    """The number of an account."""
    count = accounts.account_count(world.config)
    known = user[:1] == "A" and user[1:].isdecimal() and int(user[1:]) < count
    if not known or accounts.account_ids(np.array([int(user[1:])]))[0] != user:
        raise BadInput(f"no user {user!r}; they are A00000000 to A{count - 1:08}")
    return int(user[1:])


def _somebody(world: World, day: int, luck: int) -> int:
    taken = [case.players[0] for case in cases(world, day)]
    free = np.setdiff1d(profiles.online(world, day), taken)
    if not len(free):
        raise BadInput("nobody is online in the shop that day: name a --user")
    return int(free[(luck * len(free)) >> 64])
