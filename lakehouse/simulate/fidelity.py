"""How like a casino the world is: targets beside measured values, for docs/fidelity.md.

`python -m lakehouse.simulate.fidelity` prints the document. Slow enough (about ten seconds)
not to be part of the tests that hold the other documents to their code.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from lakehouse.contracts.floor.slots import DENOMINATIONS
from lakehouse.contracts.floor.tables import GAMES
from lakehouse.regulation.games import rates
from lakehouse.simulate import fidelity_online
from lakehouse.simulate.floor.plan import day_plan
from lakehouse.simulate.floor.running_totals import everybody_through
from lakehouse.simulate.floor.slot_play import BASE_VARIANCE, BIG_SHARE_BP, BIG_WIN_RATE
from lakehouse.simulate.floor.table_play import CHIP
from lakehouse.simulate.kernel import person
from lakehouse.simulate.kernel.config import NO_FAULTS, Faults, WorldConfig
from lakehouse.simulate.kernel.counter import F64, I64
from lakehouse.simulate.labels.filings import truth_obligations
from lakehouse.simulate.measure import Z99, Measure
from lakehouse.simulate.world import World

HOLD_DAYS, SHAPE_DAYS, OFFICE_DAYS = 30, 150, 40
SEEDS = range(1, 13)
# E[m^2] of a big win in bets: Pareto with exponent 1.7, from 200 to 20,000.
_BIG_SECOND_MOMENT = 1.7 * 200**1.7 * (20_000**0.3 - 200**0.3) / (0.3 * (1 - 100**-1.7))


def slot_hold(world: World) -> Iterator[Measure]:
    """Hold of each denomination, within the 99% interval that the play's own variance gives."""
    n = len(DENOMINATIONS)
    coin_in, win, theo, variance = (np.zeros(n) for _ in range(4))
    for day in range(HOLD_DAYS):
        p = day_plan(world, day).slots
        base = p.coin_in * (1 - (p.hold_bp + BIG_SHARE_BP) / 10_000)
        spread = base**2 * BASE_VARIANCE / p.games
        spread = spread + p.bet.astype(float) ** 2 * p.games * BIG_WIN_RATE * _BIG_SECOND_MOMENT
        for total, values in (
            (coin_in, p.coin_in),
            (win, p.coin_in - p.coin_out - p.jackpot),
            (theo, p.theo_micro / 10_000),
            (variance, spread),
        ):
            np.add.at(total, p.denomination, values)
    for k in np.flatnonzero(coin_in):
        expected, half = theo[k] / coin_in[k], Z99 * variance[k] ** 0.5 / coin_in[k]
        yield Measure(
            f"slot hold, ${DENOMINATIONS[k]} games",
            f"{expected:.2%} ± {half:.2%}",
            expected - half,
            expected + half,
            win[k] / coin_in[k],
            "Nevada hold by denomination; 99% interval of the play",
        )


def many_seeds(_: World) -> Iterator[Measure]:
    """One world may be lucky: how often the interval holds over many."""
    held = [
        m.holds
        for seed in SEEDS
        for m in slot_hold(World(WorldConfig(seed=seed, faults=NO_FAULTS)))
    ]
    yield Measure(
        f"slot holds within their interval, {len(SEEDS)} seeds x {len(DENOMINATIONS)}",
        "99%",
        0.95,
        1.0,
        float(np.mean(held)),
        "by construction",
    )


def table_win(world: World) -> Iterator[Measure]:
    """The house's win over theo by game, within its 99% interval."""
    n = len(GAMES)
    win, theo, variance = (np.zeros(n) for _ in range(3))
    law = [dict(rates().on(f"table.{g}", world.config.start).params or {}) for g in GAMES]
    decisions = np.array([int(p["decisions_per_hour"]) for p in law])
    deviation = np.array([float(p["deviation"]) for p in law])
    for day in range(HOLD_DAYS):
        t = day_plan(world, day).tables
        game = t.group // 2
        hands = decisions[game] * t.hours / 100
        np.add.at(win, game, t.win)
        np.add.at(theo, game, t.theo)
        np.add.at(variance, game, (t.bet * deviation[game]) ** 2 * hands + CHIP**2 / 4)
    for k in np.flatnonzero(theo):
        half = Z99 * variance[k] ** 0.5 / theo[k]
        yield Measure(
            f"table win / theo, {GAMES[k]}",
            f"100% ± {half:.0%}",
            1 - half,
            1 + half,
            win[k] / theo[k],
            "Wizard of Odds edges; 99% interval of the play",
        )


