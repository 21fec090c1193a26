"""Player protection as play goes on: those rules of the day's mart that sessions so far can tell.

Chasing and a rise within the day need every round in its order; they are left to the mart. A rule
that held may cease to, as the day's rounds become more: its alert is taken back then, so that what
stands at the day's end is what the mart says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from lakehouse.gold.online.play import lengths, seconds
from lakehouse.gold.online.responsible_gaming import WINDOW, beside_days_before, said
from lakehouse.live.alerts import ALERT, after, nothing_said, versions
from lakehouse.texts import formatted

RULES = ("many_sessions", "long_session", "night_play", "rise_over_days", "frequent_days")
_DAY = {
    "partition": pl.Int64(),
    "user_id": pl.String(),
    "gaming_day": pl.Date(),
    "rounds": pl.Int64(),
    "stakes": pl.Int64(),
}
_MEASURES = (
    "sessions", "minutes", "longest_session_minutes", "rounds", "night_rounds", "stakes",
    "days_before", "days_played", "rise_over_days",
)  # fmt: skip


@dataclass(frozen=True)
class Protection:
    """`played`: accounts' days of play, stakes in cents; `said`: alerts as last told."""

    played: pl.DataFrame
    said: pl.DataFrame
    days: Mapping[int, dt.date] = field(default_factory=dict)


def no_protection() -> Protection:
    return Protection(pl.DataFrame(schema=_DAY), nothing_said())


def played_before(days: pl.DataFrame) -> pl.DataFrame:
    """Days of play from before the stream, of user_id, gaming_day, rounds and stakes in cents:
    whose partition they would be of is not known."""
    rows = days.filter(pl.col("rounds") > 0).with_columns(partition=None)
    return rows.select(pl.col(n).cast(t) for n, t in _DAY.items())


def watched(
    before: Protection,
    days: pl.DataFrame,
    news: pl.DataFrame,
    reached: Mapping[int, dt.date],
) -> tuple[Protection, pl.DataFrame]:
    """After sessions of accounts' days that changed (`sessions.Went.days`; `news`: partition,
    user_id, gaming_day, offset of the last event of each; `reached`: partition → the gaming
    day of its watermark): what is known then, and what is to be said anew."""
    key = ["partition", "user_id", "gaming_day"]
    today = _summed(days.lazy()).collect()
    played = before.played.join(news, on=key, how="anti")
    now = pl.concat([played, today.filter(pl.col("rounds") > 0).select(list(_DAY))])
    judged = beside_days_before(
        today.filter(pl.col("rounds") > 0).lazy(), _of_users(now, today)
    ).collect()
    placed = judged.join(news.select(*key, "offset"), on=key)
    asked = pl.concat([news.select(alert_id=_id(rule)) for rule in RULES])
    changes = versions(before.said, _alerts(placed), asked)
    return _recent(Protection(now, after(before.said, changes), before.days), reached), changes


def _of_users(played: pl.DataFrame, today: pl.DataFrame) -> pl.LazyFrame:
    """Each day of play of these accounts once: where a mart and the stream both tell of it, as the
    one does that knows of more rounds."""
    mine = played.join(today, on="user_id", how="semi").sort("rounds")
    return mine.unique(["user_id", "gaming_day"], keep="last").lazy()


def _summed(days: pl.LazyFrame) -> pl.LazyFrame:
    lasting = days.with_columns(seconds=seconds(pl.col("first"), pl.col("last")))
    return lasting.group_by("partition", "user_id", "gaming_day").agg(
        **lengths(), **{n: pl.col(n).sum() for n in ("rounds", "night_rounds", "stakes")},
        last=pl.col("last").max(),
    )  # fmt: skip


def _id(rule: str) -> pl.Expr:
    return formatted("{}:{}:{}", pl.lit(rule), "gaming_day", "user_id")


def _alerts(judged: pl.DataFrame) -> pl.DataFrame:
    record = pl.struct(
        table_name=pl.lit("player_metrics"),
        record_id=pl.concat_str("user_id", pl.col("gaming_day").cast(pl.String), separator="/"),
        gaming_day="gaming_day",
    )
    found = [
        judged.with_columns(reason=said(rule)).drop_nulls("reason").select(
            alert_id=_id(rule),
            family=pl.lit("protection"),
            rule=pl.lit(rule),
            level=pl.lit("RAISED"),
            score=pl.lit(1.0),
            account="user_id",
            said="reason",
            context=pl.struct(_MEASURES).struct.json_encode(),
            evidence=pl.concat_list(record),
            event_time="last",
            partition="partition",
            offset="offset",
            is_withdrawn=pl.lit(value=False),
            gaming_day="gaming_day",
        )
        for rule in RULES
    ]  # fmt: skip
    return pl.concat(found).select(pl.col(n).cast(t) for n, t in ALERT.items())


def _recent(protection: Protection, reached: Mapping[int, dt.date]) -> Protection:
    """Without days that no rule looks back to, looked for once a day."""
    if reached == protection.days:
        return protection
    day = pl.col("partition").replace_strict(dict(reached), default=None, return_dtype=pl.Date)
    back = (day - pl.col("gaming_day")).dt.total_days().fill_null(0)
    played, told = protection.played.filter(back <= WINDOW), protection.said.filter(back <= 1)
    return Protection(played, told, reached)


def joined(one: Protection, other: Protection) -> Protection:
    """Of different partitions, as one."""
    played = pl.concat([one.played, other.played]).unique()
    return Protection(played, pl.concat([one.said, other.said]), {**one.days, **other.days})


def without(protection: Protection, partition: int) -> Protection:
    """Without a partition, that others have now."""
    kept = pl.col("partition").ne_missing(partition)
    return replace(
        protection, played=protection.played.filter(kept), said=protection.said.filter(kept)
    )
