"""What a patron did in a day, against figures worked on paper."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
import weekend
from polars.testing import assert_frame_equal
from silver_rows import assert_record, record, silver
from weekend import DAYS, FRI, SAT, SUN

from lakehouse.contracts import contract
from lakehouse.contracts.floor.tables import GAMES
from lakehouse.gold.floor.player_day import player_day
from lakehouse.regulation.games import slot_rates, table_rates


def _weekend(days: tuple[Any, Any] = DAYS) -> pl.LazyFrame:
    return player_day(
        weekend.slot_telemetry(),
        weekend.table_games(),
        weekend.financial_txn(),
        weekend.gaming_wins(),
        days=days,
    )


BY_HAND = [
    (  # slots: theo 183.33 x 0.085 = 15.58305; 93.33 = 183.33 - 90.00; 20:00 to 20:31
        "P1",
        FRI,
        {
            "visits": 1,
            "is_play_day": True,
            "minutes": 31,
            "games_played": 367,
            "coin_in": "183.33",
            "bills_in": "100.00",
            "slot_theo": "15.58",
            "slot_actual": "93.33",
            "theo": "15.58",
            "actual": "93.33",
            "free_play": "0.00",
            "points": 155,
        },
    ),
    ("P1", SAT, {"visits": 1, "is_play_day": False, "minutes": 0, "theo": "0.00", "points": 0}),
    (  # 50 x 70 x 4 x 0.0075 = 105.00; 25 x 38 x 2 x 0.0526 = 99.94; 120 - 30 = 90
        "P2",
        FRI,
        {
            "visits": 1,
            "minutes": 360,
            "hands_played": 356,
            "buy_in": "500.00",
            "table_theo": "204.94",
            "table_actual": "90.00",
            "theo": "204.94",
            "cash_in": "500.00",
            "cash_out": "380.00",
            "points": 2049,
        },
    ),
    (  # 100 x 48 x 1.5 x 0.0158 = 113.76; of the marker only 200.00 was paid in currency
        "P2",
        SUN,
        {
            "buy_in": "1000.00",
            "theo": "113.76",
            "actual": "-250.00",
            "cash_in": "200.00",
            "cash_out": "0.00",
        },
    ),
    (  # 60 x 0.12 = 7.20; 12.35 x 72 x 0.75 x 0.012 = 8.0028; free play 60 + 10 - 30 - 20
        "P3",
        SAT,
        {
            "minutes": 90,
            "slot_theo": "7.20",
            "table_theo": "8.00",
            "theo": "15.20",
            "slot_actual": "30.00",
            "table_actual": "37.00",
            "actual": "67.00",
            "free_play": "20.00",
        },
    ),
    (  # 250 x 0.06 = 15.00; 250 - 180 - 2500; 23:00 to 01:00
        "P4",
        FRI,
        {
            "minutes": 120,
            "theo": "15.00",
            "actual": "-2430.00",
            "free_play": "0.00",
            "cash_out": "2500.00",
            "wins": 1,
            "wins_amount": "2500.00",
        },
    ),
    (  # exchange moves 300 both ways, a new money play 150 in; wire, same notes and shop do not
        "P5",
        SUN,
        {"visits": 0, "is_play_day": False, "cash_in": "450.00", "cash_out": "300.00"},
    ),
]


@pytest.mark.parametrize(("player", "day", "expected"), BY_HAND)
def test_day_of_a_patron(player: str, day: Any, expected: dict[str, Any]) -> None:
    assert_record(record(_weekend(), player_id=player, gaming_day=day), expected)


def test_nobody_else_has_a_row() -> None:
    keys = _weekend().select("player_id", "gaming_day").collect().rows()
    assert keys == [(p, d) for p, d, _ in sorted(BY_HAND, key=lambda c: (c[0], c[1]))]


def test_a_day_does_not_depend_on_the_days_around_it() -> None:
    alone = pl.concat([_weekend((d, d)) for d in (FRI, SAT, SUN)])
    assert_frame_equal(alone.sort("player_id", "gaming_day"), _weekend())


def test_rows_satisfy_the_contract() -> None:
    schema = contract("player_day").schema
    good, failure = schema.filter(_weekend().collect(), cast=True)
    assert (len(good), failure.counts()) == (7, {})


def test_no_rows_make_an_empty_mart() -> None:
    none = [
        silver(t, []) for t in ("slot_telemetry", "table_games", "financial_txn", "gaming_wins")
    ]
    empty = player_day(*none, days=DAYS).collect()
    assert empty.shape == (0, len(contract("player_day").columns))


@pytest.mark.parametrize(
    ("coin_ins", "hold", "theo"),
    [
        (["0.50"], "0.0100", "0.01"),  # 0.005: half up
        (["0.49"], "0.0100", "0.00"),
        (["0.25", "0.25"], "0.0100", "0.01"),  # 0.0025 twice: rounded once, not per row
        (["0.01"] * 550, "0.0985", "0.54"),  # 0.54175; products of decimals, cut to 0.0010: 0.55
        (["999999999.99"], "0.1234", "123400000.00"),  # 123399999.998766
    ],
)
def test_slot_theo_is_exact_until_the_end(coin_ins: list[str], hold: str, theo: str) -> None:
    row = {"event_type": "GAME_PLAY", "gaming_day": FRI, "player_id": "P1", "session_id": "S"}
    rows = [row | {"coin_in": c, "theoretical_hold": hold, "at": "12:00"} for c in coin_ins]
    none = [silver(t, []) for t in ("table_games", "financial_txn", "gaming_wins")]
    found = player_day(silver("slot_telemetry", rows), *none, days=DAYS)
    assert_record(record(found, player_id="P1"), {"slot_theo": theo})


@pytest.mark.parametrize(
    ("game", "bet", "hours", "theo"),
    [
        ("Blackjack", "50.00", "4.00", "105.00"),
        ("Roulette", "25.00", "2.00", "99.94"),
        ("Baccarat", "100.00", "1.00", "86.40"),
        ("Craps", "10.00", "1.00", "7.58"),  # 7.584
        ("Pai Gow", "25.00", "1.50", "24.99"),  # 24.99
        ("Poker", "15.00", "3.33", "37.46"),  # 37.4625
        ("Blackjack", "0.01", "1.00", "0.01"),  # 0.00525: half up
    ],
)
def test_theo_of_a_rating(game: str, bet: str, hours: str, theo: str) -> None:
    rating = {
        "event_type": "RATING_END",
        "game_type": game,
        "average_bet": bet,
        "hours_played": hours,
        "player_id": "P1",
        "gaming_day": FRI,
    }
    empty = silver("slot_telemetry", [])
    none = [silver(t, []) for t in ("financial_txn", "gaming_wins")]
    found = player_day(empty, silver("table_games", [rating]), *none, days=DAYS)
    assert_record(record(found, player_id="P1"), {"table_theo": theo})


def test_a_rating_without_hours_counts_its_decisions() -> None:
    """76 decisions of $25.00 at 5.26%."""
    rating = {
        "event_type": "RATING_END",
        "game_type": "Roulette",
        "average_bet": "25.00",
        "hands_played": 76,
        "player_id": "P1",
        "gaming_day": FRI,
    }
    none = [silver(t, []) for t in ("financial_txn", "gaming_wins")]
    pit = silver("table_games", [rating])
    found = player_day(silver("slot_telemetry", []), pit, *none, days=DAYS)
    assert_record(record(found), {"table_theo": "99.94", "minutes": 0})


def test_play_without_any_bill_or_ticket_shows_no_free_play() -> None:
    row = {"event_type": "GAME_PLAY", "gaming_day": FRI, "player_id": "P1", "session_id": "S"}
    play = silver("slot_telemetry", [row | {"coin_in": "50.00", "theoretical_hold": "0.08"}])
    none = [silver(t, []) for t in ("table_games", "financial_txn", "gaming_wins")]
    assert_record(record(player_day(play, *none, days=DAYS), player_id="P1"), {"free_play": "0.00"})


def test_every_game_and_machine_type_has_its_rates() -> None:
    games = set(table_rates().collect()["game_type"])
    machines = set(slot_rates().collect()["machine_type"])
    types = contract("slot_telemetry").columns["machine_type"]
    assert set(GAMES) <= games
    assert set(types.categories) == machines
