"""The shape of the world against what is known of casinos."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from lakehouse.regulation.games import rates
from lakehouse.simulate.floor.plan import day_plan
from lakehouse.simulate.floor.running_totals import everybody_through
from lakehouse.simulate.kernel.config import NO_FAULTS, WorldConfig
from lakehouse.simulate.world import World

GAMES = ("Blackjack", "Craps", "Roulette", "Baccarat", "Poker", "Pai Gow")
Z99 = 2.576


@pytest.fixture(scope="module")
def world() -> World:
    return World(WorldConfig(faults=NO_FAULTS))


# Wins of 200 to 20,000 bets, Pareto with exponent 1.7, come once in 15,552 games: second
# moment E[m^2] = 1.7 * 200**1.7 * (20000**0.3 - 200**0.3) / (0.3 * (1 - 100**-1.7)) bets^2.
_BIG = 1.7 * 200**1.7 * (20_000**0.3 - 200**0.3) / (0.3 * (1 - 100**-1.7))


def test_slot_hold_lies_in_the_99_interval_of_each_denomination(world: World) -> None:
    """Closed form of a session's variance: 25 bets^2 a game of base play, and the big wins."""
    win, theo, variance = np.zeros(10), np.zeros(10), np.zeros(10)
    for day in range(30):
        p = day_plan(world, day).slots
        base = p.coin_in * (1 - p.hold_bp / 10_000 - 0.03)
        spread = base**2 * 25 / p.games + p.bet.astype(float) ** 2 * p.games / 15_552 * _BIG
        for total, value in (
            (win, p.coin_in - p.coin_out - p.jackpot),
            (theo, p.theo_micro / 10_000),
            (variance, spread),
        ):
            np.add.at(total, p.denomination, value)
    z = (win - theo) / np.sqrt(variance)
    assert (np.abs(z) < Z99).all(), z


def test_table_win_lies_in_the_99_interval_of_theo(world: World) -> None:
    win, theo, variance = np.zeros(6), np.zeros(6), np.zeros(6)
    spread = [float(rates().rules[f"table.{g}"][0].params["deviation"]) for g in GAMES]
    perhour = [int(rates().rules[f"table.{g}"][0].params["decisions_per_hour"]) for g in GAMES]
    for day in range(30):
        t = day_plan(world, day).tables
        game = t.group // 2
        decisions = np.array(perhour)[game] * t.hours / 100
        np.add.at(win, game, t.win)
        np.add.at(theo, game, t.theo)
        np.add.at(variance, game, (t.bet * np.array(spread)[game]) ** 2 * decisions)
        # chips of $5: a cent-exact result is rounded up or down by chance
        np.add.at(variance, game, 500**2 / 4)
    z = (win - theo) / np.sqrt(variance)
    assert (np.abs(z) < Z99).all(), z


@pytest.mark.slow
def test_spend_is_as_concentrated_as_a_lognormal_of_sigma_2_1(world: World) -> None:
    """Top 1/5/10/20% of active players hold about 41/68/79/90% of theo."""
    theo = np.sort(everybody_through(world, 149).totals.theo_micro)[::-1]
    held = np.cumsum(theo) / theo.sum()
    shares = [held[int(len(theo) * top) - 1] for top in (0.01, 0.05, 0.10, 0.20)]
    assert shares == pytest.approx([0.41, 0.68, 0.79, 0.90], abs=0.05)


@pytest.mark.slow
def test_a_player_is_below_his_own_mean_on_most_days(world: World) -> None:
    days = []
    for day in range(90):
        p = day_plan(world, day)
        frame = pl.DataFrame(
            {
                "player": np.concatenate([p.slots.player, p.tables.player]),
                "theo": np.concatenate([p.slots.theo_micro, p.tables.theo_micro]),
            }
        )
        days.append(frame.filter(pl.col("player") >= 0).group_by("player").sum())
    daily = pl.concat(days).filter(pl.len().over("player") >= 8)
    below = daily.select((pl.col("theo") < pl.col("theo").mean().over("player")).mean()).item()
    assert below == pytest.approx(0.62, abs=0.04)


def test_about_60_percent_of_slot_play_is_carded(world: World) -> None:
    carded = np.concatenate([day_plan(world, d).slots.player >= 0 for d in range(30)])
    assert carded.mean() == pytest.approx(0.60, abs=0.04)


def test_visit_frequency_is_heterogeneous(world: World) -> None:
    """The most frequent tenth make over a third of visits; half of all come once or twice
    in a month."""
    visits = np.sort(everybody_through(world, 29).totals.visits)[::-1]
    assert visits[: len(visits) // 10].sum() > visits.sum() / 4
    assert np.median(visits) <= 2


def test_evenings_and_weekends_are_busy(world: World) -> None:
    hours, week = np.zeros(24), np.zeros(7)
    for day in range(28):
        s = day_plan(world, day).slots
        np.add.at(hours, (s.start // 3600 + 6) % 24, s.coin_in)
        week[world.config.date(day).weekday()] += len(s)
    assert int(np.argmax(hours)) >= 17 or int(np.argmax(hours)) <= 1
    assert int(np.argmin(hours)) in range(3, 9)
    assert week[4:].sum() / week.sum() == pytest.approx(0.48, abs=0.03)


def test_the_book_may_be_large_without_cost() -> None:
    """The draw touches visitors only: a book of ten million has as many as its volume says."""
    small = World(WorldConfig(players=100_000, faults=NO_FAULTS))
    large = World(WorldConfig(players=10_000_000, faults=NO_FAULTS))
    counts = [int((day_plan(w, 3).visits.player >= 0).sum()) for w in (small, large)]
    assert counts[1] == pytest.approx(counts[0], rel=0.1)
    assert day_plan(large, 3).visits.player.max() > 5_000_000
    assert math.isclose(len(np.unique(day_plan(large, 3).visits.player)), counts[1] + 1)
