"""What goes wrong on the game platform, planted: maps that crash, servers that fail, rings that
buy together; and what is honest and looks like it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lakehouse.simulate.kernel.accounts import account_count, account_of_rank
from lakehouse.simulate.kernel.arrays import ordinals, owners
from lakehouse.simulate.kernel.config import WINDOW, WorldConfig
from lakehouse.simulate.kernel.counter import I64, below, draw, key, mix, permute, uniform
from lakehouse.simulate.platform import game

CRASH, OUTAGE, RING = "map_crash", "server_outage", "purchase_ring"
_LONGEST = {CRASH: 1, OUTAGE: 1, RING: 14}
"""Days that a case lasts at the most."""
_MEMBERS = (5, 10)
_KEEN = 0.02
"""Members of a ring are of this share of accounts, those that are seen most."""


@dataclass(frozen=True)
class Case:
    """One case as it is on each of its days. What `entity` numbers depends on the kind."""

    kind: str
    number: int
    """Of its kind, in the order in which they begin."""
    entity: int
    first_day: int
    last_day: int
    permille: int
    """Intensity: 1000 blatant, 0 nearly nothing; of a look-alike, how near it comes."""
    is_look_alike: bool
    seed: int

    @property
    def intensity(self) -> float:
        return self.permille / 1000

    def below(self, n: int, what: str, *parts: int) -> int:
        """The case's own whole number from 0 to n - 1."""
        return (key(self.seed, f"{self.kind}:{what}", self.number, *parts) * n) >> 64


def entities(config: WorldConfig, kind: str) -> int:
    if kind == RING:
        return account_count(config)
    return game.MAPS if kind == CRASH else game.server_count(config)


@functools.lru_cache(maxsize=512)
def cases(config: WorldConfig, kind: str, day: int) -> tuple[Case, ...]:
    """Cases of a kind and their look-alikes that are there on a day, in order of number."""
    since = range(max(0, day - _LONGEST[kind] + 1), day + 1)
    return tuple(c for d in since for c in _starting(config, kind, d) if day <= c.last_day)


@functools.lru_cache(maxsize=512)
def _starting(config: WorldConfig, kind: str, day: int) -> list[Case]:
    """The expected number, rounded up or down by chance; each of another entity than those of
    the days before, as long as there are."""
    many = entities(config, kind)
    wanted = getattr(config.faults, kind) * many / WINDOW
    if wanted <= 0:
        return []
    wishes = wanted, wanted * config.faults.look_alikes
    luck = uniform(draw(key(config.seed, f"platform:{kind}", day), np.arange(2)))
    counts = [int(w + u) for w, u in zip(wishes, luck, strict=True)]
    most = sum(int(w) + 1 for w in wishes)
    number = day * most + np.arange(sum(counts))
    who = permute(number % many, many, key(config.seed, f"platform:{kind}:of"))
    h = draw(key(config.seed, f"platform:{kind}:case"), number)
    lasts = 1 + below(h << np.uint64(31), _LONGEST[kind])
    force = uniform(draw(1, h))
    return [
        Case(
            kind,
            int(number[k]),
            int(who[k]),
            day,
            day + int(lasts[k]) - 1,
            round(1000 * min(1.0, float(force[k]) * (alike or config.faults.intensity))),
            alike,
            config.seed,
        )
        for k in range(len(number))
        for alike in [k >= counts[0]]
    ]


def members(config: WorldConfig, rings: Sequence[Case]) -> tuple[I64, I64]:
    """(position of the ring, account) in order, of rings and of the guests of a place with one
    network."""
    low, high = _MEMBERS
    size = np.array([low + c.below(high - low + 1, "size") for c in rings], dtype=np.int64)
    luck = [key(config.seed, "platform:ring:members", c.number) for c in rings]
    ring, total = owners(size), account_count(config)
    h = mix(np.array(luck, dtype=np.uint64)[ring] ^ ordinals(size).astype(np.uint64))
    keen = np.maximum(size, round(total * _KEEN))[ring]
    who = account_of_rank(config, np.minimum(below(h, keen), total - 1))
    order = np.lexsort((who, ring))
    ring, who = ring[order], who[order]
    is_new = (np.diff(ring, prepend=-1) != 0) | (np.diff(who, prepend=-1) != 0)
    return ring[is_new], who[is_new]


def networks(c: Case) -> I64:
    """The two networks that a ring buys from."""
    return np.array([key(c.seed, "platform:ring:network", c.number, k) >> 32 for k in range(2)])
