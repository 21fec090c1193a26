"""Sequential tests: whether what days add up to has run away from what honest chance adds.

Each day adds its evidence, a logarithm whose exponential is on average 1 at the most while all is
honest. A run is the stretch up to a day that adds up to the most. Runs reach `h` by honest chance
once in exp(h) days at the least, whatever the days' distribution (a CUSUM of e-values: Shin,
Ramdas, Rinaldo 2024, "E-detectors", theorem 2.4, after Lorden 1971); runs are looked for in a
window, which makes it rarer still.
"""

from __future__ import annotations

import polars as pl

UNITS = 1_000_000
"""Of evidence: whole millionths, so that its sums do not depend on where they begin."""
PEAK_DAYS = 14
"""A run that stands lower than within so many days is over: nothing is said of it again."""


def units(evidence: pl.Expr) -> pl.Expr:
    return (evidence * UNITS).round().cast(pl.Int64)


def runs(days: pl.LazyFrame, *, by: str | list[str], window: int, reaches: pl.Expr) -> pl.LazyFrame:
    """The days on which a run stands at its peak and `reaches` so much, from a row per entity and
    gaming day with its `evidence` in units. Columns: `by`, `gaming_day`, `since` (the first day
    of the run) and `height` (Float64)."""
    names = [by] if isinstance(by, str) else by
    walked = (
        days.sort(*names, "gaming_day")
        .with_columns(after=pl.col("evidence").cum_sum().over(names))
        .with_columns(before=pl.col("after") - pl.col("evidence"))
    )
    rolling = walked.with_columns(
        low=pl.col("before").rolling_min_by("gaming_day", f"{window}d").over(names),
        peak=pl.col("after").rolling_max_by("gaming_day", f"{PEAK_DAYS}d").over(names),
        height=pl.col("after"),
    ).with_columns(height=(pl.col("after") - pl.col("low")) / UNITS)
    high = rolling.filter(
        (pl.col("height") >= reaches) & (pl.col("after") == pl.col("peak"))
    ).select(*names, "gaming_day", "height", "low")
    starts = walked.select(*names, since="gaming_day", low="before")
    inside = pl.col("since").is_between(
        pl.col("gaming_day") - pl.duration(days=window - 1), "gaming_day"
    )
    return (
        high.join(starts, on=[*names, "low"])
        .filter(inside)
        .group_by(*names, "gaming_day", "height")
        .agg(pl.col("since").max())
    )


def runs_since(
    days: pl.LazyFrame,
    starts: pl.LazyFrame,
    *,
    by: str | list[str],
    window: int,
    reaches: pl.Expr,
) -> pl.LazyFrame:
    """As `runs`, of stretches that begin on given days: `starts` has `since` and columns of `by`.
    A start that something else gave needs no search, so that by honest chance a stretch ever
    reaches `h` once in exp(h) starts at the most (Ville 1939)."""
    names = [by] if isinstance(by, str) else by
    on = [n for n in names if n in starts.collect_schema().names()]
    of = [*names, "since"]
    after = pl.col("evidence").cum_sum().over(of, order_by="gaming_day")
    peak = pl.col("after").rolling_max_by("gaming_day", f"{PEAK_DAYS}d").over(of)
    age = (pl.col("gaming_day") - pl.col("since")).dt.total_days()
    return (
        days.join(starts, on=on)
        .filter(age.is_between(0, window - 1))
        .sort(*of, "gaming_day")
        .with_columns(after=after)
        .with_columns(peak=peak, height=pl.col("after") / UNITS)
        .filter((pl.col("after") == pl.col("peak")) & (pl.col("height") >= reaches))
        .select(*names, "gaming_day", "height", "since")
    )
