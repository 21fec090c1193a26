"""How hurried visitors of the shop act."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from lakehouse.detection.registry import limit_of
from lakehouse.gold.marts import mart, silver
from lakehouse.gold.money import as_table, within
from lakehouse.regulation.gaming_day import Days
from lakehouse.silver.sessions import gaps, high_frequency, sessions
from lakehouse.texts import formatted

USER = ("user_id", "gaming_day")
_SIGNS = {
    "risk_hurry": "high_frequency_share",
    "risk_bursts": "bursts",
    "risk_regularity": "gap_regularity",
    "risk_night": "night_share",
}
"""Rule of thresholds.toml → the column that it weighs."""


@mart(silver("shop_actions"), silver("online_accounts"), days_in_hand=31)
def user_risk(
    shop_actions: pl.LazyFrame,
    online_accounts: pl.LazyFrame | None,
    *,
    days: Days,
    timezone: str,
    session_silence_minutes: int,
    high_frequency_seconds: float,
) -> pl.LazyFrame:
    """Mart `user_risk` of `days`, from silver; homes are those of the day's accounts."""
    rows = risk(
        _at_home(within(shop_actions, days), online_accounts, timezone),
        dt.timedelta(minutes=session_silence_minutes),
        dt.timedelta(seconds=high_frequency_seconds),
    )
    return as_table(rows, "user_risk")


def risk(actions: pl.LazyFrame, silence: dt.timedelta, gap: dt.timedelta) -> pl.LazyFrame:
    """By account and gaming day, the signs and the score. Of `actions` is read: user_id,
    gaming_day, timestamp, session_id, hour (0 to 23 where the account is at home)."""
    rows = high_frequency(
        sessions(actions, USER, "timestamp", silence, "session_id"), USER, "timestamp", gap
    )
    hurried = pl.col("is_high_frequency")
    same = pl.col("user_id").eq_missing(pl.col("user_id").shift()) & (
        pl.col("gaming_day") == pl.col("gaming_day").shift()
    )
    follows = same & ((pl.col("timestamp") - pl.col("timestamp").shift()) < gap)
    begun = rows.with_columns(begins=hurried & ~follows.fill_null(value=False))
    numbered = begun.with_columns(run=pl.col("begins").cum_sum().over(USER))
    runs = numbered.filter(hurried).group_by(*USER, "run").agg(length=pl.len())
    longest = runs.group_by(USER).agg(longest_burst=pl.col("length").max())
    summed = numbered.group_by(USER).agg(
        actions=pl.len().cast(pl.Int64),
        sessions=pl.col("session").n_unique(),
        high_frequency_actions=hurried.sum().cast(pl.Int64),
        bursts=pl.col("begins").sum().cast(pl.Int64),
        night=(pl.col("hour") < limit_of("risk_night", "until")).sum(),
    )
    found = summed.join(longest, on=USER, how="left").join(_regularity(rows), on=USER, how="left")
    return _scored(found.with_columns(pl.col("longest_burst").fill_null(0)))


def _at_home(
    actions: pl.LazyFrame, online_accounts: pl.LazyFrame | None, timezone: str
) -> pl.LazyFrame:
    """With `hour` by the clock of the account's home; of the property, where it is not known."""
    there = pl.col("timestamp").dt.convert_time_zone(timezone).dt.hour()
    if online_accounts is None:
        return actions.with_columns(hour=there)
    homes = online_accounts.select("gaming_day", "time_zone", user_id="account_id").unique(USER)
    named = homes.select(pl.col("time_zone").unique().sort()).collect().to_series()
    zones = [zone for zone in named.drop_nulls() if _is_known(zone)]
    local = [
        pl.when(pl.col("time_zone") == zone).then(
            pl.col("timestamp").dt.convert_time_zone(zone).dt.hour()
        )
        for zone in zones
    ]
    return actions.join(homes, on=USER, how="left").with_columns(hour=pl.coalesce(*local, there))


def _is_known(zone: str) -> bool:
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _regularity(rows: pl.LazyFrame) -> pl.LazyFrame:
    """How alike the times between a session's actions are, of those with enough of them."""
    session = (*USER, "session")
    apart = gaps(rows, session, "timestamp").filter(pl.col("since_last").is_not_null())
    seconds = pl.col("since_last").dt.total_milliseconds() / 1_000
    spread = seconds.std(ddof=0) / seconds.mean()
    return (
        apart.group_by(USER)
        .agg(times=pl.len(), spread=spread)
        .filter(pl.col("times") >= limit_of("risk_regularity", "fewest"))
        .select(*USER, gap_regularity=(1 / (1 + pl.col("spread"))).round(6))
    )


def _scored(found: pl.LazyFrame) -> pl.LazyFrame:
    share = (pl.col("high_frequency_actions") / pl.col("actions")).round(6)
    rows = found.with_columns(
        high_frequency_share=share, night_share=(pl.col("night") / pl.col("actions")).round(6)
    )
    score = pl.sum_horizontal(map(_weighed, _SIGNS))
    return rows.with_columns(risk_score=score.round(6), reasons=_reasons())


def _weighed(rule: str) -> pl.Expr:
    """Weight x strength on each row's gaming day; 0 where nothing is known."""
    first, whole = limit_of(rule, "from"), limit_of(rule, "whole")
    strength = ((pl.col(_SIGNS[rule]) - first) / (whole - first)).clip(0, 1)
    return (strength * limit_of(rule, "weight")).fill_null(0)


def _is_said(rule: str) -> pl.Expr:
    return pl.col(_SIGNS[rule]) > limit_of(rule, "said")


def _reasons() -> pl.Expr:
    """In words, what the score rests on."""
    runs = (
        pl.when(pl.col("bursts") == 1)
        .then(pl.lit("a run"))
        .otherwise(formatted("{} runs", "bursts"))
    )
    hurried = formatted(
        "{} of {} actions in {} of quick succession, up to {} at once",
        "high_frequency_actions",
        "actions",
        runs,
        "longest_burst",
    )
    percent = (pl.col("night_share") * 100).round(0).cast(pl.Int64)
    words = (
        pl.when(_is_said("risk_bursts")).then(hurried),
        pl.when(_is_said("risk_regularity")).then(
            formatted("times between actions alike to {}", pl.col("gap_regularity").round(2))
        ),
        pl.when(_is_said("risk_night")).then(formatted("{}% of actions at night", percent)),
    )
    return pl.concat_list(words).list.drop_nulls()
