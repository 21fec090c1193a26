"""What a scenario of misconduct plays on the floor: a small play in one or more days."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from lakehouse.contracts.floor.tables import GAMES
from lakehouse.simulate.faults.scenarios import KINDS, scenarios
from lakehouse.simulate.floor.sessions import Sessions
from lakehouse.simulate.floor.table_play import NEVER, TablePlay, game_rates, theo_cents
from lakehouse.simulate.floor.visits import Visits
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, draw, key
from lakehouse.simulate.kernel.scenario import Scenario

_HOUR = 3600


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


@dataclass
class Part:
    """What a scenario adds to a day: visits, ratings, slot sessions, cage rows, observations."""

    visits: list[tuple[int, int, int]] = field(default_factory=list)
    """(player, start, scenario)."""
    ratings: list[dict[str, int]] = field(default_factory=list)
    slots: list[dict[str, int]] = field(default_factory=list)
    extras: list[Extra] = field(default_factory=list)
    observed: list[Observed] = field(default_factory=list)

    def visit(self, player: int, start: int, scenario: int) -> int:
        self.visits.append((player, start, scenario))
        return len(self.visits) - 1

    def rating(
        self, visit: int, start: int, hundredths: int, bet: int, buy: int, win: int, **more: int
    ) -> None:
        self.ratings.append(
            {
                "visit": visit,
                "start": start,
                "hours": hundredths,
                "bet": bet,
                "buy": buy,
                "win": win,
            }
            | more
        )

    def slot(self, visit: int, start: int, seconds: int, stuffed: int = 0) -> None:
        self.slots.append({"visit": visit, "start": start, "seconds": seconds, "stuffed": stuffed})


def part(s: Scenario) -> Part:
    """The scenario's play on its day. Evening, from 18:00 on; money in cents."""
    p = Part()
    _PLAYS[s.kind](s, p, 12 * _HOUR + s.dollars * 4)
    return p


def _structuring(s: Scenario, p: Part, at: int) -> None:
    """Just below $10,000 on each of three days, lost in ordinary play."""
    buy = 900_000 + s.dollars * 100 - s.step * 5_000
    p.rating(p.visit(s.players[0], at, s.number), at + 600, 400, 10_000, buy, buy)


def _minimal_play(s: Scenario, p: Part, at: int) -> None:
    p.rating(
        p.visit(s.players[0], at, s.number),
        at + 600,
        5,
        2_500,
        800_000 + s.dollars * 100,
        2_500,
        hands=1,
    )


def _chip_walking(s: Scenario, p: Part, at: int) -> None:
    buy = 600_000 + s.dollars * 200
    p.rating(p.visit(s.players[0], at, s.number), at + 600, 20, 2_500, buy, 10_000, walks=1)


def _bill_stuffing(s: Scenario, p: Part, at: int) -> None:
    p.slot(
        p.visit(s.players[0], at, s.number),
        at + 600,
        360,
        400_000 + s.dollars * 100 // 2_000 * 2_000,
    )


def _marker_cycle(s: Scenario, p: Part, at: int) -> None:
    """$24,000 of markers in one evening; paid in currency, one a day, within the week."""
    if s.step:
        return
    visit = p.visit(s.players[0], at, s.number)
    for k in range(3):
        p.rating(
            visit,
            at + 600 + k * 2400,
            30,
            2_500,
            800_000,
            2_500 * k,
            marker=1,
            paid_after=2 + k,
            by_cheque=1,
        )


def _pooling(s: Scenario, p: Part, at: int) -> None:
    """Three patrons buy, play little, and one takes a cheque for all their chips."""
    chips = 0
    for k, player in enumerate(s.players):
        buy = 420_000 + s.dollars * 100
        p.rating(
            p.visit(player, at + 120 * k, s.number),
            at + 600 + 120 * k,
            20,
            2_500,
            buy,
            5_000,
            walks=1,
        )
        chips += buy - 5_000
    p.extras.append(Extra(s.players[2], "CHIP_REDEMPTION", "Check", chips, at + 5_400))


def _threshold_avoidance(s: Scenario, p: Part, at: int) -> None:
    buy = 910_000 + s.dollars * 100 // 500 * 500
    p.rating(p.visit(s.players[0], at, s.number), at + 600, 400, 10_000, buy, buy)
    p.observed.append(
        Observed(
            s.players[0],
            "THRESHOLD_ENQUIRY",
            at + 480,
            text="Asked at what amount a report is made.",
        )
    )
    p.observed.append(
        Observed(
            s.players[0],
            "TRANSACTION_REDUCED",
            at + 600,
            1_100_000,
            buy,
            "Took money back before paying.",
        )
    )


def _employee_collusion(s: Scenario, p: Part, at: int) -> None:
    """Wins eighty bets in two hours, four days running."""
    p.rating(p.visit(s.players[0], at, s.number), at + 600, 200, 5_000, 40_000, -400_000)


