"""Truths across tables: quiet on a sound weekend, and what each says of a broken one."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
import weekend
from silver_rows import ZONE, mart, silver
from weekend import DAYS, FRI, SAT, SUN

from lakehouse.contracts import contract
from lakehouse.gold.detection.player_markers import player_markers
from lakehouse.gold.detection.player_protection import player_protection
from lakehouse.gold.floor.player_behaviour import player_behaviour
from lakehouse.gold.floor.player_day import player_day
from lakehouse.gold.floor.player_value import player_value
from lakehouse.gold.floor.property_day import property_day
from lakehouse.gold.floor.slot_performance import slot_performance
from lakehouse.gold.floor.table_performance import table_performance
from lakehouse.quality.findings import FINDINGS
from lakehouse.quality.truths import TRUTHS
from lakehouse.regulation.gaming_day import each_day
from lakehouse.settings import Settings


@pytest.fixture(scope="module")
def lake() -> dict[str, pl.LazyFrame]:
    slots, pit = weekend.slot_telemetry(), weekend.table_games()
    cage, wins = weekend.financial_txn(), weekend.gaming_wins()
    profile = weekend.player_profile()
    players = player_day(slots, pit, cage, wins, days=DAYS)
    machines = slot_performance(slots, days=DAYS, timezone=ZONE)
    tables = table_performance(pit, days=DAYS)
    report = property_day(
        machines, tables, players, slots, pit, cage, profile, days=DAYS, wanted=each_day(DAYS)
    )
    played = player_behaviour(slots, pit, cage, days=DAYS, timezone=ZONE)
    markers = player_markers(played, days=DAYS)
    models = mart("protection_model", [])
    protection = player_protection(markers, models, profile, days=DAYS)
    return {
        "silver.slot_telemetry": slots,
        "silver.table_games": pit,
        "silver.financial_txn": cage,
        "silver.player_profile": profile,
        "gold.player_day": players,
        "gold.slot_performance": machines,
        "gold.table_performance": tables,
        "gold.property_day": report,
        "gold.player_behaviour": played,
        "gold.player_protection": protection,
        "gold.player_value": player_value(
            players, profile, protection, days=DAYS, wanted=each_day(DAYS)
        ),
    }


def _findings(name: str, lake: dict[str, pl.LazyFrame]) -> list[tuple[Any, ...]]:
    truth = TRUTHS[name]
    found = truth.function(*(lake[i] for i in truth.inputs)).collect()
    assert found.schema == FINDINGS
    return [(d, s, str(e), str(f)) for d, s, e, f, *_ in found.rows()]


# The weekend is not quite sound: the meter of SLOT-0003 is 2.50 ahead, the cage has no row for
# Saturday's 700.00 in currency and the marker of 400.00.
OF_THE_WEEKEND = {
    "buy_ins_have_their_cage_row": [(SAT, "unidentified", "700.00", "0.00")],
    "markers_agree": [(SAT, "K1", "400.00", "0.00")],
    "meters_equal_the_play": [(SAT, "SLOT-0003", "60.00", "62.50")],
}


ON_THE_FLOOR = sorted(
    name
    for name, truth in TRUTHS.items()
    if all(Settings(domains=("floor",)).has(table) for _, table in truth.tables)
)


@pytest.mark.parametrize("name", ON_THE_FLOOR)
def test_weekend(name: str, lake: dict[str, pl.LazyFrame]) -> None:
    assert _findings(name, lake) == OF_THE_WEEKEND.get(name, [])


@pytest.mark.parametrize("name", sorted(TRUTHS))
def test_silent_on_nothing(name: str) -> None:
    truth = TRUTHS[name]
    empty = {}
    for source in truth.inputs:
        layer, table = source.split(".")
        schema = contract(table).silver_schema() if layer == "silver" else None
        empty[source] = pl.LazyFrame(schema=schema or contract(table).bronze_schema())
    assert _findings(name, empty) == []


@pytest.mark.parametrize("name", sorted(TRUTHS))
def test_truths_are_described(name: str) -> None:
    assert len(TRUTHS[name].description) > 20
    assert all(i.count(".") == 1 for i in TRUTHS[name].inputs)


def _slot(kind: str, session: str, **more: Any) -> dict[str, Any]:
    row = {"event_type": kind, "session_id": session, "gaming_day": FRI, "machine_id": "M"}
    return row | {"theoretical_hold": "0.08"} | more


@pytest.mark.parametrize(
    ("coin_in", "coin_out", "ticket", "player", "expected"),
    [
        ("90.00", "20.00", "30.00", "P1", []),
        ("90.00", "20.00", "29.99", "P1", [(FRI, "S", "120.00", "119.99")]),
        ("90.00", "20.00", "35.00", "P1", []),  # 5.00 of promotional credit
        ("90.00", "20.00", "35.00", None, [(FRI, "S", "120.00", "125.00")]),
    ],
)
def test_sessions_balance(
    coin_in: str, coin_out: str, ticket: str, player: str | None, expected: list[Any]
) -> None:
    rows = [
        _slot("BILL_IN", "S", amount="100.00", player_id=player),
        _slot("GAME_PLAY", "S", coin_in=coin_in, coin_out=coin_out, player_id=player),
        _slot("TICKET_OUT", "S", amount=ticket, player_id=player),
    ]
    lake = {"silver.slot_telemetry": silver("slot_telemetry", rows)}
    assert _findings("sessions_balance", lake) == expected


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        (["100.00", "100.00", "100.01"], []),
        (["100.00", "99.99", "120.00"], [(FRI, "M", "100.00", "99.99")]),
    ],
)
def test_meters_never_fall(readings: list[str], expected: list[Any]) -> None:
    rows = [
        _slot("METER_UPDATE", "S", meter_coin_in=m, at=f"1{i}:00") for i, m in enumerate(readings)
    ]
    lake = {"silver.slot_telemetry": silver("slot_telemetry", rows)}
    assert _findings("meters_never_fall", lake) == expected


def test_meters_may_start_anew_on_another_day() -> None:
    rows = [
        _slot("METER_UPDATE", "S", meter_coin_in="500.00"),
        _slot("METER_UPDATE", "S", meter_coin_in="0.00", gaming_day=SAT),
    ]
    lake = {"silver.slot_telemetry": silver("slot_telemetry", rows)}
    assert _findings("meters_never_fall", lake) == []


@pytest.mark.parametrize(
    ("paid", "expected"),
    [
        (["1500.00", "1500.00", "1200.00"], []),
        (["1500.00", "1200.00"], [(FRI, "hand-pay of 150000 cents", "3000.00", "1500.00")]),
        (
            ["1500.00", "1500.00", "1250.00"],
            [
                (FRI, "hand-pay of 120000 cents", "1200.00", "0.00"),
                (FRI, "hand-pay of 125000 cents", "0.00", "1250.00"),
            ],
        ),
    ],
)
def test_jackpots_have_their_payout(paid: list[str], expected: list[Any]) -> None:
    wins = [_slot("JACKPOT", "S", amount=a) for a in ("1500.00", "1500.00", "1200.00")]
    payouts = [{"transaction_type": "JACKPOT_PAYOUT", "gaming_day": FRI, "amount": a} for a in paid]
    lake = {
        "silver.slot_telemetry": silver("slot_telemetry", wins),
        "silver.financial_txn": silver("financial_txn", payouts),
    }
    assert _findings("jackpots_have_their_payout", lake) == expected


@pytest.mark.parametrize(
    ("redeemed", "expected"),
    [
        ("380.00", []),
        ("400.00", []),  # chips from another day, or from a friend
        ("379.99", [(FRI, "P1", "380.00", "379.99")]),
    ],
)
def test_cash_outs_have_their_cage_row(redeemed: str, expected: list[Any]) -> None:
    key = {"player_id": "P1", "gaming_day": FRI}
    lake = {
        "silver.table_games": silver(
            "table_games", [key | {"event_type": "CASH_OUT", "amount": "380.00"}]
        ),
        "silver.financial_txn": silver(
            "financial_txn", [key | {"transaction_type": "CHIP_REDEMPTION", "amount": redeemed}]
        ),
    }
    assert _findings("cash_outs_have_their_cage_row", lake) == expected


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ("105.00", []),
        ("105.27", []),  # a hundredth of an hour is 50 x 70 x 0.0075 / 100 = 0.2625
        ("105.28", [(FRI, "R1", "105.00", "105.28")]),
        ("110.00", [(FRI, "R1", "105.00", "110.00")]),
    ],
)
def test_ratings_carry_their_theo(own: str, expected: list[Any]) -> None:
    rating = {
        "event_type": "RATING_END",
        "player_rating_id": "R1",
        "game_type": "Blackjack",
        "average_bet": "50.00",
        "hours_played": "4.00",
        "theoretical_win": own,
        "gaming_day": FRI,
    }
    lake = {"silver.table_games": silver("table_games", [rating])}
    assert _findings("ratings_carry_their_theo", lake) == expected


def test_marts_that_disagree_are_found(lake: dict[str, pl.LazyFrame]) -> None:
    lost = lake | {"gold.player_day": lake["gold.player_day"].filter(pl.col("player_id") != "P3")}
    assert _findings("carded_play_is_in_both_marts", lost) == [
        (SAT, "carded coin-in", "60.00", "0.00")
    ]
    tables = lake["gold.table_performance"].filter(pl.col("game_type") != "Baccarat")
    assert _findings("rated_theo_is_in_both_marts", lake | {"gold.table_performance": tables}) == [
        (SAT, "rated theo", "8.00", "0.00")
    ]
    late = lake | {"gold.player_value": lake["gold.player_value"].filter(gaming_day=FRI)}
    assert [f[:2] for f in _findings("value_ends_in_the_day", late)] == [
        (SAT, "P1"),
        (SAT, "P3"),
        (SUN, "P2"),
    ]


def test_differences_of_the_property_are_found() -> None:
    lake = {
        "gold.property_day": mart(
            "property_day", [{"gaming_day": FRI, "cash_difference": "-880.00"}]
        )
    }
    assert _findings("property_day_reconciles", lake) == [
        (FRI, "cash_difference", "0.00", "-880.00")
    ]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"is_protected": True}, 1),
        ({"is_excluded": True}, 1),
        ({"account_status": "Closed"}, 1),
        ({"account_status": "Active"}, 0),
        ({}, 0),
    ],
)
def test_protected_receive_nothing(row: dict[str, Any], expected: int) -> None:
    given = {"player_id": "P1", "gaming_day": FRI, "reinvestment_budget": "5.00"} | row
    lake = {"gold.player_value": mart("player_value", [given])}
    assert len(_findings("protected_receive_nothing", lake)) == expected


@pytest.mark.parametrize(
    ("raised", "value", "expected"),
    [
        (True, {"is_protected": True}, 0),
        (True, {"is_protected": False}, 1),
        (True, {"is_protected": True, "reinvestment_budget": "5.00"}, 1),
        (True, {"is_protected": True, "may_be_marketed_to": True}, 1),
        (False, {"is_protected": False, "reinvestment_budget": "5.00"}, 0),
    ],
)
def test_raised_are_protected(raised: bool, value: dict[str, Any], expected: int) -> None:
    key = {"player_id": "P1", "gaming_day": FRI}
    lake = {
        "gold.player_protection": mart(
            "player_protection", [key | {"is_marketing_suppressed": raised}]
        ),
        "gold.player_value": mart("player_value", [key | value]),
    }
    assert len(_findings("raised_are_protected", lake)) == expected


@pytest.mark.parametrize(("loss", "expected"), [("3.00", 0), ("3.01", 1)])
def test_behaviour_is_of_the_day(loss: str, expected: int) -> None:
    key = {"player_id": "P1", "gaming_day": FRI, "coin_in": "10.00"}
    lake = {
        "gold.player_day": mart("player_day", [key | {"actual": "3.00"}]),
        "gold.player_behaviour": mart("player_behaviour", [key | {"loss": loss}]),
    }
    assert len(_findings("behaviour_is_of_the_day", lake)) == expected
