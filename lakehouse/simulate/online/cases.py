"""Accounts that play to their harm, are shared, or are played by a program, of known strength;
and honest accounts that look like it. A case knows its days without the days between."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from lakehouse.simulate.kernel import accounts
from lakehouse.simulate.kernel.config import WINDOW, WorldConfig
from lakehouse.simulate.kernel.counter import draw, key, uniform

KINDS = {"problem_play": (5, 14), "account_sharing": (4, 12), "betting_bot": (2, 7)}
"""Kind → days that it lasts, faint and blatant."""
LONGEST = 14
_OFTEN = 0.05
"""Cases are of the accounts that are seen most."""


@dataclass(frozen=True)
class Case:
    """A case as it is on any of its days. `intensity`: 1 blatant, 0 nearly nothing; of a
    look-alike, how near it comes."""

    number: int
    kind: str
    account: int
    first_day: int
    last_day: int
    intensity: float
    is_look_alike: bool
    seed: int

    def below(self, n: int, what: str, *parts: int) -> int:
        """The case's own whole number from 0 to n - 1."""
        return (key(self.seed, f"online-case:{what}", self.number, *parts) * n) >> 64

    def scaled(self, faint: int, blatant: int) -> int:
        """Between two values, by intensity."""
        return round(faint + (blatant - faint) * self.intensity)

    def passed(self, day: int) -> float:
        """How much of its time has passed: 0 on the first day, 1 on the last."""
        return (day - self.first_day) / max(self.last_day - self.first_day, 1)


@functools.lru_cache(maxsize=256)
def cases(config: WorldConfig, day: int) -> tuple[Case, ...]:
    """Cases and look-alikes of a day, in order of number; of two of one account, the earlier."""
    found: dict[int, Case] = {}
    for first in range(max(0, day - LONGEST + 1), day + 1):
        for c in _starting(config, first):
            if day <= c.last_day:
                found.setdefault(c.account, c)
    return tuple(sorted(found.values(), key=lambda c: c.number))


@functools.lru_cache(maxsize=512)
def _starting(config: WorldConfig, day: int) -> list[Case]:
    return [c for n, kind in enumerate(KINDS) for c in _of_kind(config, day, n, kind)]


def _of_kind(config: WorldConfig, day: int, n: int, kind: str) -> list[Case]:
    """The expected number, rounded up or down by chance."""
    total = accounts.account_count(config)
    wanted = getattr(config.faults, kind) * total / WINDOW
    wishes = wanted, wanted * config.faults.look_alikes
    luck = uniform(draw(key(config.seed, f"online-cases:{kind}", day), np.arange(2)))
    counts = [int(w + u) for w, u in zip(wishes, luck, strict=True)] if wanted else [0, 0]
    number = (day * len(KINDS) + n) * 1_000_000 + np.arange(sum(counts))
    place, force = (
        uniform(draw(key(config.seed, f"online-cases:{what}"), number)) for what in ("who", "force")
    )
    often = max(1, int(total * _OFTEN))
    who = accounts.account_of_rank(config, (place * place * often).astype(np.int64))
    opened = accounts.are_open(config, who, day)
    faint, blatant = KINDS[kind]
    found = []
    for i in np.flatnonzero(opened).tolist():
        like = i >= counts[0]
        intensity = float(force[i]) * (1.0 if like else min(config.faults.intensity, 1.0))
        last = day - 1 + round(faint + (blatant - faint) * intensity)
        about = (int(number[i]), kind, int(who[i]), day, last)
        found.append(Case(*about, intensity, like, config.seed))
    return found
