"""Business days: tax forms due on a weekend or federal holiday move on (IRC 7503)."""

from __future__ import annotations

import calendar
import datetime as dt

SATURDAY, SUNDAY = 5, 6
FIXED = ((1, 1, 0), (6, 19, 2021), (7, 4, 0), (11, 11, 0), (12, 25, 0))
"""Month, day and first year (5 USC 6103(a)); Juneteenth since P.L. 117-17."""
NTH_MONDAYS = ((1, 3), (2, 3), (9, 1), (10, 2))


def federal_holidays(year: int) -> frozenset[dt.date]:
    """Days on which federal holidays of a year are observed; 1 January of the next year may
    be observed on 31 December of this one."""
    fixed = {_observed(dt.date(year, m, d)) for m, d, since in FIXED if year >= since}
    mondays = {_nth(year, month, calendar.MONDAY, n) for month, n in NTH_MONDAYS}
    memorial = _last(year, 5, calendar.MONDAY)
    thanksgiving = _nth(year, 11, calendar.THURSDAY, 4)
    new_year = _observed(dt.date(year + 1, 1, 1))
    return frozenset(fixed | mondays | {memorial, thanksgiving, new_year})


def next_business_day(day: dt.date) -> dt.date:
    """The day itself, or the next one that is neither weekend nor federal holiday."""
    while day.weekday() in (SATURDAY, SUNDAY) or day in federal_holidays(day.year):
        day += dt.timedelta(days=1)
    return day


def _observed(day: dt.date) -> dt.date:
    shift = {SATURDAY: -1, SUNDAY: 1}.get(day.weekday(), 0)
    return day + dt.timedelta(days=shift)


def _nth(year: int, month: int, weekday: int, n: int) -> dt.date:
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _last(year: int, month: int, weekday: int) -> dt.date:
    end = dt.date(year, month, calendar.monthrange(year, month)[1])
    return end - dt.timedelta(days=(end.weekday() - weekday) % 7)
