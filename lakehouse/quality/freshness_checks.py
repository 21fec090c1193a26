"""Whether a gaming day is there when it should be."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from lakehouse.quality.registry import declares
from lakehouse.quality.results import Check, Family, Judgement
from lakehouse.quality.stored_days import days_with_rows
from lakehouse.regulation.gaming_day import each_day
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake

IS_THERE = "is_there_by_ten"
DAY = ("gold", "property_day")


@declares
def presence(settings: Settings, now: dt.datetime) -> Iterator[Check]:  # noqa: ARG001
    yield Check(
        IS_THERE,
        DAY,
        Family.FRESHNESS,
        "error",
        "The day's reports are read from ten in the morning.",
        "The gaming day that closed at 06:00 has its row by ten in the morning.",
        _judge,
    )


def _judge(lake: Lake, days: Days) -> dict[dt.date, Judgement]:
    there = days_with_rows(lake, *DAY)
    newest = str(max(there)) if there else "none"
    return {
        day: Judgement(
            day in there,
            "The day is there." if day in there else f"The day is not there; newest: {newest}.",
            more={"newest_day": newest},
        )
        for day in each_day(days)
    }
