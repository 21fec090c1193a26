"""Protection of players: who to talk to, and who should not be on the floor at all."""

from __future__ import annotations

import polars as pl

from lakehouse.contracts.alert_shape import EVIDENCE_TYPE
from lakehouse.detection.registry import Limit, Reads, evidence, rule
from lakehouse.texts import formatted

REMEMBERED = 14
"""Gaming days: a level is news where it was lower on all of them."""
WINDOW = 30
_LEVELS = ("none", "watch", "raised", "high")


@rule(
    Reads("player_protection", back=REMEMBERED),
    Reads("player_behaviour", back=WINDOW - 1),
    family="protection",
    entity="player",
    action="A host trained for it has a conversation; marketing is off from raised on.",
)
def escalating_harm(
    player_protection: pl.LazyFrame, player_behaviour: pl.LazyFrame
) -> pl.LazyFrame:
    """The level of player_protection rose on a day of play: it was lower on the 14 gaming days
    before. Score: that of player_protection. No diagnosis: play that is worth a conversation."""
    level = pl.col("level").replace_strict(_LEVELS, range(len(_LEVELS)), return_dtype=pl.Int64)
    standing = player_protection.with_columns(rank=level)
    played = standing.filter((pl.col("last_play") == pl.col("gaming_day")) & (pl.col("rank") > 0))
    before = played.select("player_id", "gaming_day").join(
        standing.select("player_id", day="gaming_day", before="rank"), on="player_id"
    )
    ago = (pl.col("gaming_day") - pl.col("day")).dt.total_days()
    known = (
        before.filter(ago.is_between(1, REMEMBERED))
        .group_by("player_id", "gaming_day")
        .agg(pl.col("before").max())
    )
    risen = played.join(known, on=["player_id", "gaming_day"], how="left").filter(
        pl.col("rank") > pl.col("before").fill_null(0)
    )
    said = formatted("Level {}: {}.", "level", pl.col("reasons").list.join("; "))
    return _told(risen.with_columns(said=said), player_behaviour, WINDOW)


@rule(
    Reads("player_protection"),
    Reads("player_behaviour"),
    family="protection",
    entity="player",
    action="Escort the patron off the floor as agreed with them; tell the exclusion office.",
)
def self_excluded_play(
    player_protection: pl.LazyFrame, player_behaviour: pl.LazyFrame
) -> pl.LazyFrame:
    """Play of a patron whose newest profile, of the day or before, is on the self-exclusion list:
    determined by records."""
    played = player_protection.filter("is_excluded", pl.col("last_play") == pl.col("gaming_day"))
    said = pl.lit("On the self-exclusion list, and on the floor that day.")
    found = played.with_columns(score=pl.lit(1.0), said=said)
    return _told(found, player_behaviour, 1)


@rule(
    Reads("player_behaviour"),
    family="protection",
    entity="player",
    action="A host trained for it has a conversation; marketing is off.",
)
def fifty_sessions_in_a_day(player_behaviour: pl.LazyFrame, *, limit: Limit) -> pl.LazyFrame:
    """Fifty or more sessions on one gaming day, by name."""
    many = player_behaviour.filter(pl.col("sessions") >= limit("from")).with_columns(
        score=pl.lit(1.0), said=formatted("{} sessions on one gaming day.", "sessions")
    )
    return _told(many, player_behaviour, 1)


def _told(found: pl.LazyFrame, player_behaviour: pl.LazyFrame, days: int) -> pl.LazyFrame:
    """Findings in the rules' shape; their evidence is the patron's play of so many days."""
    key = ["player_id", "gaming_day"]
    ago = (pl.col("gaming_day") - pl.col("day")).dt.total_days()
    rested = (
        found.select(key)
        .join(player_behaviour.select("player_id", day="gaming_day"), on="player_id")
        .filter(ago.is_between(0, days - 1))
        .group_by(key)
        .agg(
            evidence("player_behaviour", "player_id", "day", day="day"),
            window_start=pl.col("day").min(),
        )
    )
    return found.join(rested, on=key, how="left").select(
        "gaming_day",
        pl.col("player_id").alias("entity_id"),
        pl.coalesce("window_start", "gaming_day").alias("window_start"),
        pl.col("gaming_day").alias("window_end"),
        "score",
        pl.col("evidence").fill_null(pl.lit([], dtype=EVIDENCE_TYPE)),
        "said",
    )
