"""Whether a gaming day is there when it should be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial

from lakehouse.contracts import contract
from lakehouse.quality.landing_checks import simulated_tables
from lakehouse.quality.registry import declares
from lakehouse.quality.results import Check, Family, Judgement
from lakehouse.quality.stored_days import days_with_rows
from lakehouse.regulation.gaming_day import day_bounds, each_day, gaming_day_of
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake

IS_THERE = "is_there_by_ten"
DAY = ("gold", "property_day")
COMMITS = 1_000
"""Of the newest is asked when a day was written: a month, each hour."""


@declares
def presence(settings: Settings, now: dt.datetime) -> Iterator[Check]:
    yield Check(
        IS_THERE,
        DAY,
        Family.FRESHNESS,
        "error",
        "The day's reports are read from ten in the morning.",
        "The gaming day that closed at 06:00 has its row by ten in the morning, and was not last "
        "simulated while it was open.",
        partial(_judge, settings, now),
    )


def _judge(
    settings: Settings, now: dt.datetime, lake: Lake, days: Days
) -> dict[dt.date, Judgement]:
    there = days_with_rows(lake, *DAY)
    opened = gaming_day_of(now, settings.timezone)
    halves = left_open(lake, settings, days)
    newest = str(max(there)) if there else "none"

    def judged(day: dt.date) -> Judgement:
        found = partial(Judgement, more={"newest_day": newest})
        if day >= opened:
            return found(passed=True, said="The day is under way.")
        if day not in there:
            return found(passed=False, said=f"The day is not there; newest: {newest}.")
        if day not in halves:
            return found(passed=True, said="The day is there.")
        return found(
            passed=False,
            said=f"The day was last simulated at {halves[day]:%Y-%m-%d %H:%M} UTC, while it was "
            "open: what came after is not there. Run it again.",
        )

    return {day: judged(day) for day in each_day(days)}


def left_open(
    lake: Lake, settings: Settings, days: Days, settles: dt.timedelta = dt.timedelta()
) -> dict[dt.date, dt.datetime]:
    """Simulated days that were written while they were open, or before they had settled so long
    after their close, and not since → when."""
    if (table := _telling(settings)) is None:
        return {}
    last: dict[dt.date, dt.datetime] = {}
    for version in lake.history("bronze", table, COMMITS):
        for day in version.gaming_days():
            last.setdefault(day, version.at)
    bounds = {day: day_bounds(day, settings.timezone) for day in each_day(days) if day in last}
    return {d: last[d] for d, (opens, end) in bounds.items() if opens <= last[d] < end + settles}


def owed(lake: Lake, settings: Settings, days: Days, settles: dt.timedelta) -> list[dt.date]:
    """Closed days that were never simulated, after one that was, or only before they had settled:
    rows that came late are not there."""
    if (table := _telling(settings)) is None:
        return []
    there = days_with_rows(lake, "bronze", table)
    missing = {d for d in each_day(days) if d not in there and there and d > min(there)}
    return sorted(missing | left_open(lake, settings, days, settles).keys())


def _telling(settings: Settings) -> str | None:
    """The simulated table with the most rows: all tables of a day are simulated together."""
    every = simulated_tables(settings)
    return max(every, key=lambda table: contract(table).monthly_rows, default=None)
