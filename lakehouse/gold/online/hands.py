"""Whose hands an account is in, as its sessions show: two people at once, or a program."""

from __future__ import annotations

import polars as pl

from lakehouse.gold.money import half_up
from lakehouse.gold.online.play import USER

EVEN = 0.3
"""Standard deviation of the gaps between a session's events over their mean: under it they are
even. People's are over .5."""
_SESSION = (*USER, "session_id")


def hands(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Per account and gaming day, of `events` whose client tells a session: `minutes_at_once`, in
    which two sessions from different networks ran beside each other, and `even_rounds`, the
    stakes of the session with most of them whose rounds follow one another evenly."""
    told = rows.filter(pl.col("session_id").is_not_null())
    every = told.select(USER).unique()
    return (
        every.join(_at_once(told), on=USER, how="left")
        .join(_even(told), on=USER, how="left")
        .with_columns(pl.col("minutes_at_once", "even_rounds").fill_null(0))
    )


def _at_once(told: pl.LazyFrame) -> pl.LazyFrame:
    moment = pl.col("timestamp")
    sessions = told.group_by(_SESSION).agg(
        begins=moment.min(), ends=moment.max(), network=pl.col("ip_address").min()
    )
    # Sessions of one person follow one another: each is held against what of the others goes on.
    ordered = sessions.sort(*USER, "begins", "session_id")
    until = pl.col("ends").cum_max().shift().over(USER)
    elsewhere = pl.col("network") != pl.col("network").shift().over(USER)
    both = pl.min_horizontal("ends", until) - pl.col("begins")
    seconds = pl.when(elsewhere).then(both.dt.total_seconds().clip(0)).otherwise(0)
    return ordered.with_columns(seconds=seconds.fill_null(0)).group_by(USER).agg(
        minutes_at_once=half_up(pl.col("seconds").sum(), 60)
    )  # fmt: skip


def _even(told: pl.LazyFrame) -> pl.LazyFrame:
    gap = pl.col("timestamp").diff().dt.total_milliseconds()
    played = told.filter(pl.col("event_type").is_in(["bet_placed", "bet_result"]))
    sessions = (
        played.sort(*_SESSION, "timestamp")
        .group_by(_SESSION, maintain_order=True)
        .agg(uneven=gap.std() / gap.mean(), rounds=pl.col("is_stake").sum().cast(pl.Int64))
    )
    return sessions.filter(pl.col("uneven") < EVEN).group_by(USER).agg(
        even_rounds=pl.col("rounds").max()
    )  # fmt: skip
