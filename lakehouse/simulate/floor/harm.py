"""Play that does harm: over weeks it comes more often, at higher and more varied stakes, for
longer and at night; it chases losses within a day and on the next, and buys in again after
cashing out. And the honest players who show some of this.

After the markers of Braverman and Shaffer (frequency, intensity, variability, trajectory) and
of Auer and Griffiths (chasing, depositing within a session). Odds do not lengthen (Xuan and
Shaffer 2009): machines and games stay as they are, only stakes rise.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from lakehouse.simulate.floor.misconduct import CHIP, HOUR, NOTE, Part, arrives, seat
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import draw, key, normal, uniform
from lakehouse.simulate.kernel.scenario import Scenario

MOST = 9
"""Sessions of a day."""
LATE, LATE_SPREAD = 17 * HOUR, 3 * HOUR
"""Night visits begin between 23:00 and 02:00."""
BIG_WINNER, NIGHT_WORKER, HOLIDAY = range(3)


Session = tuple[int, int, int, float]
"""Minutes, thousandths of spending level above the player's own, hash, and normal luck."""


class Day(NamedTuple):
    """A day on which the player comes, and whether it begins at night."""

    sessions: tuple[Session, ...]
    at_night: bool

    @property
    def is_lost(self) -> bool:
        return sum(luck for *_, luck in self.sessions) < 0


