"""Rows of the game platform for which each window of its marts matters, around one day."""

from __future__ import annotations

import datetime as dt

import polars as pl
from law_rows import rows

D = dt.date(2026, 6, 15)
Row = dict[str, object]


def on(days: int, time: str = "20:00") -> str:
    return f"{D + dt.timedelta(days)} {time}"


def event(player: str, days: int, level: str, time: str = "20:00") -> Row:
    return {
        "event_id": f"{player}{days}{level}{time}",
        "player_id": player,
        "session_id": f"{player}{days}",
        "event_type": "move",
        "level_id": level,
        "map_id": "map_01",
        "timestamp": on(days, time),
    }


def bought(key: str, player: str, days: int, time: str) -> Row:
    return {
        "transaction_id": key,
        "player_id": player,
        "item_id": "potion",
        "price": "0.99",
        "purchase_timestamp": on(days, time),
        "ip_address": "one",
    }


EVENTS: list[Row] = [
    # Five on each of two levels; one of them tried six days before, and is back 30 days after.
    *(event(f"g{n}", 0, level) for level in ("level_01", "level_02") for n in range(5)),
    event("g0", -6, "level_01"),
    event("g0", 30, "level_01"),
]
# The levels are nothing alike; without their difficulty they would be.
MAPS: list[Row] = [
    {"level_id": level, "map_id": "map_01", "difficulty": hard, "gaming_day": D}
    for level, hard in (("level_01", 5), ("level_02", 95))
]
# Three within minutes, from where another bought six days before.
PURCHASES = [
    bought("b0", "q9", -6, "20:00"),
    *(bought(f"b{n}", "q1", 0, f"20:0{n}") for n in (1, 2, 3)),
]
METRICS: list[Row] = [
    {
        "metric_id": "m1",
        "server_id": "server_1",
        "timestamp": on(0),
        "cpu_load": 50.0,
        "memory_usage": 50.0,
        "latency": 60.0,
    }
]
SERVERS: list[Row] = [{"server_id": "server_1", "capacity": 8, "gaming_day": D}]


def silver_rows() -> dict[str, pl.LazyFrame]:
    """Silver table → its rows of all days."""
    return {
        "player_events": rows("player_events", *EVENTS),
        "game_maps": rows("game_maps", *MAPS),
        "purchases": rows("purchases", *PURCHASES),
        "server_metrics": rows("server_metrics", *METRICS),
        "servers": rows("servers", *SERVERS),
    }
