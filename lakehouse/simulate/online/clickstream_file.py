"""The clickstream as the system before this one wrote it: eight columns, and times by the clock of
each player's place, without a zone."""

from __future__ import annotations

import datetime as dt

import polars as pl

from lakehouse.regulation.gaming_day import OPENS_AT, wall_clock

COLUMNS = (
    "timestamp",
    "user_id",
    "event_type",
    "game_name",
    "bet_amount",
    "win_amount",
    "device",
    "country",
)


def file_name(first: dt.date) -> str:
    """clickstream_YYYYMMDD_HHMMSS.csv: when the first gaming day opened."""
    return f"clickstream_{first:%Y%m%d}_{OPENS_AT:%H%M%S}.csv"


def as_written(rows: pl.DataFrame) -> pl.DataFrame:
    """Bronze rows in that shape; a fraction of a second is cut off."""
    wall = wall_clock(pl.col("timestamp"), pl.col("time_zone"))
    return rows.with_columns(timestamp=wall.dt.strftime("%Y-%m-%d %H:%M:%S")).select(COLUMNS)