def escalating_harm(s: Scenario, p: Part) -> None:
    today = course(p.config, s.luck, s.days, s.permille, s.is_look_alike)[s.step]
    if today is None:
        return
    total = sum(m for m, *_ in today.sessions) * 60 + 900 * len(today.sessions)
    if today.at_night:
        at = LATE + s.below(LATE_SPREAD, "night", s.step)
    else:
        at = arrives(s, min(total, 60_000))
    at_tables, haste = is_at_tables(s), 0 if s.is_look_alike else _reached(s)
    visit = p.visit(s, s.players[0], at)
    end = at + s.among(240, 900, "walk", s.step)
    for k, (minutes, level, luck, z) in enumerate(today.sessions):
        start = end + s.among(300 - haste // 4, 1_500 - haste, "gap", s.step, k)
        if start + minutes * 60 > 82_000:
            break
        if k and at_tables and s.below(1_000, "again", s.step, k) < _again(s):
            start += s.among(300, 1_200, "cashes out", s.step, k)
            visit = p.visit(s, s.players[0], start - 60)
        if at_tables:
            end = _rated(s, p, visit, start, k, (minutes, level, luck, z))
        else:
            end = p.slot(visit, start, minutes * 60, luck, z=level)


def is_at_tables(s: Scenario) -> bool:
    """Whether the player plays at tables rather than machines."""
    return s.below(10, "tables") < 3


def _again(s: Scenario) -> int:
    """How often, in thousandths, chips are cashed in and new ones bought within minutes."""
    return 100 if s.is_look_alike else 100 + 700 * _reached(s) // 1_000


def _reached(s: Scenario) -> int:
    """Thousandths of the full height of harm that the day has reached."""
    return s.permille * (s.step + 1) // s.days


def _rated(s: Scenario, p: Part, visit: int, start: int, k: int, one: Session) -> int:
    """A session as a rating: the loser of a plain case buys in again at the table."""
    minutes, level, _, z = one
    usual = CHIP * s.among(4, 30, "usual bet")
    where = seat(s, usual * _raised(level) // 1_000)
    hours = max(3, minutes * 100 // 60)
    reach = max(1, int(1.15 * p.hands(where, hours) ** 0.5))
    win = -int(z * 1_000) * reach // 1_000 * where.bet
    buy = -(-where.bet * s.among(6, 14, "buy", s.step, k) // NOTE) * NOTE
    lacking = max(0, win - buy)
    buys = min(1 + -(-lacking // buy) + (z < 0) * (_reached(s) > 500), 5)
    more = {"buys": buys, "more_buy": buy if buys > 1 else 0}
    return p.rating(visit, where, start, hours, buy, win, more)


def _raised(level: int) -> int:
    """Thousandths of the usual bet at a spending level: a doubling for each 400."""
    whole, rest = divmod(level, 400)
    raised = 1_000 * (400 + rest) // 400
    return raised << whole if whole >= 0 else raised >> -whole


@functools.lru_cache(maxsize=512)
def course(
    config: WorldConfig, luck: int, days: int, permille: int, is_look_alike: bool
) -> tuple[Day | None, ...]:
    """What the player does on each day from the first on; None: he stays away."""
    draws = np.arange(days * MOST).reshape(days, MOST)
    hashes = draw(key(luck, "session"), draws)
    drawn = Drawn(
        hashes.tolist(),
        normal(draw(key(config.seed, "luck"), hashes)).tolist(),
        normal(draw(key(luck, "level"), draws)).tolist(),
        uniform(draw(key(luck, "minutes"), draws)).tolist(),
    )
    chances = uniform(draw(key(luck, "chance"), np.arange(days * 3))).reshape(days, 3).tolist()
    often = 0.08 + 0.12 * float(uniform(draw(key(luck, "often")))[0])
    kind = int(key(luck, "look-alike") % 3) if is_look_alike else -1
    found: list[Day | None] = []
    for t, (comes, more, night) in enumerate(chances):
        habit = _habit(kind, permille / 1_000, t / max(days - 1, 1), t, often)
        chased = habit.returns if found and found[-1] and found[-1].is_lost else 0.0
        if comes >= habit.comes + chased:
            found.append(None)
            continue
        count = min(int(habit.sessions + 2 * more), MOST)
        found.append(Day(_sessions(habit, drawn, t, count), night < habit.night))
    return tuple(found)


class Drawn(NamedTuple):
    """Of each day and session: its hash, its normal luck, and what varies stake and length."""

    hashes: list[list[int]]
    luck: list[list[float]]
    level: list[list[float]]
    minutes: list[list[float]]


def _sessions(habit: Habit, d: Drawn, t: int, count: int) -> tuple[Session, ...]:
    """A day's sessions: each loss raises the next stake, until something is won."""
    out, chase = [], 0.0
    for k in range(count):
        level = round(1_000 * (habit.level + chase + habit.varied * d.level[t][k]))
        minutes = int(habit.minutes * (0.5 + d.minutes[t][k]))
        out.append((minutes, level, d.hashes[t][k], d.luck[t][k]))
        chase = chase + habit.chase if d.luck[t][k] < 0 else 0.0
    return tuple(out)


class Habit(NamedTuple):
    """How a player plays on a day, in expectation."""

    comes: float
    sessions: float
    minutes: float
    level: float
    """Above the own spending level, and `varied` around it; `chase` is added for each loss."""
    varied: float
    chase: float
    returns: float
    """Added to `comes` on the day after a loss."""
    night: float


def _habit(kind: int, intensity: float, passed: float, t: int, often: float) -> Habit:
    """Of harm, or of a kind of look-alike, when so much of its time has `passed`."""
    usual = Habit(often, 1.4, 28.0, 0.0, 0.12, 0.0, 0.0, 0.08)
    if kind == NIGHT_WORKER:
        return usual._replace(comes=often + 0.15, night=0.95)
    if kind == BIG_WINNER:
        return usual._replace(comes=often + 0.1, level=0.5 * (passed > 0.4))
    if kind == HOLIDAY:
        here = 0.95 if t % 30 < 5 else 0.02
        return usual._replace(comes=here, sessions=3.5, minutes=40.0, night=0.2)
    e = intensity * passed
    return Habit(
        comes=often + e * (0.7 - often),
        sessions=1.4 + 4.5 * e,
        minutes=28.0 + 14.0 * e,
        level=0.55 * e,
        varied=0.12 + 0.25 * e,
        chase=0.18 * e,
        returns=0.35 * intensity,
        night=0.08 + 0.5 * e,
    )
