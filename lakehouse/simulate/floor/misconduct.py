"""What planted scenarios play on the floor: visits, ratings, slot sessions, cage rows.

Each scenario adds a small play to each of its days; together they join the ordinary plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from lakehouse.simulate.floor import layout
from lakehouse.simulate.floor.sessions import Sessions
from lakehouse.simulate.floor.table_play import NEVER, Rates, TablePlay, theo_cents
from lakehouse.simulate.floor.visits import ARRIVALS, WORTH_SIGMA, Visits, worth_z
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import F64, I64, U64, draw, exp, key
from lakehouse.simulate.kernel.scenario import Scenario

HOUR, NOTE, CHIP = 3600, 2_000, 500
"""Of a second, a $20 bill and a $5 chip in cents."""
LAST_END = 81_000
"""Second by which a planted visit is over, also on a day of 23 hours."""
_HOURS = tuple(h for h, n in enumerate(ARRIVALS.tolist()) for _ in range(n))


@dataclass(frozen=True)
class Extra:
    """A cage transaction of a scenario that no session brings."""

    player: int
    kind: str
    method: str
    cents: int
    second: int
    on_behalf_of: int = -1
    note: str = ""
    scenario: int = -1


@dataclass(frozen=True)
class Observed:
    """A staff observation of the scenario's purchase at the table."""

    player: int
    kind: str
    second: int
    before: int = 0
    after: int = 0
    text: str = ""


@dataclass(frozen=True)
class Seat:
    """A game and an average bet in cents."""

    game: int
    bet: int


def arrives(s: Scenario, seconds: int, *parts: int) -> int:
    """When a visit of so many seconds begins: at an hour at which others come too."""
    hour = _HOURS[s.below(len(_HOURS), "hour", s.step, *parts)]
    second = hour * HOUR + s.below(HOUR, "second", s.step, *parts)
    return second % (LAST_END - seconds)


