"""Misconduct on machines and by staff, of known kinds: which cases there are on a day.

A case is drawn for its first day and holds its machine or person until its last, so that any
day knows its cases without the days between. Beside the cases stand honest look-alikes.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from lakehouse.simulate.faults.scenarios import engaged
from lakehouse.simulate.kernel import exclusion
from lakehouse.simulate.kernel.book import player_of_rank, reserved
from lakehouse.simulate.kernel.config import WINDOW, WorldConfig
from lakehouse.simulate.kernel.counter import below, draw, key, permute, uniform
from lakehouse.simulate.kernel.staff import CASHIERS, SHIFTS, badge_at, badges

SCENARIOS = 1 << 40
"""Play of a case is planted under its number from here on; below are patrons' scenarios."""


@dataclass(frozen=True)
class Kind:
    """What a kind is of, and how many days it lasts, faint and blatant."""

    of: str
    faint_days: int
    blatant_days: int
    like_days: int
    """Of a look-alike, at the most."""
    alike: int = 1
    """Look-alikes for one of other kinds: where nobody honest did it, a single case would stand
    out whatever it did."""


KINDS = {
    "hold_drift": Kind("machine", 28, 8, 6),
    "meter_against_play": Kind("machine", 5, 12, 4),
    "door_without_badge": Kind("machine", 1, 6, 4),
    "jackpot_without_play": Kind("machine", 1, 5, 2),
    "dealer_collusion": Kind("dealer", 28, 14, 28, alike=16),
    "cashier_overrides": Kind("cashier", 20, 10, 6),
    "cashier_voids": Kind("cashier", 20, 10, 6),
    "tailgating": Kind("badge", 4, 14, 3),
    "badge_cloning": Kind("badge", 2, 8, 5, alike=32),
}
LONGEST = 28
_TRIES = 8


@dataclass(frozen=True)
class Case:
    """A case as it is on any of its days."""

    number: int
    kind: str
    entity: int
    """Machine, dealer, cashier, or position among the badges."""
    first_day: int
    last_day: int
    intensity: float
    """1: blatant, 0: nearly nothing; of a look-alike, how near it comes."""
    is_look_alike: bool

    seed: int

    def luck(self, what: str, *parts: int) -> float:
        """The case's own number in [0, 1)."""
        h = draw(key(self.seed, f"case:{self.kind}:{what}", *parts), np.array([self.number]))
        return float(uniform(h)[0])


def entities(config: WorldConfig) -> dict[str, int]:
    """How many there are of what a case can be of."""
    return {
        "machine": config.machine_count,
        "dealer": SHIFTS * config.table_count,
        "cashier": SHIFTS * CASHIERS,
        "badge": badges(config),
    }


def are_planted(config: WorldConfig) -> bool:
    """Whether machines and staff misbehave in this world, and are watched: what watches them
    (technicians' badges, voids, doors inside) is then recorded of the honest too."""
    return any(getattr(config.faults, kind) > 0 for kind in KINDS)


@functools.lru_cache(maxsize=256)
def cases(config: WorldConfig, day: int) -> tuple[Case, ...]:
    """Cases and look-alikes of a day, in order of number; of two that would have one machine or
    person, the earlier."""
    found: dict[tuple[str, int], Case] = {}
    for first in range(max(0, day - LONGEST + 1), day + 1):
        for c in _starting(config, first):
            if day <= c.last_day:
                found.setdefault((KINDS[c.kind].of, c.entity), c)
    return tuple(sorted(found.values(), key=lambda c: c.number))


def of_kind(config: WorldConfig, day: int, *kinds: str) -> list[Case]:
    return [c for c in cases(config, day) if c.kind in kinds]


@functools.lru_cache(maxsize=512)
def accomplice(config: WorldConfig, c: Case) -> int:
    """The player whom a dealer favours, or who is fond of him: one of those who come often, not
    on the exclusion list; -1 where the book has nobody."""
    ordinary = config.player_count - reserved(config)
    u = uniform(draw(key(config.seed, "accomplice", c.number), np.arange(_TRIES)))
    if ordinary < 1:
        return -1
    who = player_of_rank(config, np.minimum((u * u * u * ordinary).astype(np.int64), ordinary - 1))
    free = who[~exclusion.joined(config, who, c.last_day)]
    return int(free[0]) if len(free) else -1


@functools.lru_cache(maxsize=128)
def meeting(config: WorldConfig, day: int) -> dict[int, Case]:
    """Player → case of those who meet their dealer on the day. They come for that alone."""
    engaged_otherwise = set(engaged(config, day).tolist())
    found: dict[int, Case] = {}
    for c in of_kind(config, day, "dealer_collusion"):
        player = accomplice(config, c)
        comes = c.luck("comes", day) < 0.35 + 0.45 * c.intensity
        if comes and player >= 0 and player not in engaged_otherwise:
            found.setdefault(player, c)
    return found


def evidence(config: WorldConfig, day: int) -> dict[str, list[str]]:
    """Column → values in rows of the day on which a case rests: they are not to be lost."""
    found: dict[str, set[str]] = {"machine_id": set(), "badge_number": set(), "player_id": set()}
    found["player_id"].update(f"P{player:08d}" for player in meeting(config, day))
    for c in cases(config, day):
        if c.kind in ("meter_against_play", "door_without_badge", "jackpot_without_play"):
            found["machine_id"].add(f"SLOT-{c.entity + 1:04d}")
        elif KINDS[c.kind].of == "badge":
            found["badge_number"].add(f"BDG-{badge_at(config, c.entity):05d}")
    return {column: sorted(values) for column, values in found.items() if values}


@functools.lru_cache(maxsize=512)
def _starting(config: WorldConfig, day: int) -> list[Case]:
    return [c for n, kind in enumerate(KINDS) for c in _of_kind_starting(config, day, n, kind)]


def _of_kind_starting(config: WorldConfig, day: int, n: int, kind: str) -> list[Case]:
    """The expected number, rounded up or down by chance; each of another machine or person
    than those of the days before."""
    about, faults = KINDS[kind], config.faults
    many = entities(config)[about.of]
    wanted = getattr(faults, kind) * many / WINDOW
    if wanted <= 0:
        return []
    wishes = wanted, wanted * faults.look_alikes * about.alike
    luck = uniform(draw(key(config.seed, f"cases:{kind}", day), np.arange(2)))
    counts = [int(w + u) for w, u in zip(wishes, luck, strict=True)]
    most = sum(int(w) + 1 for w in wishes)
    rivals = [k for k, other in KINDS.items() if other.of == about.of]
    at = np.arange(sum(counts)) + day * most + rivals.index(kind) * many // len(rivals)
    who = permute(at % many, many, key(config.seed, f"cases-of:{about.of}"))
    number = (day * len(KINDS) + n) * 1_000 + np.arange(len(at))
    force = uniform(draw(key(config.seed, f"cases:{kind}:intensity"), number))
    like_days = 1 + below(
        draw(key(config.seed, f"cases:{kind}:like-days"), number), about.like_days
    )
    found = []
    for i, entity in enumerate(who.tolist()):
        like = i >= counts[0]
        intensity = float(force[i]) * (1.0 if like else min(faults.intensity, 1.0))
        span = about.faint_days + (about.blatant_days - about.faint_days) * intensity
        last = day - 1 + (int(like_days[i]) if like else round(span))
        found.append(Case(int(number[i]), kind, entity, day, last, intensity, like, config.seed))
    return found