def _card_sharing(s: Scenario, p: Part, at: int) -> None:
    """One card in two machines at the same time."""
    for k in range(2):
        p.slot(p.visit(s.players[0], at + 60 * k, s.number), at + 600 + 60 * k, 3_600)


def _self_excluded_play(s: Scenario, p: Part, at: int) -> None:
    p.slot(p.visit(s.players[0], at, s.number), at + 600, 5_400)


def _agent(s: Scenario, p: Part, at: int) -> None:
    """Buys $6,000 of chips for another, who buys $5,000 for himself."""
    agent, principal = s.players[:2]
    p.visit(agent, at, s.number)
    p.extras.append(
        Extra(agent, "CHIP_PURCHASE", "Cash", 600_000, at + 300, on_behalf_of=principal)
    )
    p.rating(p.visit(principal, at + 200, s.number), at + 900, 300, 10_000, 500_000, 500_000)
    p.extras.append(Extra(principal, "CHIP_REDEMPTION", "Cash", 600_000, at + 14_000))


_PLAYS = dict(
    zip(
        KINDS,
        (
            _structuring,
            _minimal_play,
            _chip_walking,
            _bill_stuffing,
            _marker_cycle,
            _pooling,
            _threshold_avoidance,
            _employee_collusion,
            _card_sharing,
            _self_excluded_play,
            _agent,
        ),
        strict=True,
    )
)


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


def planted(config: WorldConfig, day: int, left_out: frozenset[int]) -> Planted:
    """All but the scenarios whose numbers are `left_out`."""
    whole = Part()
    for s in scenarios(config, day):
        if s.number in left_out:
            continue
        one, offset = part(s), len(whole.visits)
        whole.visits += one.visits
        whole.ratings += [r | {"visit": r["visit"] + offset} for r in one.ratings]
        whole.slots += [r | {"visit": r["visit"] + offset} for r in one.slots]
        whole.extras += [replace(e, scenario=s.number) for e in one.extras]
        whole.observed += one.observed
    v = _visits(config, day, whole)
    slots = _slots(config, v, whole)
    return Planted(
        v,
        _ratings(config, day, v, whole),
        slots,
        v.scenario[slots.visit],
        whole.extras,
        whole.observed,
    )


def _column(rows: list[dict[str, int]], name: str, default: int = 0) -> I64:
    return np.array([r.get(name, default) for r in rows], dtype=np.int64)


def _visits(config: WorldConfig, day: int, p: Part) -> Visits:
    n = len(p.visits)
    column = np.array(p.visits, dtype=np.int64).reshape(n, 3)
    return Visits(
        player=column[:, 0],
        key=draw(key(config.seed, "planted-visit", day), column[:, 0], np.arange(n)),
        start=column[:, 1],
        worth=np.ones(n),
        z=np.zeros(n),
        scenario=column[:, 2],
    )


def _ratings(config: WorldConfig, day: int, v: Visits, p: Part) -> TablePlay:
    visit, hours, bet = (
        _column(p.ratings, "visit"),
        _column(p.ratings, "hours"),
        _column(p.ratings, "bet"),
    )
    start, buy = _column(p.ratings, "start"), _column(p.ratings, "buy")
    r, game = game_rates(config.date(day)), GAMES.index("Blackjack")
    hands = r.decisions[game] * hours // 100
    n, zero = len(visit), np.zeros(len(visit), dtype=np.int64)
    return TablePlay(
        visit=visit,
        player=v.player[visit],
        key=draw(key(config.seed, "planted-rating", day), v.key[visit], np.arange(n)),
        table=zero.copy(),
        group=np.full(n, game * 2),
        start=start,
        end=start + hours * 36,
        bet=bet,
        hours=hours,
        hands=np.where(_column(p.ratings, "hands") > 0, _column(p.ratings, "hands"), hands),
        theo=theo_cents(bet, hours, r.decisions[game], r.edge_e4[game]),
        win=_column(p.ratings, "win"),
        buys=zero + 1,
        first_buy=buy,
        more_buy=zero,
        by_cheque=_column(p.ratings, "by_cheque"),
        marker=buy * _column(p.ratings, "marker"),
        paid_after=_column(p.ratings, "paid_after", NEVER),
        walks=_column(p.ratings, "walks"),
        scenario=v.scenario[visit],
    )


def _slots(config: WorldConfig, v: Visits, p: Part) -> Sessions:
    visit, start = _column(p.slots, "visit"), _column(p.slots, "start")
    n = len(visit)
    return Sessions(
        visit=visit,
        key=draw(key(config.seed, "planted-slot"), v.key[visit], np.arange(n)),
        start=start,
        end=start + _column(p.slots, "seconds"),
        is_table=np.zeros(n, dtype=bool),
        z=np.zeros(n),
        stuffed=_column(p.slots, "stuffed"),
    )
