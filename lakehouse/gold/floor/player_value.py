"""Player value at the close of each gaming day, from `player_day` up to it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial

import polars as pl

from lakehouse.contracts import contract
from lakehouse.contracts.columns import TIERS
from lakehouse.gold.floor.forecast import Model, fit, forecast, monday
from lakehouse.gold.marts import EVERY, gold, mart, silver
from lakehouse.gold.money import cents, half_up, in_shape
from lakehouse.regulation.games import house_rate
from lakehouse.regulation.gaming_day import Days

WINDOWS = (30, 90, 365)
ONLINE_WINDOWS = (30, 365)
CHURNED_AFTER_DAYS = 90
CHURNED_UNDER = 0.5
TIER_BASE_DAYS = 90
HELD_DAYS = 90
"""Gaming days for which who was flagged is protected, and for that long after (house-set)."""
_DAY = dt.timedelta(days=1)
_SPAN = 100_000
"""Room for a day number in an integer key: player number x span + days since 1970."""
_STANDING = ("loyalty_tier", "self_excluded", "account_status", "marketing_opt_in")
_SUMS = ("visits", "play_days", "theo", "actual", "free_play")


@mart(
    gold("player_day", back=EVERY),
    silver("player_profile", back=EVERY),
    gold("player_protection", back=HELD_DAYS),
    gold("player_metrics", back=ONLINE_WINDOWS[-1] - 1),
    days_in_hand=10,
)
def player_value(
    player_day: pl.LazyFrame,
    player_profile: pl.LazyFrame,
    player_protection: pl.LazyFrame,
    player_metrics: pl.LazyFrame | None = None,
    *,
    days: Days,
    wanted: Sequence[dt.date],
) -> pl.LazyFrame:
    """Mart `player_value` of `days`.

    `player_day` must hold all days up to the last of `days`; `player_profile` is silver's
    history; `player_protection` must hold the `HELD_DAYS` before `days`, `player_metrics` the
    364, where there is an online casino. Later rows change nothing.
    """
    players = _players(player_day, days[1])
    history = _history(player_day, players, days[1])
    profiles = _profiles(player_profile, players, days[1])
    flags = _flags(player_protection, players, days)
    online = None if player_metrics is None else _online(player_metrics, players, days[1])
    schema = contract("player_value").bronze_schema()
    made = partial(_snapshots, history, profiles, flags, online, players, wanted)
    return pl.defer(made, schema=schema)


def _players(player_day: pl.LazyFrame, last: dt.date) -> pl.DataFrame:
    """Who ever made a trip, numbered in order of their ids."""
    trips = player_day.filter((pl.col("visits") > 0) & (pl.col("gaming_day") <= last))
    return (
        trips.group_by("player_id")
        .agg(first_visit=pl.col("gaming_day").min())
        .sort("player_id")
        .collect()
        .with_row_index("number")
        .with_columns(pl.col("number").cast(pl.Int64))
    )


def _key(day: str) -> pl.Expr:
    return pl.col("number") * _SPAN + pl.col(day).cast(pl.Int32)


def _history(player_day: pl.LazyFrame, players: pl.DataFrame, last: dt.date) -> pl.DataFrame:
    """One row per player and trip, with running totals."""
    play = pl.when("is_play_day").then("gaming_day")
    trips = (
        player_day.filter((pl.col("visits") > 0) & (pl.col("gaming_day") <= last))
        .join(players.lazy(), on="player_id")
        .select(
            "number",
            "gaming_day",
            "visits",
            key=_key("gaming_day"),
            play_days=pl.col("is_play_day").cast(pl.Int64),
            play_day=play,
            theo=cents("theo"),
            actual=cents("actual"),
            free_play=cents("free_play"),
        )
        .sort("key")
    )
    return trips.select(
        "key",
        pl.col(_SUMS).cum_sum().over("number"),
        last_visit="gaming_day",
        first_play=pl.col("play_day").min().over("number"),
        last_play=pl.col("play_day").forward_fill().over("number"),
    ).collect()


def _online(player_metrics: pl.LazyFrame, players: pl.DataFrame, last: dt.date) -> pl.DataFrame:
    """Online revenue so far of the patrons, by day of play; a patron may have two accounts."""
    return (
        player_metrics.filter(pl.col("gaming_day") <= last)
        .join(players.lazy(), on="player_id")
        .group_by("number", key=_key("gaming_day"))
        .agg(ngr=cents("ngr").sum())
        .sort("key")
        .select("key", pl.col("ngr").cum_sum().over("number"))
        .collect()
    )


def _profiles(profile: pl.LazyFrame, players: pl.DataFrame, last: dt.date) -> pl.DataFrame:
    return (
        profile.filter(pl.col("gaming_day") <= last)
        .select("player_id", "gaming_day", *_STANDING)
        .join(players.lazy(), on="player_id")
        .select(
            *_STANDING,
            key=_key("gaming_day"),
            rank=pl.col("loyalty_tier").cast(pl.Enum(TIERS)).to_physical().cast(pl.Int64),
        )
        .sort("key")
        .collect()
    )


def _flags(protection: pl.LazyFrame, players: pl.DataFrame, days: Days) -> pl.DataFrame:
    """Days from which a patron is protected, each for `HELD_DAYS`."""
    first = days[0] - HELD_DAYS * _DAY
    return (
        protection.filter(pl.col("gaming_day").is_between(first, days[1]))
        .filter("is_marketing_suppressed")
        .select("player_id", flagged="gaming_day")
        .join(players.lazy(), on="player_id")
        .select(key=_key("flagged"))
        .sort("key")
        .collect()
    )


def _grid(players: pl.DataFrame, days: Sequence[dt.date]) -> pl.DataFrame:
    calendar = pl.DataFrame({"gaming_day": days}, schema={"gaming_day": pl.Date})
    return (
        players.join(calendar, how="cross")
        .filter(pl.col("first_visit") <= pl.col("gaming_day"))
        .with_columns(key=_key("gaming_day"))
        .sort("key")
    )


def _as_of(grid: pl.DataFrame, dated: pl.DataFrame, days_before: int) -> pl.DataFrame:
    """The newest row of `dated` for each row of `grid`, at its day or before; null if none."""
    asked = grid.select(key=pl.col("key") - days_before).set_sorted("key")
    found = asked.join_asof(dated.rename({"key": "at"}), left_on="key", right_on="at")
    same_player = pl.col("key") // _SPAN == pl.col("at") // _SPAN
    names = [c for c in dated.columns if c != "key"]
    return found.select(pl.when(same_player).then(pl.col(c)).alias(c) for c in names)


def _standing(grid: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """`grid` with running totals up to each day; no first play before the first play."""
    found = pl.concat([grid, _as_of(grid, history, 0)], how="horizontal")
    return found.with_columns(first_play=pl.when(pl.col("play_days") > 0).then("first_play"))


def _snapshots(
    history: pl.DataFrame,
    profiles: pl.DataFrame,
    flags: pl.DataFrame,
    online: pl.DataFrame | None,
    players: pl.DataFrame,
    days: Sequence[dt.date],
) -> pl.DataFrame:
    standing = _standing(_grid(players, days), history)
    trailing = _with_online(_with_windows(standing, history), online)
    judged = _with_protection(_with_profile(trailing, profiles), flags)
    expected = forecast(standing, _models(history, players, days))
    known = pl.concat([judged, expected], how="horizontal")
    return in_shape(_measures(known.lazy()), "player_value").collect()


def _with_windows(standing: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Totals of the last `n` days: totals now less totals `n` days ago."""
    parts = [standing]
    for n in WINDOWS:
        before = _as_of(standing, history.select("key", *_SUMS), n).fill_null(0)
        parts.append(
            standing.select(_SUMS)
            .with_columns(pl.col(c) - before[c] for c in _SUMS)
            .select(pl.col(_SUMS).name.suffix(f"_{n}"))
        )
    return pl.concat(parts, how="horizontal")


