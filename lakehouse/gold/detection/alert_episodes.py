"""Alerts on consecutive gaming days, joined into episodes."""

from __future__ import annotations

import polars as pl

from lakehouse.contracts.alert_shape import SEVERITIES
from lakehouse.contracts.detection.alert_episodes import LONGEST
from lakehouse.gold.marts import gold, mart
from lakehouse.gold.shape import shaped
from lakehouse.regulation.gaming_day import Days
from lakehouse.texts import formatted

_OF = ("rule", "entity_id")
_GRAVITY = pl.Enum(list(reversed(SEVERITIES)))


@mart(gold("anomalies", back=LONGEST - 1), days_in_hand=31)
def alert_episodes(anomalies: pl.LazyFrame, *, days: Days) -> pl.LazyFrame:
    """Mart `alert_episodes` of `days`. What stands of a day follows from the days up to it."""
    asked = pl.LazyFrame({"_day": pl.date_range(*days, eager=True)})
    standing = _with_runs(anomalies).filter(pl.col("gaming_day") <= days[1])
    seen = (
        asked.join(standing.filter(pl.col("gaming_day") >= days[0]), left_on="_day",
                   right_on="gaming_day", coalesce=False)
        .select("_day", *_OF, "_run", "alert_id", "family", "entity_type")
        .join(standing.select(*_OF, "_run", "gaming_day", "severity", "score"),
              on=[*_OF, "_run"])
    )  # fmt: skip
    age = (pl.col("_day") - pl.col("gaming_day")).dt.total_days()
    episodes = (
        seen.filter(age.is_between(0, LONGEST - 1))
        .group_by("_day", *_OF, "alert_id", "family", "entity_type")
        .agg(
            first_day=pl.col("gaming_day").min(),
            severity=pl.col("severity").cast(_GRAVITY).max(),
            score=pl.col("score").max(),
        )
        .rename({"_day": "gaming_day"})
    )
    number = (pl.col("gaming_day") - pl.col("first_day")).dt.total_days() + 1
    return shaped(
        episodes.with_columns(
            formatted("{}-{}-{}", "rule", "first_day", "entity_id").alias("episode_id"),
            day_of_episode=number,
        ),
        "alert_episodes",
    )


def _with_runs(alerts: pl.LazyFrame) -> pl.LazyFrame:
    """A run of consecutive days has one `_run`: its day less its number among the alerts."""
    number = pl.col("gaming_day").rank("ordinal").over(_OF).cast(pl.Int64)
    epoch = pl.col("gaming_day").cast(pl.Int32).cast(pl.Int64)
    return alerts.with_columns(_run=epoch - number)