def concentration(world: World) -> Iterator[Measure]:
    """Share of the players' theo that the top of them make; lognormal with sigma 2.1."""
    known = everybody_through(world, SHAPE_DAYS - 1).totals
    theo = np.sort(known.theo_micro)[::-1].astype(float)
    running = np.cumsum(theo) / theo.sum()
    for share, target in ((0.01, 0.41), (0.05, 0.68), (0.10, 0.79), (0.20, 0.90)):
        yield Measure(
            f"theo of the top {share:.0%} of players",
            f"about {target:.0%}",
            target - 0.05,
            target + 0.05,
            float(running[int(share * len(theo)) - 1]),
            "bwin, BCLC, NatCen: lognormal, sigma about 2.1",
        )
    visits = np.sort(known.visits)[::-1]
    top = visits[: len(visits) // 100].sum() / visits.sum()
    yield Measure(
        "visits of the top 1% of players",
        "well over 1%",
        0.03,
        0.15,
        float(top),
        "heterogeneous frequency: lognormal, sigma 1.1, at most 60% of days",
    )


def within_player(world: World) -> Iterator[Measure]:
    """How often a day's theo is below the player's own mean, of those with ten days or more."""
    who, theo = _player_days(world)
    players, at, count = np.unique(who, return_inverse=True, return_counts=True)
    total = np.zeros(len(players))
    np.add.at(total, at, theo)
    mean = total / count
    steady = count[at] >= 10
    yield Measure(
        "days below the player's own mean theo",
        "about 62%",
        0.55,
        0.70,
        float((theo[steady] < mean[at][steady]).mean()),
        "andy2.com",
    )


def _player_days(world: World) -> tuple[I64, F64]:
    who, theo = [], []
    for day in range(SHAPE_DAYS):
        p = day_plan(world, day)
        s, t = p.slots, p.tables
        player = np.concatenate([s.player, t.player])
        value = np.concatenate([s.theo_micro, t.theo_micro])[player >= 0]
        players, at = np.unique(player[player >= 0], return_inverse=True)
        total = np.zeros(len(players))
        np.add.at(total, at, value)
        who.append(players)
        theo.append(total)
    return np.concatenate(who), np.concatenate(theo)


def rhythm(world: World) -> Iterator[Measure]:
    """The week, the day, and how much of the play is carded."""
    by_weekday, by_hour, carded = np.zeros(7), np.zeros(24), np.zeros(2)
    for day in range(84):
        s = day_plan(world, day).slots
        by_weekday[world.config.date(day).weekday()] += s.coin_in.sum()
        np.add.at(by_hour, (s.start // 3600 + 6) % 24, s.games)
        np.add.at(carded, (s.player >= 0).astype(np.int64), 1)
    yield Measure(
        "coin-in on Friday to Sunday",
        "45-50%",
        0.43,
        0.52,
        float(by_weekday[4:].sum() / by_weekday.sum()),
        "assumption of the domain notes",
    )
    yield Measure(
        "busiest hour of slot play (starts)",
        "19 to 23",
        19,
        23,
        float(by_hour.argmax()),
        "the same",
        is_hour=True,
    )
    yield Measure(
        "quietest hour of slot play (starts)",
        "3 to 7",
        3,
        7,
        float(by_hour.argmin()),
        "the same",
        is_hour=True,
    )
    yield Measure(
        "slot sessions with a card",
        "about 60%",
        0.55,
        0.65,
        float(carded[1] / carded.sum()),
        "the POC",
    )


def people(world: World) -> Iterator[Measure]:
    config, who = world.config, np.arange(world.config.player_count)
    rows: tuple[tuple[str, NDArray[np.bool_], float, float, str], ...] = (
        (
            "self-excluded when the books open",
            person.excluded(config, who, 0),
            0.005,
            0.015,
            "1-3%",
        ),
        ("self-excluded after two years", person.excluded(config, who, 730), 0.02, 0.04, "1-3%"),
        ("non-resident aliens", person.non_resident(config, who), 0.02, 0.04, "about 3%"),
        ("taxpayer number on file", person.tin_on_file(config, who), 0.96, 0.98, "about 97%"),
        ("identity verified", person.identity_verified(config, who), 0.98, 1.0, "about 99%"),
    )
    for what, mask, low, high, target in rows:
        yield Measure(what, target, low, high, float(mask.mean()), "Hopfgartner 2022; assumptions")


def office(_: World) -> Iterator[Measure]:
    """Faults in the filings against their configured rates, from a world that has them."""
    world = World(WorldConfig())
    frames = [truth_obligations(world, d) for d in range(OFFICE_DAYS)]
    faults = np.concatenate([f["fault"].to_numpy() for f in frames])
    n = len(faults)
    for fault in ("missing", "wrong_amount", "wrong_person", "amended"):
        rate = float(getattr(Faults(), f"filing_{fault}"))
        half = Z99 * (rate * (1 - rate) / n) ** 0.5
        yield Measure(
            f"filings {fault.replace('_', ' ')}, of {n} obligations",
            f"{rate:.0%} ± {half:.1%}",
            rate - half,
            rate + half,
            float((faults == fault).mean()),
            "configured",
        )


CHAPTERS: dict[str, Callable[[World], Iterator[Measure]]] = {
    "Slot hold": slot_hold,
    "Slot hold over seeds": many_seeds,
    "Table win": table_win,
    "Concentration": concentration,
    "Within a player": within_player,
    "Rhythm": rhythm,
    "People": people,
    "The compliance office": office,
    "Online casino": fidelity_online.casino,
    "Shop": fidelity_online.shop,
}


def document() -> str:
    """docs/fidelity.md: targets and measured values of the default world."""
    world = World(WorldConfig(faults=NO_FAULTS))
    lines = [
        "# How like a casino the world is",
        "",
        "Written by `python -m lakehouse.simulate.fidelity`; the default world, seed 42, without "
        f"faults: {HOLD_DAYS} days for hold, {SHAPE_DAYS} for players. Every number is simulated; "
        "the targets are from published figures where a source is named, else assumptions.",
    ]
    for title, chapter in CHAPTERS.items():
        lines += ["", f"## {title}", "", "| what | target | measured | holds | source |"]
        lines += ["|---|---|---|---|---|"]
        for m in chapter(world):
            shown = f"{m.measured:.0f}" if m.is_hour else f"{m.measured:.2%}"
            holds = "yes" if m.holds else "**no**"
            lines.append(f"| {m.what} | {m.target} | {shown} | {holds} | {m.source} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