def _with_online(standing: pl.DataFrame, online: pl.DataFrame | None) -> pl.DataFrame:
    """Online revenue of the last days, whoever is known to have none with 0."""
    if online is None:
        nothing = pl.lit(None, pl.Int64)
        return standing.with_columns(nothing.alias(f"online_ngr_{n}") for n in ONLINE_WINDOWS)
    now, *before = (_as_of(standing, online, n)["ngr"].fill_null(0) for n in (0, *ONLINE_WINDOWS))
    parts = zip(ONLINE_WINDOWS, before, strict=True)
    return standing.with_columns((now - then).alias(f"online_ngr_{n}") for n, then in parts)


def _with_profile(standing: pl.DataFrame, profiles: pl.DataFrame) -> pl.DataFrame:
    now = _as_of(standing, profiles, 0)
    base = _as_of(standing, profiles.select("key", base="rank"), TIER_BASE_DAYS)
    found = pl.concat([standing, now, base], how="horizontal")
    return found.with_columns(tier_movement=pl.col("rank") - pl.col("base"))


def _with_protection(standing: pl.DataFrame, flags: pl.DataFrame) -> pl.DataFrame:
    """Whoever has no profile may be excluded for all we know."""
    newest = _as_of(standing, flags.with_columns(flagged="key"), 0)["flagged"]
    excluded = pl.col("self_excluded").fill_null(value=False)
    barred = pl.col("account_status").is_in(["Closed", "Suspended"]).fill_null(value=True)
    under_flag = (pl.col("key") - newest <= HELD_DAYS).fill_null(value=False)
    return standing.with_columns(is_excluded=excluded, is_protected=excluded | barred | under_flag)