def notes(s: Scenario, low: int, high: int, what: str, *parts: int) -> int:
    """An amount in cents, from so many to so many $20 bills; the faint have less."""
    return NOTE * max(s.among(low, high, what, *parts) * s.size // 1_000, 5)


def seat(s: Scenario, cents: int, *parts: int) -> Seat:
    """A game in which a bet of about so much can be made."""
    games = [g for g, least in enumerate(layout.MIN_BETS.tolist()) if least <= cents]
    game = games[s.below(len(games), "game", s.step, *parts)] if games else 2
    return Seat(game, max(cents // CHIP * CHIP, int(layout.MIN_BETS[game])))


@dataclass
class Part:
    """What the scenarios of a day add to it."""

    rates: Rates
    config: WorldConfig
    visits: list[tuple[int, int, int]] = field(default_factory=list)
    """(player, start, scenario)."""
    ratings: list[dict[str, int]] = field(default_factory=list)
    slots: list[dict[str, int]] = field(default_factory=list)
    extras: list[Extra] = field(default_factory=list)
    observed: list[Observed] = field(default_factory=list)

    def visit(self, s: Scenario, player: int, start: int) -> int:
        self.visits.append((player, start, s.number))
        return len(self.visits) - 1

    def rating(
        self,
        visit: int,
        at: Seat,
        start: int,
        hours: int,
        buy: int,
        win: int,
        more: Mapping[str, int] | None = None,
    ) -> int:
        """`hours` in hundredths, `win` the house's, at the most what was bought. `more`: other
        columns of `TablePlay`. Returns when it ends."""
        own = {"visit": visit, "game": at.game, "bet": at.bet, "start": start, "hours": hours}
        also = dict(more or {})
        most = buy + (also.get("buys", 1) - 1) * also.get("more_buy", 0)
        self.ratings.append(own | {"buy": buy, "win": min(win, most)} | also)
        return start + hours * 36

    def slot(
        self, visit: int, start: int, seconds: int, luck: int, *, stuffed: int = 0, z: int = 0
    ) -> int:
        """`z`: thousandths that the spending level is above the player's own."""
        own = {"visit": visit, "start": start, "seconds": seconds, "luck": luck, "z": z}
        self.slots.append(own | {"stuffed": stuffed})
        return start + seconds

    def hands(self, at: Seat, hours: int) -> int:
        return int(self.rates.decisions[at.game]) * hours // 100

    def hours_of(self, at: Seat, hands: int) -> int:
        """Hundredths of an hour in which so many hands are dealt."""
        return max(3, -(-hands * 100 // int(self.rates.decisions[at.game])))

    def swing(self, s: Scenario, at: Seat, hours: int, buy: int, *parts: int) -> int:
        """The house's win of fair play: its edge, and luck as likely either way, within what
        was bought."""
        hands = self.hands(at, hours)
        edge = at.bet * hands * int(self.rates.edge_e4[at.game]) // 10_000
        reach = int(2 * at.bet * self.rates.deviation[at.game] * hands**0.5)
        most = max(0, min(reach, buy - edge)) // CHIP
        luck = s.below(2 * most + 1, "swing", s.step, *parts) - most
        return (edge // CHIP + luck) * CHIP


@dataclass(frozen=True)
class Planted:
    """All scenarios of a day, ready to join the ordinary plan. Visit numbers are local."""

    visits: Visits
    ratings: TablePlay
    slots: Sessions
    slots_of: I64
    """Scenario of each slot session."""
    extras: list[Extra]
    observed: list[Observed]


def ready(day: int, p: Part) -> Planted:
    """A day's part as arrays."""
    v = _visits(p.config, day, p)
    slots = _slots(v, p)
    return Planted(
        v, _ratings(p.config, day, v, p), slots, v.scenario[slots.visit], p.extras, p.observed
    )


def _column(rows: list[dict[str, int]], name: str, default: int = 0) -> I64:
    return np.array([r.get(name, default) for r in rows], dtype=np.int64)


def _visits(config: WorldConfig, day: int, p: Part) -> Visits:
    n = len(p.visits)
    column = np.array(p.visits, dtype=np.int64).reshape(n, 3)
    z: F64 = worth_z(config, column[:, 0])
    return Visits(
        player=column[:, 0],
        key=draw(key(config.seed, "planted-visit", day), column[:, 0], np.arange(n)),
        start=column[:, 1],
        worth=exp(WORTH_SIGMA * z),
        z=z,
        scenario=column[:, 2],
    )


def _ratings(config: WorldConfig, day: int, v: Visits, p: Part) -> TablePlay:
    visit, hours, bet = (_column(p.ratings, c) for c in ("visit", "hours", "bet"))
    start, buy, game = (_column(p.ratings, c) for c in ("start", "buy", "game"))
    high = bet >= layout.HIGH_LIMIT * layout.MIN_BETS[game]
    n = len(visit)
    return TablePlay(
        visit=visit,
        player=v.player[visit],
        key=draw(key(config.seed, "planted-rating", day), v.key[visit], np.arange(n)),
        table=np.zeros(n, dtype=np.int64),
        group=game * 2 + high,
        start=start,
        end=start + hours * 36,
        bet=bet,
        hours=hours,
        hands=p.rates.decisions[game] * hours // 100,
        theo=theo_cents(bet, hours, p.rates.decisions[game], p.rates.edge_e4[game]),
        win=_column(p.ratings, "win"),
        buys=_column(p.ratings, "buys", 1),
        first_buy=buy,
        more_buy=_column(p.ratings, "more_buy"),
        by_cheque=_column(p.ratings, "by_cheque"),
        marker=buy * _column(p.ratings, "marker"),
        paid_after=_column(p.ratings, "paid_after", NEVER),
        walks=_column(p.ratings, "walks"),
        scenario=v.scenario[visit],
    )


def _slots(v: Visits, p: Part) -> Sessions:
    visit, start = _column(p.slots, "visit"), _column(p.slots, "start")
    own: U64 = np.array([r["luck"] for r in p.slots], dtype=np.uint64)
    return Sessions(
        visit=visit,
        key=own,
        start=start,
        end=start + _column(p.slots, "seconds"),
        is_table=np.zeros(len(visit), dtype=bool),
        z=v.z[visit] + _column(p.slots, "z") / 1000,
        stuffed=_column(p.slots, "stuffed"),
    )
