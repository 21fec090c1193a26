"""Rows for which each window of each rule of machines, tables and access matters, by hand. All are
about `F`: a day shorter, and an alert of that day is another or none."""

from __future__ import annotations

import datetime as dt

Row = dict[str, object]
F = dt.date(2026, 11, 17)


def at(days: int, time: str = "12:00") -> str:
    """A moment of the calendar day so many days after F."""
    return f"{F + dt.timedelta(days)} {time}"


def event(key: str, machine: str, kind: str, when: str, **more: object) -> Row:
    return {
        "event_id": key,
        "machine_id": machine,
        "event_type": kind,
        "event_timestamp": when,
        "denomination": "1.00",
        "machine_type": "Video Slots",
        "theoretical_hold": "0.0800",
        "zone": "North",
        "manufacturer": "IGT",
        "game_theme": "Neon Nights",
    } | more


def play(key: str, machine: str, when: str, usd: str, **more: object) -> Row:
    return event(key, machine, "GAME_PLAY", when, coin_in=usd, coin_out="0.00", **more)


# Behind since a reading of the evening before.
BEHIND = [
    event("mb1", "SLOT-0901", "METER_UPDATE", at(-1), meter_coin_in="100.00"),
    play("mb2", "SLOT-0901", at(0, "11:00"), "50.00", games_played=50),
    event("mb3", "SLOT-0901", "METER_UPDATE", at(0), meter_coin_in="120.00"),
]
# Ahead overnight by 20% of its play, as it was the night before.
AHEAD = [
    event("ma1", "SLOT-0910", "METER_UPDATE", at(-2), meter_coin_in="100.00"),
    play("ma2", "SLOT-0910", at(-2, "23:00"), "500.00", games_played=50),
    event("ma3", "SLOT-0910", "METER_UPDATE", at(-1), meter_coin_in="700.00"),
    *(
        play(f"ma4{n}", "SLOT-0910", at(-1, f"23:0{n}"), "125.00", games_played=10)
        for n in range(4)
    ),
    event("ma5", "SLOT-0910", "METER_UPDATE", at(0), meter_coin_in="1300.00"),
]
# Won by play of a minute before the gaming day began; by no play; and as no machine knows of.
WON = [
    play("jp1", "SLOT-0902", at(0, "05:59"), "1.00", games_played=1),
    event("jp2", "SLOT-0902", "JACKPOT", at(0, "06:01"), amount="900.00"),
    event("jp3", "SLOT-0908", "JACKPOT", at(0, "15:00"), amount="900.00"),
]
WINS: list[Row] = [
    {
        "win_id": "jw",
        "machine_id": "SLOT-0903",
        "game_type": "SLOT",
        "won_at": at(0),
        "paid_at": at(0),
        "gross_amount": "900.00",
        "wager": "1.00",
    }
]
# Paid double: five sessions four weeks before, three on F.
PAID_DOUBLE = [
    play(f"pd{d}{n}", "SLOT-0904", at(d, f"{10 + n}:00"), "1000.00", games_played=1000)
    | {"coin_out": "1840.00", "session_id": f"pd{d}{n}"}
    for d, sessions in ((-27, 5), (0, 3))
    for n in range(sessions)
]
# Paid double twice on F, four weeks after two openings: after a badge of a minute before the gaming
# day began, and with none.
SINCE_OPENED = [
    event("so1", "SLOT-0912", "DOOR_OPEN", at(-27, "06:05")),
    event("so2", "SLOT-0912", "DOOR_OPEN", at(-27, "15:00")),
    *(
        play(f"so3{n}", "SLOT-0912", at(0, f"{10 + n}:00"), "1000.00", games_played=1000)
        | {"coin_out": "1840.00", "session_id": f"so3{n}"}
        for n in range(2)
    ),
]
# Opened after a badge of a minute before the gaming day began, and with none at all.
OPENED = [
    event("do1", "SLOT-0905", "DOOR_OPEN", at(0, "06:05")),
    event("do2", "SLOT-0907", "DOOR_OPEN", at(0, "15:00")),
]
# A card in a machine while its owner is rated at a table; and one who has excluded himself.
CARDED = [
    play(f"cs{who}{time}", "SLOT-0906", at(0, time), "10.00", games_played=10)
    | {"session_id": f"cs{who}", "player_id": who}
    for who, time in (("X1", "10:00"), ("X1", "11:00"), ("X2", "18:00"))
]
PEOPLE: list[Row] = [
    {"player_id": who, "gaming_day": F - dt.timedelta(1), "self_excluded": is_excluded}
    for who, is_excluded in (("X1", False), ("X2", True))
]
SLOTS: list[Row] = [
    *BEHIND,
    *AHEAD,
    *WON,
    *PAID_DOUBLE,
    *SINCE_OPENED,
    *OPENED,
    *CARDED,
]


