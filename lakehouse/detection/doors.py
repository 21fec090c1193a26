"""Doors of machines, held against the badges that are read at machines."""

from __future__ import annotations

import polars as pl

from lakehouse.detection.registry import limit_of

RULE = "door_without_badge"


def unknown_openings(slot_telemetry: pl.LazyFrame, security_events: pl.LazyFrame) -> pl.LazyFrame:
    """The DOOR_OPEN rows before which no badge was read at the machine, or at the one beside it,
    within the minutes of `door_without_badge`; of days on which a badge was read at any machine.
    Columns: event_id, gaming_day, machine_id, event_timestamp."""
    at = pl.col("event_timestamp")
    number = pl.col("machine_id").str.extract(r"(\d+)$").cast(pl.Int64)
    reads = security_events.filter(
        pl.col("badge_number").is_not_null()
        & pl.col("access_granted").fill_null(value=False)
        & pl.col("location_detail").str.contains(r"^SLOT-\d+$")
    ).select(
        "gaming_day",
        read_at=at,
        place=pl.col("location_detail").str.extract(r"(\d+)$").cast(pl.Int64),
    )
    opened = slot_telemetry.filter(pl.col("event_type") == "DOOR_OPEN").select(
        "event_id", "gaming_day", "machine_id", "event_timestamp", number=number
    )
    minutes = (at - pl.col("read_at")).dt.total_seconds() / 60
    beside = pl.int_ranges(pl.col("place") - 1, pl.col("place") + 2)
    known = (
        opened.join(reads.with_columns(number=beside).explode("number"), on="number")
        .filter(minutes.is_between(-1, limit_of(RULE, "minutes")))
        .select("event_id", "gaming_day")
    )
    unknown = opened.join(known, on=["event_id", "gaming_day"], how="anti").join(
        reads.select("gaming_day").unique(), on="gaming_day"
    )
    return unknown.drop("number")
