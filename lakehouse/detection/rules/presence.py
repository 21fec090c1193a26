"""Presence: one card in two places at once."""

from __future__ import annotations

import polars as pl

from lakehouse.detection.registry import Limit, Reads, rule
from lakehouse.texts import formatted

_SECONDS = 60


@rule(
    Reads("slot_telemetry"),
    Reads("table_games"),
    family="presence",
    entity="player",
    action="See on video who plays under the card; two people may not share one.",
)
def card_sharing(
    slot_telemetry: pl.LazyFrame, table_games: pl.LazyFrame, *, limit: Limit
) -> pl.LazyFrame:
    """A card is in play on two machines, or on a machine and at a table, at the same time. Score:
    the minutes of both against those that are no haste between machines."""
    stays = pl.concat([_sessions(slot_telemetry), _ratings(table_games)])
    first, second = (
        stays,
        stays.select(
            "player_id", "gaming_day", pl.exclude("player_id", "gaming_day").name.suffix("_2")
        ),
    )
    both = pl.min_horizontal("until", "until_2") - pl.max_horizontal("since", "since_2")
    pairs = (
        first.join(second, on=["player_id", "gaming_day"])
        .filter(pl.col("since") <= pl.col("since_2"), pl.col("place") != pl.col("place_2"))
        .filter((pl.col("since") < pl.col("since_2")) | (pl.col("place") < pl.col("place_2")))
        .with_columns(seconds=both.dt.total_seconds())
        .filter(pl.col("seconds") >= limit("from_seconds"))
    )
    longest = pl.col("seconds").arg_max()
    rows = pl.concat_list(pl.col("evidence"), pl.col("evidence_2")).explode()
    found = pairs.group_by("player_id", "gaming_day").agg(
        pl.col("seconds").max(),
        pl.col("place", "place_2").get(longest),
        evidence=rows.unique().sort(),
    )
    return found.select(
        "gaming_day",
        pl.col("player_id").alias("entity_id"),
        pl.col("gaming_day").alias("window_start"),
        pl.col("gaming_day").alias("window_end"),
        (pl.col("seconds") / limit("whole_at_seconds")).alias("score"),
        "evidence",
        formatted(
            "The card was in play at {} and at {} at the same time, for {} minutes.",
            "place",
            "place_2",
            (pl.col("seconds") / _SECONDS).round(1),
        ).alias("said"),
    )


def _sessions(slot_telemetry: pl.LazyFrame) -> pl.LazyFrame:
    """player_id, gaming_day, place, since, until and evidence of each carded session."""
    carded = slot_telemetry.filter(
        pl.col("player_id").is_not_null() & pl.col("session_id").is_not_null()
    )
    return _stays(carded, "machine_id", "session_id", "slot_telemetry")


def _ratings(table_games: pl.LazyFrame) -> pl.LazyFrame:
    rated = table_games.filter(
        pl.col("player_id").is_not_null()
        & pl.col("event_type").is_in(["RATING_START", "RATING_END"])
    )
    return _stays(rated, "table_id", "player_rating_id", "table_games")


def _stays(rows: pl.LazyFrame, place: str, stay: str, table: str) -> pl.LazyFrame:
    at = pl.col("event_timestamp")
    row = pl.struct(table_name=pl.lit(table), record_id="event_id", gaming_day="gaming_day")
    ends = pl.concat_list(row.get(at.arg_min()), row.get(at.arg_max()))
    return (
        rows.group_by("player_id", "gaming_day", stay, pl.col(place).alias("place"))
        .agg(since=at.min(), until=at.max(), evidence=ends)
        .filter(pl.col("since") < pl.col("until"))
        .select("player_id", "gaming_day", "place", "since", "until", "evidence")
    )