def read(key: str, badge: str, kind: str, when: str, place: str, **more: object) -> Row:
    return {
        "event_id": key,
        "event_type": kind,
        "event_timestamp": when,
        "badge_number": badge,
        "employee_id": badge.replace("BDG", "EMP"),
        "location_detail": place,
        "security_level": "Employee",
        "access_granted": True,
    } | more


BADGES: list[Row] = [
    read("tr1", "BDG-00800", "ACCESS_GRANTED", at(0, "05:58"), "SLOT-0905"),
    read("tr2", "BDG-00800", "ACCESS_GRANTED", at(0), "SLOT-0999"),
    read("tr3", "BDG-00800", "ACCESS_GRANTED", at(-27, "05:58"), "SLOT-0912"),
    read("tr4", "BDG-00800", "ACCESS_GRANTED", at(-27), "SLOT-0999"),
    # Came and did not go, two weeks apart.
    *(read(f"tg{d}", "BDG-00001", "BADGE_SWIPE", at(d), "Staff Entrance") for d in (-13, 0)),
    # Came, and was in the count room two minutes later.
    read("bc1", "BDG-00002", "BADGE_SWIPE", at(0, "14:00"), "Staff Entrance"),
    read(
        "bc2", "BDG-00002", "DOOR_ENTRY", at(0, "14:02"), "Count Room", security_level="Restricted"
    ),
]


def tray(key: str, table: str, kind: str, when: str, usd: str) -> Row:
    return {
        "event_id": key,
        "table_id": table,
        "event_type": kind,
        "event_timestamp": when,
        "amount": usd,
        "game_type": "Blackjack",
        "zone": "Main Pit",
    }


def rating(key: str, when: str, house: str) -> Row:
    return {
        "event_id": key,
        "table_id": "TBL-BJ-901",
        "event_type": "RATING_END",
        "event_timestamp": when,
        "game_type": "Blackjack",
        "zone": "Main Pit",
        "average_bet": "100.00",
        "hours_played": "1.00",
        "hands_played": 70,
        "actual_win_loss": house,
        "player_rating_id": key,
    }


TABLES: list[Row] = [
    *(
        rating(f"cs{kind}", at(0, time), "0.00")
        | {
            "event_type": kind,
            "player_id": "X1",
            "player_rating_id": "cs",
            "table_id": "TBL-BJ-904",
        }
        for kind, time in (("RATING_START", "10:30"), ("RATING_END", "11:30"))
    ),
    # Lost by the house far beyond chance, four weeks apart.
    *(rating(f"wd{d}", at(d), "-90000.00") for d in (-27, -2, -1, 0)),
    # Short by $100 on five of seven days.
    *(
        row
        for d in (-6, -5, -2, -1, 0)
        for row in (
            tray(f"so{d}", "TBL-BJ-902", "SHIFT_START", at(d, "06:00"), "1000.00"),
            tray(f"sc{d}", "TBL-BJ-902", "SHIFT_END", at(d, "22:00"), "900.00"),
        )
    ),
    # Closed before the gaming day began with $100 more than it opened with.
    tray("cc1", "TBL-BJ-903", "SHIFT_END", at(0, "05:59"), "1000.00"),
    tray("cc2", "TBL-BJ-903", "SHIFT_START", at(0, "06:00"), "900.00"),
]
