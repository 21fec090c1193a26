"""Scenarios of misconduct of known kinds, and of honest play that looks like them: which ones
there are on a day, and of whom.

Their players come on other days as everybody does. In a scenario's days it alone says when they
come, so that the truth table knows exactly what was planted.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from lakehouse.simulate.kernel import exclusion
from lakehouse.simulate.kernel.book import always_excluded, player_of_rank, reserved
from lakehouse.simulate.kernel.config import WINDOW, WorldConfig
from lakehouse.simulate.kernel.counter import I64, draw, key, uniform
from lakehouse.simulate.kernel.scenario import Scenario


class Kind(NamedTuple):
    """How many days a scenario lasts and how many patrons it has."""

    faint: int
    """Days from its first to its last, where it is hardly one; `blatant` where it is plain."""
    blatant: int
    players: int = 1
    honest: int | None = 1
    """Days of an honest look-alike at the most; None: there is none."""
    at_once: int = 0
    """Percent of the cases that are over in a day."""
    alike: int = 1
    """Look-alikes for one of other kinds: where hardly anybody honest draws credit, or leaves after
    a few hands, a single case would stand out whatever it did."""


KINDS = {
    "structuring": Kind(11, 3, honest=15, at_once=30),
    "minimal_play": Kind(1, 1, alike=4),
    "chip_walking": Kind(2, 2, honest=2),
    "bill_stuffing": Kind(1, 1),
    "marker_cycle": Kind(13, 6, honest=13, alike=16),
    "pooling": Kind(1, 1, players=3),
    "threshold_avoidance": Kind(1, 1),
    "card_sharing": Kind(1, 1),
    "self_excluded_play": Kind(1, 1, honest=None),
    "agent": Kind(1, 1, players=2, honest=None),
    "escalating_harm": Kind(42, 28, honest=35),
}
"""An agent is no misconduct, but the law must see it."""
LONG = "escalating_harm"
"""It goes on for weeks, and is no matter for the compliance office."""
LONGEST = max(max(k.faint, k.blatant, k.honest or 0) for k in KINDS.values())
LONGEST_REPORTED = max(max(k.faint, k.blatant) for n, k in KINDS.items() if n != LONG)
_PEOPLE = 10_000
"""In the book at scale 1."""
_EXCLUDED_TRIES = 4_096


def scenarios(config: WorldConfig, day: int) -> list[Scenario]:
    """Scenarios in whose days a day falls, in order of their number."""
    return list(_on(config, day))


@functools.lru_cache(maxsize=128)
def _on(config: WorldConfig, day: int) -> tuple[Scenario, ...]:
    return tuple(
        replace(s, step=day - first)
        for first in range(max(0, day - LONGEST + 1), day + 1)
        for s in _starting(config, first)
        if day <= s.last_day
    )


@functools.lru_cache(maxsize=128)
def engaged(config: WorldConfig, day: int) -> I64:
    """Players in whose scenario a day falls: they come as it says, and not otherwise."""
    return np.array(sorted({q for s in _on(config, day) for q in s.players}), dtype=np.int64)


@functools.lru_cache(maxsize=256)
def _starting(config: WorldConfig, day: int) -> tuple[Scenario, ...]:
    """Those drawn for the day, less whose players an earlier one has already."""
    taken = {
        q
        for first in range(max(0, day - LONGEST + 1), day)
        for s in _drawn(config, first)
        if s.last_day >= day
        for q in s.players
    }
    out = []
    for s in _drawn(config, day):
        if taken.isdisjoint(s.players):
            out.append(s)
        taken.update(s.players)
    return tuple(out)


@functools.lru_cache(maxsize=256)
def _drawn(config: WorldConfig, day: int) -> tuple[Scenario, ...]:
    faults = config.faults
    people = min(config.player_count, round(_PEOPLE * config.volume))
    share = [getattr(faults, k) for k in KINDS]
    alike = [0 if k.honest is None else faults.look_alikes * k.alike for k in KINDS.values()]
    rate = np.array([*share, *(s * a for s, a in zip(share, alike, strict=True))])
    expected = rate * faults.misconduct * people / WINDOW
    if not expected.any():
        return ()
    luck = uniform(draw(key(config.seed, "scenario-count", day), np.arange(len(expected))))
    counts = (expected + luck).astype(np.int64)
    kinds = np.repeat(np.arange(len(counts)), counts).tolist()
    found = (
        _scenario(config, day, day << 16 | i, list(KINDS)[k % len(KINDS)], k >= len(KINDS))
        for i, k in enumerate(kinds)
    )
    return tuple(s for s in found if s is not None)


def _scenario(
    config: WorldConfig, day: int, number: int, kind: str, honest: bool
) -> Scenario | None:
    """None where the book has nobody for it."""
    about = KINDS[kind]
    s = Scenario(number, kind, (), day, day, 0, key(config.seed, "scenario", number))
    strong = s.among(1, 1000, "intensity")
    if not honest:
        strong = round(strong * config.faults.intensity)
    s = replace(s, permille=min(max(strong, 0), 1000), is_look_alike=honest)
    days = s.among(1, about.honest or 1, "days") if honest else s.scaled(about.faint, about.blatant)
    if not honest and s.below(100, "at once") < about.at_once:
        days = 1
    s = replace(s, last_day=day + days - 1)
    players = _players(config, s, about.players)
    return None if players is None else replace(s, players=players)


def _players(config: WorldConfig, s: Scenario, count: int) -> tuple[int, ...] | None:
    """Patrons of the book, those who come often sooner than others; nobody on the exclusion
    list, but where that is the matter."""
    ordinary = config.player_count - reserved(config)
    if ordinary < count:
        return None
    if s.kind == "self_excluded_play":
        return (_excluded(config, s, ordinary),)
    who = player_of_rank(config, _ranks(s, ordinary, count))
    if len(set(who.tolist())) < count or exclusion.joined(config, who, s.last_day).any():
        return None
    return tuple(who.tolist())


def _ranks(s: Scenario, ordinary: int, count: int) -> I64:
    """The cube of a uniform: a quarter of the way down the book on average, as visitors are."""
    u = uniform(draw(key(s.luck, "rank"), np.arange(count)))
    return np.minimum((u * u * u * ordinary).astype(np.int64), ordinary - 1)


def _excluded(config: WorldConfig, s: Scenario, ordinary: int) -> int:
    """Who has lately joined the list, if anybody of many has; else who was on it always."""
    who = player_of_rank(config, _ranks(s, ordinary, _EXCLUDED_TRIES))
    joined = who[exclusion.joined(config, who, s.first_day)]
    always = always_excluded(config)
    return int(joined[0]) if len(joined) else int(always[s.below(len(always), "excluded")])
