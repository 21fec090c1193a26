"""How a patron played in a day, worked out on paper."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
import weekend
from silver_rows import ZONE, assert_record, at, record, silver

from lakehouse.gold.floor.player_behaviour import player_behaviour
from lakehouse.gold.floor.player_day import player_day

D = dt.date(2026, 3, 6)
SPRING = dt.date(2025, 3, 8)
"""In the night after it clocks go from 02:00 to 03:00."""
_SLOT = {"player_id": "P1", "gaming_day": D, "machine_id": "SLOT-0001", "game_theme": "Buffalo"}
_PIT = {"player_id": "P1", "gaming_day": D, "table_id": "TBL-BJ-001", "game_type": "Blackjack"}
_CAGE = {"player_id": "P1", "gaming_day": D, "payment_method": "Cash"}
Row = dict[str, Any]


def play(session: str, clock: str, coin_in: str, games: int = 10, out: str = "0.00") -> Row:
    return _SLOT | {
        "event_type": "GAME_PLAY", "session_id": session, "at": clock, "coin_in": coin_in,
        "coin_out": out, "games_played": games,
    }  # fmt: skip


def money(kind: str, session: str, clock: str, amount: str) -> Row:
    return _SLOT | {"event_type": kind, "session_id": session, "at": clock, "amount": amount}


def rated(rating: str, clock: str, hours: str, win: str = "0.00", bet: str = "25.00") -> Row:
    return _PIT | {
        "event_type": "RATING_END", "player_rating_id": rating, "at": clock, "hours_played": hours,
        "average_bet": bet, "actual_win_loss": win,
    }  # fmt: skip


def chips(kind: str, rating: str, clock: str, amount: str) -> Row:
    return _PIT | {"event_type": kind, "player_rating_id": rating, "at": clock, "amount": amount}


def paid(kind: str, clock: str, **more: Any) -> Row:
    return _CAGE | {"transaction_type": kind, "at": clock, "amount": "50.00"} | more


def behaviour(
    slots: list[Row] = (), pit: list[Row] = (), cage: list[Row] = (), day: dt.date = D
) -> Row:
    found = player_behaviour(
        silver("slot_telemetry", list(slots)),
        silver("table_games", list(pit)),
        silver("financial_txn", list(cage)),
        days=(day, day),
        timezone=ZONE,
    )
    return record(found)


EVENING = [
    money("BILL_IN", "S1", "20:00", "100.00"),
    play("S1", "20:10", "10.00"),
    play("S1", "20:20", "20.00"),  # twice the stake, 10.00 behind
    play("S1", "20:30", "12.00"),  # 30.00 behind, and less
    money("TICKET_OUT", "S1", "20:40", "58.00"),
    money("BILL_IN", "S2", "21:00", "60.00"),
    play("S2", "21:30", "30.00", out="50.00"),
]


def lost_in_a_row(third: str, out: str = "0.00") -> Row:
    """Sessions of ten games at 1 and 2 dollars, and a third; the second pays `out`."""
    return behaviour([
        play("S1", "20:00", "10.00"), play("S2", "20:10", "20.00", out=out),
        play("S3", "20:20", third), money("BILL_IN", "S4", "20:30", "5.00"),
    ])  # fmt: skip


def test_stakes_that_double_with_each_lost_session() -> None:
    """Runs 0, 1, 2 about 1; thousandths of ln: 0, 693, 1386 about 693."""
    found = lost_in_a_row("40.00")
    wanted = {"run_freedom": 2, "run_squares": 2_000, "run_stakes": 1_386, "stake_spread": 960_498}
    assert {n: found[n] for n in wanted} == wanted


def test_a_won_session_ends_the_run() -> None:
    """Runs 0, 1, 0 about 1/3: squares 2/3; stakes 0, 693, 1386: 693 - 2079/3 is 0."""
    found = lost_in_a_row("40.00", out="99.00")
    assert (found["run_squares"], found["run_stakes"]) == (667, 0)


def test_a_rating_is_of_another_kind_but_its_loss_counts() -> None:
    """At machines runs 0 and 2 about 1, at tables one session, about itself."""
    found = behaviour(
        [play("S1", "19:00", "10.00"), play("S2", "21:00", "20.00")],
        [rated("R1", "20:30", "1.00", win="100.00")],
    )
    assert (found["run_freedom"], found["run_squares"], found["run_stakes"]) == (1, 2_000, 693)


def test_an_evening_by_hand() -> None:
    """Two machines, a break of 20 minutes between them, and two hours of blackjack from 23:00:
    140 decisions at 70 an hour."""
    found = behaviour(
        EVENING,
        [
            chips("BUY_IN", "R1", "23:00", "200.00"),
            rated("R1", "01:00", "2.00", "200.00"),
            chips("CASH_OUT", "R1", "01:01", "50.00"),
        ],
        [paid("TICKET_REDEMPTION", "20:50"), paid("CHIP_REDEMPTION", "01:05")],
    )
    wanted = {
        "sessions": 3,
        "slot_sessions": 2,
        "minutes": 40 + 30 + 120,
        "night_minutes": 60,
        "longest_session_minutes": 120,
        "longest_stretch_minutes": 120,  # 90 at machines
        "long_stretches": 0,
        "rounds": 40 + 140,
        "games_played": 40,
        "staked": "3572.00",
        "stake_squares": 100_000 + 400_000 + 144_000 + 900_000 + 140 * 2_500**2,
        "highest_stake": "25.00",
        "coin_in": "72.00",
        "loss": "222.00",  # 42 less 20, and 200
        "games": 2,
        "rows_behind": 2,
        "rows_raised": 1,
        "sessions_behind": 1,
        "sessions_raised": 1,  # 3.00 after 1.40
        "deposits": 3,
        "most_deposits": 1,
        "deposited": "360.00",
        "withdrawn": "108.00",
        "cash_outs": 2,
        "reversals": 1,
    }
    assert_record(found, wanted)


@pytest.mark.parametrize(("stake", "raised"), [("12.49", 0), ("12.50", 1)])
def test_a_quarter_more_is_raised(stake: str, raised: int) -> None:
    found = behaviour([play("S1", "20:00", "10.00"), play("S1", "20:10", stake)])
    assert (found["rows_behind"], found["rows_raised"]) == (1, raised)


def test_who_is_ahead_chases_nothing() -> None:
    won = behaviour([play("S1", "20:00", "10.00", out="11.00"), play("S1", "20:10", "20.00")])
    assert (won["rows_behind"], won["rows_raised"]) == (0, 0)
    by_hand = money("JACKPOT", "S1", "20:05", "500.00") | {"jackpot_amount": "500.00"}
    paid_out = behaviour([play("S1", "20:00", "10.00"), by_hand, play("S1", "20:10", "20.00")])
    assert paid_out["rows_behind"] == 0


@pytest.mark.parametrize(("again", "longest"), [("20:39", 69), ("20:40", 30)])
def test_a_break_of_half_an_hour_ends_a_stretch(again: str, longest: int) -> None:
    first = [play("S1", "19:40", "1.00"), play("S1", "20:10", "1.00")]
    hour, minute = again.split(":")
    after = f"{hour}:{int(minute) + 10}"
    found = behaviour([*first, play("S2", again, "1.00"), play("S2", after, "1.00")])
    assert found["longest_stretch_minutes"] == longest


@pytest.mark.parametrize(("until", "many"), [("23:00", 0), ("23:01", 1)])
def test_more_than_three_hours_are_long(until: str, many: int) -> None:
    found = behaviour([play("S1", "20:00", "1.00"), play("S1", until, "1.00")])
    assert found["long_stretches"] == many


@pytest.mark.parametrize(("bill", "many"), [("21:20", 1), ("21:21", 0), ("20:40", 0)])
def test_money_that_comes_back_within_half_an_hour_is_a_reversal(bill: str, many: int) -> None:
    found = behaviour(
        [money("BILL_IN", "S2", bill, "60.00")], cage=[paid("TICKET_REDEMPTION", "20:50")]
    )
    assert (found["cash_outs"], found["reversals"]) == (1, many)


def test_only_currency_is_a_cash_out() -> None:
    by_cheque = paid("CHIP_REDEMPTION", "20:50", payment_method="Check")
    found = behaviour([play("S1", "20:00", "1.00")], cage=[by_cheque])
    assert found["cash_outs"] == 0


def test_an_hour_that_is_not_there_is_no_night() -> None:
    """From 23:30 to 03:30 by the clock are three hours; two and a half lie after midnight."""
    assert at(SPRING, "03:30") - at(SPRING, "23:30") == dt.timedelta(hours=3)
    rows = [play("S1", clock, "1.00") | {"gaming_day": SPRING} for clock in ("23:30", "03:30")]
    found = behaviour(rows, day=SPRING)
    assert (found["minutes"], found["night_minutes"]) == (180, 150)


def test_who_only_cashes_has_no_row() -> None:
    found = player_behaviour(
        silver("slot_telemetry", []),
        silver("table_games", []),
        silver("financial_txn", [paid("TICKET_REDEMPTION", "20:50")]),
        days=(D, D),
        timezone=ZONE,
    )
    assert found.collect().is_empty()


def test_it_is_the_play_of_the_day() -> None:
    """Time, coin-in and loss are those of player_day, of everybody on a trip of the weekend."""
    slots, pit, cage = weekend.slot_telemetry(), weekend.table_games(), weekend.financial_txn()
    key = ["player_id", "gaming_day"]
    played = player_behaviour(slots, pit, cage, days=weekend.DAYS, timezone=ZONE).select(
        *key, "minutes", "coin_in", actual="loss"
    )
    day = player_day(slots, pit, cage, weekend.gaming_wins(), days=weekend.DAYS)
    trips = day.filter(pl.col("visits") > 0).select(*key, "minutes", "coin_in", "actual")
    assert played.sort(key).collect().equals(trips.sort(key).collect())
