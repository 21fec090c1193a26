"""Silver rows for tests of suspicion, and what its marts make of them."""

from __future__ import annotations

import datetime as dt

import polars as pl
from law_rows import AS_OF, cash, people, rows

from lakehouse.gold.marts import marts
from lakehouse.settings import load_settings

SETTINGS = load_settings()
ALL_DAYS = (dt.date(2020, 1, 1), dt.date(2029, 12, 31))
IN, OUT = "CHIP_PURCHASE", "CHIP_REDEMPTION"


def silver(txns=(), ratings=(), slots=(), seen=(), profiles=None) -> dict[str, pl.LazyFrame]:
    return {
        "financial_txn": rows("financial_txn", *txns),
        "gaming_wins": rows("gaming_wins"),
        "slot_telemetry": rows("slot_telemetry", *slots),
        "table_games": rows("table_games", *ratings),
        "staff_observations": rows("staff_observations", *seen),
        "player_profile": profiles if profiles is not None else people("P1", "P2"),
    }


def derived(world: dict[str, pl.LazyFrame], *, of="sar_cases", days=ALL_DAYS, as_of=AS_OF):
    mart = marts()[of]
    frames = {i.table: world[i.table] for i in mart.reads(SETTINGS)}
    return mart.rows(frames, settings=SETTINGS, days=days, as_of=as_of).collect().to_dicts()


def rated(day: str, bet: str, hands: int, lost: str, player: str = "P1"):
    return {
        "event_id": f"g{day}{player}",
        "event_type": "RATING_END",
        "event_timestamp": f"2026-11-{day} 23:00",
        "player_id": player,
        "average_bet": bet,
        "hands_played": hands,
        "actual_win_loss": lost,
    }


def buys(*spent: tuple[str, str], kind: str = IN):
    return [cash(f"{kind}{d}", kind, f"2026-11-{d} 20:00", usd) for d, usd in spent]


def lost_in_play(*spent: tuple[str, str]):
    return [rated(d, "100.00", 280, usd) for d, usd in spent]
