"""The gaming day: 06:00 to 06:00 property time (31 CFR 1021.100), 23 or 25 hours on DST days."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Mapping
from zoneinfo import ZoneInfo, available_timezones

import polars as pl

Days = tuple[dt.date, dt.date]
"""First and last gaming day, inclusive."""

OPENS_AT = dt.time(6)
_SHIFT = dt.timedelta(hours=OPENS_AT.hour)


def gaming_day(timestamp: pl.Expr, timezone: str) -> pl.Expr:
    """Gaming day (Date) of a UTC timestamp. Subtracts on the wall clock, so that both DST
    days come out right: 01:30 happens twice in November and belongs to one day."""
    wall = timestamp.dt.convert_time_zone(timezone).dt.replace_time_zone(None)
    return wall.dt.offset_by(f"-{OPENS_AT.hour}h").dt.date()


def gaming_day_of(moment: dt.datetime, timezone: str) -> dt.date:
    """Gaming day of one aware moment."""
    wall = moment.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    return (wall - _SHIFT).date()


def local_day(timestamp: pl.Expr, timezone: str) -> pl.Expr:
    """Calendar day (Date) at the property; tax forms follow it, currency reports do not."""
    return timestamp.dt.convert_time_zone(timezone).dt.date()


@functools.cache
def zones() -> frozenset[str]:
    """Names of the time zones that there are."""
    return frozenset(available_timezones())


def wall_clock(timestamp: pl.Expr, zone: pl.Expr) -> pl.Expr:
    """What the clock of each row's own zone (an IANA name) shows, without an offset; null where
    no zone is told, or none of that name is known."""

    def shown(rows: pl.Series) -> pl.Series:
        moments, named = rows.struct.unnest().get_columns()
        wall = moments.clear().cast(pl.Datetime("us")).extend_constant(None, len(rows))
        for name in named.unique().to_list():
            if name in zones():
                at = named.eq_missing(name).arg_true()
                clock = moments.gather(at).dt.convert_time_zone(name)
                wall = wall.scatter(at, clock.dt.replace_time_zone(None))
        return wall

    asked = pl.struct(timestamp, zone.alias("_zone"))
    return asked.map_batches(shown, return_dtype=pl.Datetime("us"))


def local_date(moment: dt.datetime, timezone: str) -> dt.date:
    """Calendar day at the property of one aware moment."""
    return moment.astimezone(ZoneInfo(timezone)).date()


def day_bounds(day: dt.date, timezone: str) -> tuple[dt.datetime, dt.datetime]:
    """UTC start and end (exclusive) of a gaming day."""
    zone = ZoneInfo(timezone)
    start = dt.datetime.combine(day, OPENS_AT, tzinfo=zone)
    end = dt.datetime.combine(day + dt.timedelta(days=1), OPENS_AT, tzinfo=zone)
    return start.astimezone(dt.UTC), end.astimezone(dt.UTC)


def each_day(days: Days) -> list[dt.date]:
    """The gaming days from the first to the last."""
    return [days[0] + dt.timedelta(n) for n in range((days[1] - days[0]).days + 1)]


def cut(days: Days, most: int, weights: Mapping[dt.date, int] | None = None) -> list[Days]:
    """The days in ranges that weigh at most `most`, or are one day. A day weighs 1, or what
    `weights` says of it: 0 where they say nothing."""
    ranges: list[Days] = []
    held = 0
    for day in each_day(days):
        weight = 1 if weights is None else weights.get(day, 0)
        held += weight
        if ranges and held <= most:
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
            held = weight
    return ranges


def ranges_of(days: Iterable[dt.date]) -> list[Days]:
    """The days as ranges without gaps."""
    ranges: list[Days] = []
    for day in sorted(days):
        if ranges and day - ranges[-1][1] == dt.timedelta(days=1):
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges
