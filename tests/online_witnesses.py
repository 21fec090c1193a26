"""Rows of the online casino for which each window of its marts matters, by hand, around D."""

from __future__ import annotations

import datetime as dt

Row = dict[str, object]
D = dt.date(2026, 6, 15)


def _on(days: int, time: str = "20:00") -> str:
    return f"{D + dt.timedelta(days)} {time}"


def round_of(user: str, days: int, game: str = "slots", time: str = "20:00") -> list[Row]:
    """A stake of 10 dollars that is lost."""
    key = f"{user}{days}{time}{game}"
    row = {"user_id": user, "game_name": game, "device": "mobile", "country": "EE",
           "timestamp": _on(days, time), "round_id": key, "session_id": key, "is_bonus": False,
           "bet_amount": "0.00", "win_amount": "0.00"}  # fmt: skip
    stake = {"event_id": f"b{key}", "event_type": "bet_placed", "bet_amount": "10.00"}
    return [row | stake, row | {"event_id": f"r{key}", "event_type": "bet_result"}]


def account(user: str, days: int, player: str | None) -> Row:
    return {"account_id": user, "player_id": player, "gaming_day": D + dt.timedelta(days)}


def game(name: str, days: int) -> Row:
    day = D + dt.timedelta(days)
    return {"game_name": name, "return_to_player": "0.9000", "gaming_day": day}


CLICKS: list[Row] = [
    # Linked to a card by an extract of the day before alone, and of the day after alone.
    *round_of("LA", 0),
    *round_of("LB", 0),
    # What a game returns was told the day before alone, and the day after alone.
    *round_of("LA", 0, "poker"),
    *round_of("LA", 0, "baccarat"),
    # Played 29 days before, too.
    *round_of("LC", -29),
    *round_of("LC", 0),
    # Online revenue of a year, of a patron with a trip on D.
    *round_of("LD", -364),
]
ACCOUNTS: list[Row] = [
    account("LA", -1, "PA"),
    account("LB", 1, "PB"),
    account("LC", 0, None),
    account("LD", -364, "P1"),
]
GAMES: list[Row] = [game("slots", 0), game("poker", -1), game("baccarat", 1)]