def _models(history: pl.DataFrame, players: pl.DataFrame, days: Sequence[dt.date]) -> list[Model]:
    mondays = sorted({monday(day) for day in days})
    eves = [_standing(_grid(players, [m - _DAY]), history) for m in mondays]
    return [fit(eve, m) for eve, m in zip(eves, mondays, strict=True)]


def _measures(standing: pl.LazyFrame) -> pl.LazyFrame:
    silent = (pl.col("gaming_day") - pl.col("last_visit")).dt.total_days()
    valued = standing.with_columns(
        *(_worth(n).alias(f"worth_{n}") for n in WINDOWS),
        *((pl.col(f"theo_{n}") - pl.col(f"free_play_{n}")).alias(f"net_theo_{n}") for n in WINDOWS),
        days_since_visit=silent,
        adt=_per(pl.col("theo_365"), pl.col("play_days_365")),
        adt_with_zero_days=_per(pl.col("theo_365"), pl.col("visits_365")),
        is_churned=(silent > CHURNED_AFTER_DAYS)
        | (pl.col("p_alive") < CHURNED_UNDER).fill_null(value=False),
    )
    budget = half_up(pl.max_horizontal("net_theo_30", 0) * house_rate("reinvestment"), 10_000)
    return valued.with_columns(
        may_be_marketed_to=pl.col("marketing_opt_in").fill_null(value=False)
        & ~pl.col("is_protected"),
        reinvestment_budget=pl.when("is_protected").then(0).otherwise(budget),
        recency_quintile=_quintile(-pl.col("days_since_visit")),
        frequency_quintile=_quintile(pl.col("visits_365")),
        monetary_quintile=_quintile(pl.col("theo_365")),
    )


def _worth(n: int) -> pl.Expr:
    loss = half_up(pl.max_horizontal(f"actual_{n}", 0) * house_rate("worth"), 10_000)
    return pl.max_horizontal(pl.col(f"theo_{n}"), loss)


def _per(total: pl.Expr, count: pl.Expr) -> pl.Expr:
    return pl.when(count > 0).then(half_up(total, pl.max_horizontal(count, 1)))


def _quintile(better: pl.Expr) -> pl.Expr:
    """Fifth of the day's patrons by how many are strictly worse; equals stay together."""
    worse = better.rank("min").cast(pl.Int64) - 1
    return (worse * 5 // pl.len() + 1).over("gaming_day")
