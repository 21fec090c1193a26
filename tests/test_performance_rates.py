"""Rates of games hold from day to day, and are found by the day of play."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from lakehouse.errors import BadInput, LawError
from lakehouse.regulation.games import house_rate, in_force, rates
from lakehouse.regulation.law import load

NEW_YEAR = dt.date(2026, 1, 1)
EVE = dt.date(2025, 12, 31)


def _dated() -> pl.LazyFrame:
    return pl.LazyFrame(
        {
            "game_type": ["Craps", "Craps", "Roulette"],
            "effective_from": [dt.date(2000, 1, 1), NEW_YEAR, dt.date(2000, 1, 1)],
            "effective_to": [EVE, None, None],
            "edge_e4": [158, 141, 526],
        }
    )


@pytest.mark.parametrize(
    ("game", "day", "edge"),
    [
        ("Craps", EVE, [158]),
        ("Craps", NEW_YEAR, [141]),
        ("Roulette", NEW_YEAR, [526]),
        ("Craps", dt.date(1999, 12, 31), []),
        ("Faro", NEW_YEAR, []),
    ],
)
def test_the_period_of_the_day_is_used(game: str, day: dt.date, edge: list[int]) -> None:
    play = pl.LazyFrame({"game_type": [game], "gaming_day": [day]})
    found = in_force(play, _dated(), on="game_type").collect()
    assert found["edge_e4"].to_list() == edge


@pytest.mark.parametrize(
    ("policy", "rate"), [("points", 100_000), ("reinvestment", 2_500), ("worth", 4_000)]
)
def test_house_policies(policy: str, rate: int) -> None:
    days = pl.DataFrame({"gaming_day": [dt.date(1999, 12, 31), NEW_YEAR]})
    assert days.select(house_rate(policy)).to_series().to_list() == [None, rate]


def test_an_unknown_policy_is_named() -> None:
    with pytest.raises(LawError, match=r"house\.generosity"):
        house_rate("generosity")


def test_every_rate_has_its_source() -> None:
    for periods in rates().rules.values():
        assert all(len(p.citation) > 10 for p in periods)


def test_rates_of_games_are_no_jurisdiction() -> None:
    with pytest.raises(BadInput, match="games"):
        load("games")
