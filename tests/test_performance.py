"""Three machines, one table and the property over a weekend, against figures on paper."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl
import pytest
import weekend
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from silver_rows import ZONE, assert_record, record, silver
from weekend import DAYS, FRI, SAT, SUN

from lakehouse.contracts import contract
from lakehouse.gold.floor.player_day import player_day
from lakehouse.gold.floor.property_day import property_day
from lakehouse.gold.floor.slot_performance import slot_performance
from lakehouse.gold.floor.table_performance import table_performance
from lakehouse.regulation.gaming_day import each_day


def _machines(days: tuple[Any, Any] = DAYS) -> pl.LazyFrame:
    return slot_performance(weekend.slot_telemetry(), days=days, timezone=ZONE)


def _tables(days: tuple[Any, Any] = DAYS) -> pl.LazyFrame:
    return table_performance(weekend.table_games(), days=days)


def _players() -> pl.LazyFrame:
    return player_day(
        weekend.slot_telemetry(),
        weekend.table_games(),
        weekend.financial_txn(),
        weekend.gaming_wins(),
        days=DAYS,
    )


def _property(machines: pl.LazyFrame, players: pl.LazyFrame) -> pl.LazyFrame:
    return property_day(
        machines,
        _tables(),
        players,
        weekend.slot_telemetry(),
        weekend.table_games(),
        weekend.financial_txn(),
        weekend.player_profile(),
        days=DAYS,
        wanted=each_day(DAYS),
    )


@pytest.mark.parametrize(
    ("machine", "day", "expected"),
    [
        (  # 183.33 carded + 60.00; theo 15.58305 + 5.10; 31 + 12 minutes of 1,440
            "SLOT-0001",
            FRI,
            {
                "sessions": 2,
                "games_played": 487,
                "coin_in": "243.33",
                "carded_coin_in": "183.33",
                "coin_out": "110.00",
                "win": "133.33",
                "theo": "20.68",
                "bills_in": "140.00",
                "tickets_out": "6.67",
                "theoretical_hold": 0.085,
                "actual_hold": 0.547939,
                "is_hold_outside": False,
                "occupancy": 0.029861,
                "meter_variance": None,
                "zone": "Penny",
            },
        ),
        (
            "SLOT-0001",
            SAT,
            {
                "sessions": 1,
                "coin_in": "0.00",
                "theoretical_hold": 0.085,
                "actual_hold": None,
                "hold_low": None,
                "is_hold_outside": False,
            },
        ),
        (  # 250 - 180 - 2500 is -9.72 of 250; 2 of 24 hours
            "SLOT-0002",
            FRI,
            {
                "jackpots": 1,
                "jackpot_amount": "2500.00",
                "win": "-2430.00",
                "theo": "15.00",
                "actual_hold": -9.72,
                "hold_high": 1.0,
                "is_hold_outside": True,
                "occupancy": 0.083333,
            },
        ),
        (  # 45 minutes of a day of 23 hours; the meter says 62.50, the rows 60.00
            "SLOT-0003",
            SAT,
            {
                "sessions": 1,
                "win": "30.00",
                "theo": "7.20",
                "actual_hold": 0.5,
                "occupancy": 0.032609,
                "meter_variance": "2.50",
            },
        ),
    ],
)
def test_machine_day(machine: str, day: Any, expected: dict[str, Any]) -> None:
    assert_record(record(_machines(), machine_id=machine, gaming_day=day), expected)


@pytest.mark.parametrize(
    ("machine", "low", "high"),
    [
        # Rows: 150^2/300 + 33.33^2/67 + 60^2/120 = 121.5804; a bet varies by 0.915 x 66 - 0.915^2
        # = 59.5528; root of the product 85.0908, x 2.57583 / 243.33 = 0.90075 around 0.085
        ("SLOT-0001", -0.81575, 0.98575),
        # 250^2/50 = 1250 x (0.94 x 66 - 0.94^2 = 61.1564) = 76445.5; 276.4878 x 2.57583 / 250
        ("SLOT-0002", -2.78874, 1.0),
    ],
)
def test_interval_of_hold(machine: str, low: float, high: float) -> None:
    found = record(_machines(), machine_id=machine, gaming_day=FRI)
    assert (found["hold_low"], found["hold_high"]) == pytest.approx((low, high), abs=2e-5)


def test_a_reading_counts_the_play_of_its_own_instant() -> None:
    row = {"machine_id": "M", "gaming_day": FRI, "machine_type": "Video Slots"}
    play = {"event_type": "GAME_PLAY", "coin_in": "5.00", "theoretical_hold": "0.08"}
    meter = {"event_type": "METER_UPDATE"}
    rows = [
        row | meter | {"at": "10:00", "meter_coin_in": "100.00"},
        row | meter | {"at": "11:00", "meter_coin_in": "105.00"},
        row | play | {"at": "11:00"},
        row | play | {"at": "12:00"},
    ]
    found = slot_performance(silver("slot_telemetry", rows), days=DAYS, timezone=ZONE)
    assert_record(record(found), {"meter_variance": "0.00", "coin_in": "10.00"})


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (  # no inventory: win is that of the rating; 120 / 800
            FRI,
            {
                "ratings": 1,
                "hands_played": 280,
                "rated_minutes": 240,
                "average_bet": "50.00",
                "cash_drop": "800.00",
                "drop": "800.00",
                "chips_out": "380.00",
                "fills": "2000.00",
                "credits": "500.00",
                "opening": None,
                "win": "120.00",
                "win_basis": "ratings",
                "hold": 0.15,
                "theo": "105.00",
                # 50^2 x 280 x 1.15^2 = 925,750; root 962.159 x 2.57583 = 2478.36
                "win_low": "-2373.36",
                "win_high": "2583.36",
                "is_win_outside": False,
            },
        ),
        (  # 1100 - (10000 + 1500 - 0 - 11300)
            SAT,
            {
                "ratings": 0,
                "average_bet": None,
                "cash_drop": "700.00",
                "marker_drop": "400.00",
                "drop": "1100.00",
                "opening": "10000.00",
                "closing": "11300.00",
                "win": "900.00",
                "win_basis": "inventory",
                "hold": 0.818182,
                "theo": "0.00",
                "win_low": None,
            },
        ),
    ],
)
def test_blackjack_table(day: Any, expected: dict[str, Any]) -> None:
    assert_record(record(_tables(), table_id="TBL-BJ-001", gaming_day=day), expected)


def test_average_bet_is_weighted_by_hours() -> None:
    """(10.00 x 3 h + 50.00 x 1 h) / 4 h; 25.00 without a clock has no weight."""
    rating = {"event_type": "RATING_END", "table_id": "T", "game_type": "Craps", "gaming_day": FRI}
    bets = [("10.00", "3.00"), ("50.00", "1.00"), ("25.00", None)]
    rows = [rating | {"average_bet": b, "hours_played": h} for b, h in bets]
    found = table_performance(silver("table_games", rows), days=DAYS)
    assert_record(record(found), {"average_bet": "20.00", "rated_minutes": 240, "ratings": 3})


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (
            FRI,
            {
                "machines": 2,
                "tables": 2,
                "headcount": 3,
                "new_players": 1,
                "uncarded_sessions": 1,
                "slot_coin_in": "493.33",
                "slot_drop": "240.00",
                "slot_win": "-2296.67",
                "slot_theo": "35.68",
                "table_drop": "800.00",
                "table_win": "90.00",
                "table_theo": "204.94",
                "table_hold": 0.1125,
                "win": "-2206.67",
                "theo": "240.62",
                "cash_in": "800.00",
                "cash_out": "2880.00",
                "cash_position": "-2080.00",
                "is_reconciled": True,
            },
        ),
        (
            SAT,
            {
                "headcount": 2,
                "new_players": 1,
                "first_visits": 1,
                "free_play": "20.00",
                "table_drop": "1100.00",
                "is_reconciled": True,
            },
        ),
        (
            SUN,
            {
                "machines": 0,
                "tables": 1,
                "headcount": 1,
                "first_visits": 0,
                "slot_hold": None,
                "cash_in": "650.00",
                "cash_out": "300.00",
                "markers_issued": "1000.00",
                "markers_paid": "1000.00",
                "is_reconciled": True,
            },
        ),
    ],
)
def test_property_day(day: Any, expected: dict[str, Any]) -> None:
    assert_record(record(_property(_machines(), _players()), gaming_day=day), expected)


def test_a_lost_machine_shows_as_a_difference() -> None:
    """SLOT-0003: 60.00 bet and 30.00 kept, all of it carded; bills 20.00."""
    lost = _machines().filter(pl.col("machine_id") != "SLOT-0003")
    assert_record(
        record(_property(lost, _players()), gaming_day=SAT),
        {
            "coin_in_difference": "-60.00",
            "slot_win_difference": "-30.00",
            "drop_difference": "-20.00",
            "carded_coin_in_difference": "60.00",
            "cash_difference": "0.00",
            "is_reconciled": False,
        },
    )


def test_a_lost_patron_shows_as_a_difference() -> None:
    lost = _players().filter(pl.col("player_id") != "P2")
    found = record(_property(_machines(), lost), gaming_day=FRI)
    assert_record(found, {"cash_difference": "-880.00", "is_reconciled": False})


@pytest.mark.parametrize("name", ["slot_performance", "table_performance", "property_day"])
def test_rows_satisfy_the_contract(name: str) -> None:
    marts = {
        "slot_performance": _machines,
        "table_performance": _tables,
        "property_day": lambda: _property(_machines(), _players()),
    }
    frame = marts[name]().collect()
    good, failure = contract(name).schema.filter(frame, cast=True)
    assert (len(good), failure.counts()) == (len(frame), {})
    assert frame.schema == contract(name).bronze_schema()


def test_a_day_does_not_depend_on_the_days_around_it() -> None:
    days = (FRI, SAT, SUN)
    machines = pl.concat([_machines((d, d)) for d in days]).sort("machine_id", "gaming_day")
    tables = pl.concat([_tables((d, d)) for d in days]).sort("table_id", "gaming_day")
    assert_frame_equal(machines, _machines())
    assert_frame_equal(tables, _tables())


def test_order_of_rows_does_not_matter() -> None:
    shuffled = weekend.slot_telemetry().collect().sample(fraction=1, shuffle=True, seed=7).lazy()
    assert_frame_equal(slot_performance(shuffled, days=DAYS, timezone=ZONE), _machines())


def test_an_empty_property_still_reports_its_days() -> None:
    none = {t: silver(t, []) for t in ("slot_telemetry", "table_games", "financial_txn")}
    machines = slot_performance(none["slot_telemetry"], days=DAYS, timezone=ZONE)
    tables = table_performance(none["table_games"], days=DAYS)
    players = player_day(*none.values(), silver("gaming_wins", []), days=DAYS)
    profiles = silver("player_profile", [])
    report = property_day(
        machines, tables, players, *none.values(), profiles, days=DAYS, wanted=each_day(DAYS)
    ).collect()
    assert report["gaming_day"].to_list() == [FRI, SAT, SUN]
    assert report["win"].sum() == 0
    assert report["is_reconciled"].all()


_cents = st.integers(0, 10**7).map(lambda c: f"{c / 100:.2f}")
_slot_row = st.fixed_dictionaries(
    {
        "machine_id": st.sampled_from(["M1", "M2"]),
        "machine_type": st.just("Video Slots"),
        "gaming_day": st.sampled_from([FRI, SAT, SUN]),
        "event_type": st.sampled_from(
            ["GAME_PLAY", "METER_UPDATE", "BILL_IN", "TICKET_OUT", "JACKPOT"]
        ),
        "player_id": st.sampled_from(["P1", "P2", None]),
        "session_id": st.sampled_from(["S1", "S2", None]),
        "at": st.sampled_from(["06:00", "12:00", "05:59"]),
        "coin_in": st.one_of(st.none(), _cents),
        "coin_out": st.one_of(st.none(), _cents),
        "amount": _cents,
        "theoretical_hold": st.sampled_from(["0.0400", "0.0985", "0.1234"]),
    }
)
_cage_row = st.fixed_dictionaries(
    {
        "gaming_day": st.sampled_from([FRI, SAT, SUN]),
        "player_id": st.sampled_from(["P1", None]),
        "transaction_type": st.sampled_from(["CHIP_PURCHASE", "CURRENCY_EXCHANGE", "CASH_OUT"]),
        "payment_method": st.sampled_from(["Cash", "Wire"]),
        "amount": _cents,
    }
)


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(st.lists(_slot_row, max_size=20), st.lists(_cage_row, max_size=8))
def test_no_cent_is_lost_between_silver_and_the_report(
    slots: list[dict[str, Any]], cage: list[dict[str, Any]]
) -> None:
    telemetry, txn = silver("slot_telemetry", slots), silver("financial_txn", cage)
    pit, wins = silver("table_games", []), silver("gaming_wins", [])
    machines = slot_performance(telemetry, days=DAYS, timezone=ZONE)
    tables = table_performance(pit, days=DAYS)
    players = player_day(telemetry, pit, txn, wins, days=DAYS)
    report = property_day(
        machines,
        tables,
        players,
        telemetry,
        pit,
        txn,
        silver("player_profile", []),
        days=DAYS,
        wanted=each_day(DAYS),
    ).collect()
    assert report["is_reconciled"].all()
    played = [r["coin_in"] or 0 for r in slots if r["event_type"] == "GAME_PLAY"]
    assert report["slot_coin_in"].sum() == sum(map(Decimal, played))
    cash = [Decimal(r["amount"]) for r in cage if r["payment_method"] == "Cash"]
    kinds = [r["transaction_type"] for r in cage if r["payment_method"] == "Cash"]
    paid_in = sum(a for a, k in zip(cash, kinds, strict=True) if k != "CASH_OUT")
    assert report["cash_in"].sum() == paid_in
