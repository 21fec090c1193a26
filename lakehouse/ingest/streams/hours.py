"""Which hours of the events that came by a topic have closed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from lakehouse.contracts import contract
from lakehouse.regulation.gaming_day import gaming_day_of
from lakehouse.storage import Lake

LATE = dt.timedelta(minutes=5)
"""How long an event may be under way before its hour closes without it; it is late then, and its
day is derived again."""
HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Closed:
    """Of a table: the moment until which hours have closed, and by gaming day what bronze holds,
    as a token that changes with it. Days with an hour under way have that of their closed hours."""

    until: dt.datetime
    tokens: Mapping[dt.date, str]


def closed(lake: Lake, table: str, now: dt.datetime, timezone: str) -> Closed | None:
    """Hours close when an event comes that is `LATE` after their end, or when none has come for so
    long; None where none ever came. Of the days from that of the newest hour on nothing is told
    until another of their hours closes: their token is that of the hour."""
    moment = contract(table).event_time or "_ingested_at"
    tokens = lake.tokens("bronze", table)
    # Events by a clock that is ahead close no hour.
    days = [d for d in tokens if d <= gaming_day_of(now + LATE, timezone)]
    if not days:
        return None
    last = max(days)
    near = (last - dt.timedelta(days=1), last)
    rows = lake.scan("bronze", table, days=near, columns=[moment, "_ingested_at"])
    sane = rows.filter(pl.col(moment) <= pl.col("_ingested_at") + LATE)
    newest, came = (
        sane.select(pl.col(moment).max(), came=pl.col("_ingested_at").max()).collect().row(0)
    )
    if newest is None:
        return None
    is_quiet = now - came >= LATE
    until = _hour(newest) + HOUR if is_quiet else _hour(newest - LATE)
    under_way = gaming_day_of(until, timezone)
    told = {d: t if d < under_way else until.isoformat() for d, t in tokens.items()}
    return Closed(until, told)


def _hour(moment: dt.datetime) -> dt.datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
