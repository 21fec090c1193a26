"""A weekend by hand: five patrons, three machines, one table. 8 March 2025 has 23 hours."""

from __future__ import annotations

import datetime as dt

import polars as pl
from silver_rows import silver

FRI, SAT, SUN = (dt.date(2025, 3, d) for d in (7, 8, 9))
DAYS = (FRI, SUN)

# Machine, its kind of day, and its hold.
_M1 = {
    "machine_id": "SLOT-0001",
    "zone": "Penny",
    "denomination": "0.01",
    "machine_type": "Video Slots",
    "manufacturer": "IGT",
    "game_theme": "Buffalo",
    "theoretical_hold": "0.0850",
}
_M2 = _M1 | {"machine_id": "SLOT-0002", "denomination": "5.00", "theoretical_hold": "0.0600"}
_M3 = _M1 | {
    "machine_id": "SLOT-0003",
    "machine_type": "Video Poker",
    "denomination": "1.00",
    "theoretical_hold": "0.1200",
}


def _play(coin_in: str, coin_out: str, games: int) -> dict[str, object]:
    return {
        "event_type": "GAME_PLAY",
        "coin_in": coin_in,
        "coin_out": coin_out,
        "games_played": games,
    }


def _money(event: str, amount: str) -> dict[str, object]:
    return {"event_type": event, "amount": amount}


_P1 = {"player_id": "P1", "session_id": "S1", "gaming_day": FRI} | _M1
_P3 = {"player_id": "P3", "session_id": "S3", "gaming_day": SAT} | _M3
_P4 = {"player_id": "P4", "session_id": "S4", "gaming_day": FRI} | _M2
_NOBODY = {"session_id": "S5", "gaming_day": FRI} | _M1
_METER = {"gaming_day": SAT, "event_type": "METER_UPDATE"} | _M3


def slot_telemetry() -> pl.LazyFrame:
    return silver(
        "slot_telemetry",
        [
            # S1 balances: in 100.00 and 90.00, out 183.33 and 6.67
            _P1 | {"at": "20:00"} | _money("BILL_IN", "100.00"),
            _P1 | {"at": "20:05"} | _play("150.00", "90.00", 300),
            _P1 | {"at": "20:30"} | _play("33.33", "0.00", 67),
            _P1 | {"at": "20:31"} | _money("TICKET_OUT", "6.67"),
            # S2: a card swipe without play
            _P1 | {"gaming_day": SAT, "session_id": "S2", "at": "19:00"} | _play("0.00", "0.00", 0),
            # S3: 20.00 + 30.00 is 20.00 short of 60.00 + 10.00: promotional credit
            _P3 | {"at": "10:00"} | _money("BILL_IN", "20.00"),
            _P3 | {"at": "10:40"} | _play("60.00", "30.00", 60),
            _P3 | {"at": "10:45"} | _money("TICKET_OUT", "10.00"),
            # S4: 100.00 + 180.00 = 250.00 + 30.00, and a hand-pay apart
            _P4 | {"at": "23:00"} | _money("BILL_IN", "100.00"),
            _P4 | {"at": "00:30"} | _play("250.00", "180.00", 50),
            _P4 | {"at": "00:31", "jackpot_amount": "2500.00"} | _money("JACKPOT", "2500.00"),
            _P4 | {"at": "01:00"} | _money("TICKET_OUT", "30.00"),
            # S5: nobody's card; 40.00 + 20.00 = 60.00
            _NOBODY | {"at": "08:00"} | _money("BILL_IN", "40.00"),
            _NOBODY | {"at": "08:12"} | _play("60.00", "20.00", 120),
            # readings around S3: the meter advanced 62.50 for 60.00 of play
            _METER | {"at": "09:00", "meter_coin_in": "1000.00"},
            _METER | {"at": "11:00", "meter_coin_in": "1062.50"},
        ],
    )


_BJ = {"table_id": "TBL-BJ-001", "game_type": "Blackjack", "zone": "Main Pit"}


def _rating(number: str, bet: str, hands: int, hours: str, win: str) -> dict[str, object]:
    return {
        "event_type": "RATING_END",
        "player_rating_id": number,
        "average_bet": bet,
        "hands_played": hands,
        "hours_played": hours,
        "actual_win_loss": win,
    }


