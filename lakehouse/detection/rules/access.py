"""Access without authority: doors of machines and badges of staff, held against each other."""

from __future__ import annotations

import polars as pl

from lakehouse.detection.doors import unknown_openings
from lakehouse.detection.registry import Limit, Reads, evidence, rule
from lakehouse.regulation.gaming_day import Days
from lakehouse.texts import formatted

_BADGE_DAY = ("badge_number", "gaming_day")
_TAILGATING_DAYS = 14


@rule(
    Reads("slot_telemetry"),
    Reads("security_events", back=1),
    family="access",
    entity="machine",
    action="Lock the machine; pull the footage of the opening; check seals, memory and bill box.",
)
def door_without_badge(
    slot_telemetry: pl.LazyFrame, security_events: pl.LazyFrame, *, limit: Limit
) -> pl.LazyFrame:
    """A machine was opened and no badge had been read at it, or at the one beside it, within
    minutes before. Nothing is said of days on which no badge was read at any machine: then
    nobody records them. Score: n / (n + 1) of n such openings on the day."""
    at = pl.col("event_timestamp")
    unknown = unknown_openings(slot_telemetry, security_events)
    return (
        unknown.sort("event_timestamp")
        .group_by("machine_id", "gaming_day")
        .agg(
            evidence("slot_telemetry", "event_id"),
            n=pl.len(),
            times=at.dt.strftime("%H:%M").str.join(", "),
            minutes=limit("minutes").first(),
        )
        .select(
            "gaming_day",
            pl.col("machine_id").alias("entity_id"),
            pl.col("gaming_day").alias("window_start"),
            pl.col("gaming_day").alias("window_end"),
            (pl.col("n") / (pl.col("n") + 1)).alias("score"),
            "evidence",
            formatted(
                "Opened at {} UTC; no badge at the machine or the one beside it in the {} minutes "
                "before.",
                "times",
                pl.col("minutes").cast(pl.Int64),
            ).alias("said"),
        )
    )


@rule(
    Reads("security_events", back=_TAILGATING_DAYS - 1),
    family="access",
    entity="badge",
    action="Watch the footage of the staff entrance at the reads that are there; ask the owner.",
)
def tailgating(security_events: pl.LazyFrame, *, days: Days, limit: Limit) -> pl.LazyFrame:
    """A badge that came and did not go, or went and had not come, on several days of two weeks. A
    single day may be a lost row. Days with a refused read of the badge, or a visitor's pass of
    its owner, do not count. Score: n / (n + 2) of n such days."""
    kind, owner = pl.col("event_type"), ["employee_id", "gaming_day"]
    seen = security_events.filter(pl.col("employee_id").is_not_null())
    excused = seen.filter((kind == "ACCESS_DENIED") | pl.col("visitor_id").is_not_null())
    odd = (
        seen.filter((kind == "BADGE_SWIPE") & pl.col("badge_number").is_not_null())
        .join(excused, on=owner, how="anti")
        .group_by(*_BADGE_DAY)
        .agg(pl.len().alias("reads"), pl.col("event_id").first())
        .filter(pl.col("reads") % 2 == 1)
        .select("badge_number", "event_id", odd_on="gaming_day")
    )
    since = pl.col("gaming_day") - pl.duration(days=_TAILGATING_DAYS - 1)
    return (
        odd.filter(pl.col("odd_on").is_between(*days))
        .select("badge_number", gaming_day="odd_on")
        .join(odd, on="badge_number")
        .filter(pl.col("odd_on").is_between(since, "gaming_day"))
        .group_by(*_BADGE_DAY)
        .agg(
            evidence("security_events", "event_id", day="odd_on"),
            n=pl.len(),
            first=pl.col("odd_on").min(),
        )
        .filter(pl.col("n") >= limit("from_days"))
        .select(
            "gaming_day",
            pl.col("badge_number").alias("entity_id"),
            pl.col("first").alias("window_start"),
            pl.col("gaming_day").alias("window_end"),
            (pl.col("n") / (pl.col("n") + 2)).alias("score"),
            "evidence",
            formatted(
                "On {} days since {} the badge was read at the staff entrance once: its owner came "
                "or went behind another.",
                "n",
                "first",
            ).alias("said"),
        )
    )


@rule(
    Reads("security_events"),
    family="access",
    entity="badge",
    action="Block the badge; find its owner; pull the footage of both doors.",
)
def badge_cloning(security_events: pl.LazyFrame, *, limit: Limit) -> pl.LazyFrame:
    """A badge was read at a restricted door sooner before or after the staff entrance than the
    walk takes, or while its owner was out (before the first or after the last of an even number
    of reads at the entrance). Score: how much of the walk is missing; 1 while the owner was
    out."""
    read = security_events.filter(
        pl.col("badge_number").is_not_null() & pl.col("access_granted").fill_null(value=False)
    )
    at = pl.col("event_timestamp")
    entrance = read.filter(pl.col("event_type") == "BADGE_SWIPE").select(
        *_BADGE_DAY, entered=at, entrance_id="event_id"
    )
    inside = read.filter(
        (pl.col("event_type") == "DOOR_ENTRY")
        & pl.col("security_level").is_in(["Restricted", "High Security"])
    ).select(*_BADGE_DAY, "event_id", "location_detail", inside=at)
    apart = (pl.col("inside") - pl.col("entered")).dt.total_seconds().abs() / 60
    came, went = pl.col("entered").min(), pl.col("entered").max()
    reads = (
        inside.join(entrance, on=_BADGE_DAY)
        .with_columns(minutes=apart)
        .group_by(*_BADGE_DAY, "event_id", "location_detail", "inside")
        .agg(
            pl.col("minutes").min(),
            pl.col("entrance_id").sort_by("minutes", "entrance_id").first(),
            is_out=(pl.len() % 2 == 0) & ~pl.col("inside").first().is_between(came, went),
        )
    )
    walk = limit("walk_minutes")
    missing = pl.when("is_out").then(1.0).otherwise(1 - pl.col("minutes") / walk)
    seen = formatted(
        "{} at {} UTC, {} minutes from the staff entrance{}.",
        "location_detail",
        pl.col("inside").dt.strftime("%H:%M"),
        pl.col("minutes").round(1),
        pl.when("is_out").then(pl.lit(" and while its owner was out")).otherwise(pl.lit("")),
    )
    found = reads.filter(pl.col("is_out") | (pl.col("minutes") < walk)).with_columns(
        missing=missing, seen=seen
    )
    keys = found.unpivot(["event_id", "entrance_id"], index=_BADGE_DAY, value_name="read_id")
    return (
        found.sort("inside", "event_id")
        .group_by(_BADGE_DAY)
        .agg(pl.col("missing").max(), pl.col("seen").str.join(" "))
        .join(keys.group_by(_BADGE_DAY).agg(evidence("security_events", "read_id")), on=_BADGE_DAY)
        .select(
            "gaming_day",
            pl.col("badge_number").alias("entity_id"),
            pl.col("gaming_day").alias("window_start"),
            pl.col("gaming_day").alias("window_end"),
            pl.col("missing").alias("score"),
            "evidence",
            pl.col("seen").alias("said"),
        )
    )
