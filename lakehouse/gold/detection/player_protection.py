"""Who may need protection, and why: markers as of the last day of play, against peers, scored."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from lakehouse.detection.models.protection import WAITING, matrix
from lakehouse.detection.protection import NOT_RECORDED, scored, with_reasons
from lakehouse.detection.registry import thresholds
from lakehouse.gold.detection.protection_model import forests
from lakehouse.gold.marts import EVERY, gold, mart, silver
from lakehouse.gold.money import cents, in_shape
from lakehouse.regulation.gaming_day import Days

WINDOW = 30
"""Gaming days for which a day of play is in the mart."""
FEWEST_PEERS = 30
_WEEK = 7


@mart(
    gold("player_markers", back=WINDOW - 1),
    gold("protection_model", back=WINDOW - 1 + _WEEK - 1),
    silver("player_profile", back=EVERY),
    days_in_hand=10,
)
def player_protection(
    player_markers: pl.LazyFrame,
    protection_model: pl.LazyFrame,
    player_profile: pl.LazyFrame,
    *,
    days: Days,
) -> pl.LazyFrame:
    """Mart `player_protection` of `days`. `player_markers` must hold the 29 days before them,
    `protection_model` the Mondays of those; `player_profile` is silver's history."""
    played = _learned(_markers(player_markers, days), protection_model.collect())
    standing = _with_profile(_standing(played, days), player_profile, days[1])
    judged = with_reasons(scored(_against_peers(standing.lazy())))
    return in_shape(_derived(judged), "player_protection").sort("player_id", "gaming_day")


def _markers(markers: pl.LazyFrame, days: Days) -> pl.DataFrame:
    first = days[0] - dt.timedelta(days=WINDOW - 1)
    mine = markers.filter(pl.col("gaming_day").is_between(first, days[1]))
    return mine.sort("player_id", "gaming_day").collect()


def _learned(played: pl.DataFrame, models: pl.DataFrame) -> pl.DataFrame:
    """Each day of play by the model of the Monday on or before it."""
    monday = pl.col("gaming_day") - pl.duration(days=pl.col("gaming_day").dt.weekday() - 1)
    mondays = played.select(monday.alias("monday"))["monday"]
    score = np.full(len(played), np.nan)
    by = np.full(len(played), WAITING, dtype=object)
    for trained_on, (version, forest) in forests(models).items():
        at = np.flatnonzero((mondays == trained_on).to_numpy())
        if len(at):
            score[at] = forest.share_less_unusual(matrix(played[at]))
            by[at] = version
    found = pl.Series("learned_score", score).fill_nan(None)
    return played.with_columns(found, pl.Series("learned_by", by, dtype=pl.String))


def _standing(played: pl.DataFrame, days: Days) -> pl.DataFrame:
    """A row for each of `days` within 30 days of the last day of play before it."""
    following = pl.col("gaming_day").shift(-1).over("player_id") - dt.timedelta(days=1)
    until = pl.min_horizontal(
        pl.col("gaming_day") + dt.timedelta(days=WINDOW - 1), following, pl.lit(days[1])
    )
    spans = played.rename({"gaming_day": "last_play"}).with_columns(
        since=pl.max_horizontal(pl.col("last_play"), pl.lit(days[0])),
        until=played.select(until=until)["until"],
    )
    kept = spans.filter(pl.col("since") <= pl.col("until"))
    each = pl.date_ranges("since", "until").alias("gaming_day")
    return kept.with_columns(each).explode("gaming_day").drop("since", "until")


def _with_profile(
    standing: pl.DataFrame, player_profile: pl.LazyFrame, last: dt.date
) -> pl.DataFrame:
    """The newest profile of the day or before."""
    versions = (
        player_profile.filter(pl.col("gaming_day") <= last)
        .select("player_id", "gaming_day", "loyalty_tier", is_excluded="self_excluded")
        .sort("gaming_day")
        .collect()
    )
    return (
        standing.sort("gaming_day")
        .join_asof(versions, on="gaming_day", by="player_id", check_sortedness=False)
        .with_columns(pl.col("is_excluded").fill_null(value=False))
    )


def _against_peers(standing: pl.LazyFrame) -> pl.LazyFrame:
    """Shares of peers with less; patrons on the day of the same tier and main game."""
    peers = ["gaming_day", "loyalty_tier", "main_game"]
    enough = pl.len().over(peers) >= FEWEST_PEERS

    def percentile(column: str) -> pl.Expr:
        among = pl.when(enough).then(_below(column, peers)).otherwise(_below(column, peers[:1]))
        return among.round(6)

    return standing.with_columns(
        peers=pl.when(enough).then(pl.len().over(peers)).otherwise(pl.len().over(peers[:1])),
        intensity_percentile=percentile("staked_per_day"),
        time_percentile=percentile("minutes"),
    )


def _below(column: str, group: list[str]) -> pl.Expr:
    return (pl.col(column).rank("min").cast(pl.Float64) - 1).over(group) / pl.len().over(group)


def _derived(judged: pl.LazyFrame) -> pl.LazyFrame:
    day = pl.col("gaming_day")
    pounds = thresholds().dated("financial_check", lambda p: int((p.amount or 0) * 100), day)
    return judged.with_columns(
        net_deposits=cents("net_deposits"),
        financial_check=pounds.cast(pl.Int64),
        is_over_financial_check=(cents("net_deposits") > pounds).fill_null(value=False),
        is_cold_start=pl.col("baseline") == "none",
        tool_use=pl.col("is_excluded").cast(pl.Float64),
        customer_contact=pl.lit(None, dtype=pl.Float64),
        account_indicators=pl.lit(None, dtype=pl.Float64),
        not_recorded=pl.lit(NOT_RECORDED),
        is_marketing_suppressed=pl.col("level").is_in(["raised", "high"]),
    )