def table_games() -> pl.LazyFrame:
    p2, p3 = {"player_id": "P2", "gaming_day": FRI}, {"player_id": "P3", "gaming_day": SAT}
    roulette = {"table_id": "TBL-RL-001", "game_type": "Roulette", "zone": "Main Pit"}
    baccarat = {"table_id": "TBL-BA-001", "game_type": "Baccarat", "zone": "VIP Salon"}
    craps = {"table_id": "TBL-CR-001", "game_type": "Craps", "zone": "Main Pit"}
    sunday = p2 | craps | {"gaming_day": SUN}
    friday, saturday = _BJ | {"gaming_day": FRI}, _BJ | {"gaming_day": SAT}
    return silver(
        "table_games",
        [
            # Blackjack table, Friday: rated play, unrated buy-in, fill, credit, no inventory
            _BJ | p2 | {"at": "19:00", "drop_amount": "500.00"} | _money("BUY_IN", "500.00"),
            _BJ | p2 | {"at": "19:00", "event_type": "RATING_START", "player_rating_id": "R1"},
            _BJ | p2 | {"at": "23:00"} | _rating("R1", "50.00", 280, "4.00", "120.00"),
            _BJ | p2 | {"at": "23:05"} | _money("CASH_OUT", "380.00"),
            friday | {"at": "20:00", "drop_amount": "300.00"} | _money("BUY_IN", "300.00"),
            friday | {"at": "21:00"} | _money("FILL", "2000.00"),
            friday | {"at": "22:00"} | _money("CREDIT", "500.00"),
            roulette | p2 | {"at": "01:30"} | _rating("R2", "25.00", 76, "2.00", "-30.00"),
            # Saturday: both inventories counted, a marker drawn
            saturday | {"at": "06:00"} | _money("SHIFT_START", "10000.00"),
            saturday | {"at": "14:00"} | _money("SHIFT_END", "10500.00"),
            saturday | {"at": "14:00"} | _money("SHIFT_START", "10500.00"),
            saturday | {"at": "05:50"} | _money("SHIFT_END", "11300.00"),
            saturday | {"at": "15:00", "drop_amount": "700.00"} | _money("BUY_IN", "700.00"),
            saturday | {"at": "16:00", "marker_number": "K1"} | _money("MARKER_ISSUED", "400.00"),
            saturday | {"at": "17:00"} | _money("FILL", "1500.00"),
            baccarat | p3 | {"at": "12:45"} | _rating("R3", "12.35", 54, "0.75", "37.00"),
            # Sunday: craps on a marker
            sunday | {"at": "20:00", "marker_number": "K2"} | _money("MARKER_ISSUED", "1000.00"),
            sunday | {"at": "21:30"} | _rating("R4", "100.00", 72, "1.50", "-250.00"),
        ],
    )


def financial_txn() -> pl.LazyFrame:
    def row(
        player: str | None,
        day: dt.date,
        kind: str,
        amount: str,
        method: str = "Cash",
        **more: object,
    ) -> dict[str, object]:
        return {
            "player_id": player,
            "gaming_day": day,
            "transaction_type": kind,
            "amount": amount,
            "payment_method": method,
        } | more

    return silver(
        "financial_txn",
        [
            row("P2", FRI, "CHIP_PURCHASE", "500.00"),
            row("P2", FRI, "CHIP_REDEMPTION", "380.00"),
            row("P4", FRI, "JACKPOT_PAYOUT", "2500.00"),
            row(None, FRI, "CHIP_PURCHASE", "300.00"),
            row("P2", SUN, "MARKER_ISSUE", "1000.00", "Chip", marker_number="K2"),
            row("P2", SUN, "MARKER_PAYMENT", "800.00", "Check", marker_number="K2"),
            row("P2", SUN, "MARKER_PAYMENT", "200.00", marker_number="K2"),
            row("P5", SUN, "CURRENCY_EXCHANGE", "300.00"),
            row("P5", SUN, "FRONT_MONEY_DEPOSIT", "5000.00", "Wire"),
            row("P5", SUN, "MONEY_PLAY", "400.00", is_new_currency=False),
            row("P5", SUN, "MONEY_PLAY", "150.00"),
            row("P5", SUN, "NON_GAMING_PAYMENT", "90.00"),
        ],
    )


def gaming_wins() -> pl.LazyFrame:
    win = {"player_id": "P4", "gaming_day": FRI, "gross_amount": "2500.00", "game_type": "SLOT"}
    return silver("gaming_wins", [win])


def player_profile() -> pl.LazyFrame:
    def row(player: str, tier: str, day: dt.date = FRI, **more: object) -> dict[str, object]:
        return {
            "player_id": player,
            "gaming_day": day,
            "loyalty_tier": tier,
            "self_excluded": False,
            "account_status": "Active",
            "enrollment_date": dt.date(2024, 5, 1),
        } | more

    return silver(
        "player_profile",
        [
            row("P1", "Silver", enrollment_date=FRI),
            row("P2", "Gold", total_visits=9, last_visit_date=FRI),
            row("P3", "Bronze", SAT, enrollment_date=SAT, total_visits=1, last_visit_date=SAT),
            row("P4", "Platinum"),
            row("P4", "Platinum", SUN, self_excluded=True),
            row("P5", "Bronze", SUN, total_visits=1, last_visit_date=FRI),
        ],
    )
