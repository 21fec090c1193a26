"""Table integrity: chips counted, against what was moved and what patrons won."""

from __future__ import annotations

import polars as pl

from lakehouse.detection.registry import Limit, Reads, evidence, rule
from lakehouse.detection.runs import runs, units
from lakehouse.regulation.gaming_day import Days
from lakehouse.texts import formatted

RUN_DAYS, SHORT_DAYS = 28, 7
_TABLE_DAY = ("table_id", "gaming_day")
_Z99 = 2.5758293035489004
"""Of the interval in `gold.table_performance`."""


def _dollars(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.Float64)


@rule(
    Reads("table_performance", back=RUN_DAYS - 1),
    family="table",
    entity="table",
    action="Observe the game and its dealers; check cards, shoe and wheel; count the tray.",
)
def table_win_drift(table_performance: pl.LazyFrame, *, limit: Limit) -> pl.LazyFrame:
    """The house's win of rated play runs away from its theoretical win, to either side, over up
    to 28 days: a CUSUM of likelihood ratios of a shift by `shift` standard deviations a day, each
    day counted up to three (`detection/runs.py`). A normal day makes false alarms rarer than one
    in exp(`reaches`) / 2 table days. Score: the run's height, against twice what an alert
    needs."""
    played = table_performance.filter(pl.col("win_high") > pl.col("theo"))
    deviation = (_dollars("win_high") - _dollars("theo")) / _Z99 * limit("spread")
    off = ((_dollars("rated_win") - _dollars("theo")) / deviation).clip(-3, 3)
    shift = limit("shift")
    days = played.select(
        *_TABLE_DAY,
        more=units(shift * off - shift.pow(2) / 2),
        less=units(-shift * off - shift.pow(2) / 2),
    ).unpivot(["more", "less"], index=_TABLE_DAY, variable_name="side", value_name="evidence")
    found = (
        runs(days, by=["table_id", "side"], window=RUN_DAYS, reaches=limit("reaches"))
        .sort("height", "side", descending=True)
        .unique(_TABLE_DAY, keep="first", maintain_order=True)
    )
    during = played.select(
        "table_id",
        "rated_win",
        "theo",
        played_on="gaming_day",
    )
    return (
        found.join(during, on="table_id")
        .filter(pl.col("played_on").is_between("since", "gaming_day"))
        .group_by(*_TABLE_DAY, "since", "height")
        .agg(
            pl.col("rated_win", "theo").sum(),
            evidence("table_performance", "table_id", "played_on", day="played_on"),
            days=pl.len(),
        )
        .select(
            "gaming_day",
            pl.col("table_id").alias("entity_id"),
            pl.col("since").alias("window_start"),
            pl.col("gaming_day").alias("window_end"),
            (pl.col("height") / limit("reaches") / 2).alias("score"),
            "evidence",
            formatted(
                "On {} days since {} rated play won the house ${}, in theory ${}: evidence of {} "
                "(an alert needs {}).",
                "days",
                "since",
                "rated_win",
                "theo",
                pl.col("height").round(2),
                limit("reaches"),
            ).alias("said"),
        )
    )


@rule(
    Reads("table_performance", back=SHORT_DAYS - 1),
    family="table",
    entity="table",
    action="Count the tray at each shift under observation; compare its slips with the cage.",
)
def table_short(table_performance: pl.LazyFrame, *, days: Days, limit: Limit) -> pl.LazyFrame:
    """By drop, fills, credits and counted chips a table won less than its ratings say, on most of
    seven days. A single day may be a lost row. Score: the share of the seven days."""
    missing = pl.col("rated_win") - pl.col("win")
    counted = table_performance.filter(pl.col("win_basis") == "inventory")
    short = counted.select(*_TABLE_DAY, missing=missing).filter(
        _dollars("missing") >= limit("from_usd")
    )
    before = short.select(
        "table_id",
        "missing",
        short_on="gaming_day",
    )
    since = pl.col("gaming_day") - pl.duration(days=SHORT_DAYS - 1)
    return (
        short.filter(pl.col("gaming_day").is_between(*days))
        .select(_TABLE_DAY)
        .join(before, on="table_id")
        .filter(pl.col("short_on").is_between(since, "gaming_day"))
        .group_by(_TABLE_DAY)
        .agg(
            evidence("table_performance", "table_id", "short_on", day="short_on"),
            pl.col("missing").sum(),
            n=pl.len(),
            first=pl.col("short_on").min(),
        )
        .filter(pl.col("n") >= limit("from_days"))
        .select(
            "gaming_day",
            pl.col("table_id").alias("entity_id"),
            pl.col("first").alias("window_start"),
            pl.col("gaming_day").alias("window_end"),
            (pl.col("n") / SHORT_DAYS).alias("score"),
            "evidence",
            formatted(
                "On {} of 7 days the chips counted fell short of what drop, fills, credits and "
                "ratings call for, by ${} together.",
                "n",
                "missing",
            ).alias("said"),
        )
    )


@rule(
    Reads("table_games", back=1),
    family="table",
    entity="table",
    action="Count the tray again with both shifts' supervisors; pull the footage of the change.",
)
def chips_between_counts(table_games: pl.LazyFrame, *, limit: Limit) -> pl.LazyFrame:
    """A shift opened with other chips than the shift before it closed with, and no fill or credit
    between them. Score: the difference against `whole_at_usd`."""
    kind, at = pl.col("event_type"), pl.col("event_timestamp")
    order = kind.replace_strict({"SHIFT_END": 0, "SHIFT_START": 2}, default=1, return_dtype=pl.Int8)
    moves = (
        table_games.filter(
            kind.is_in(["SHIFT_START", "SHIFT_END", "FILL", "CREDIT"])
            & pl.col("amount").is_not_null()
        )
        .select(*_TABLE_DAY, "event_id", "event_type", "amount", at=at, order=order)
        .sort("table_id", "at", "order", "event_id")
        .with_columns(
            pl.col("event_id", "event_type", "amount", "gaming_day")
            .shift()
            .over("table_id")
            .name.prefix("before_")
        )
    )
    off = pl.col("amount") - pl.col("before_amount")
    changed = moves.filter(
        (kind == "SHIFT_START")
        & (pl.col("before_event_type") == "SHIFT_END")
        & (pl.col("gaming_day") - pl.col("before_gaming_day") <= pl.duration(days=1))
        & (off.cast(pl.Float64).abs() >= limit("from_usd"))
    ).with_columns(off=off)
    keys = pl.concat(
        changed.select(*_TABLE_DAY, count_id=f"{of}event_id", counted_on=f"{of}gaming_day")
        for of in ("before_", "")
    )
    counts = evidence("table_games", "count_id", day="counted_on")
    said = formatted("Closed with ${}, opened with ${}.", "before_amount", "amount")
    return (
        changed.sort("at", "event_id")
        .with_columns(said=said)
        .group_by(_TABLE_DAY)
        .agg(
            window_start=pl.col("before_gaming_day").min(),
            most=pl.col("off").cast(pl.Float64).abs().max(),
            said=pl.col("said").str.join(" "),
        )
        .join(keys.group_by(_TABLE_DAY).agg(counts), on=_TABLE_DAY)
        .select(
            "gaming_day",
            pl.col("table_id").alias("entity_id"),
            "window_start",
            pl.col("gaming_day").alias("window_end"),
            (pl.col("most") / limit("whole_at_usd")).alias("score"),
            "evidence",
            "said",
        )
    )
