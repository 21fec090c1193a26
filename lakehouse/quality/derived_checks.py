"""Whether all that bronze holds is in silver and gold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial

from lakehouse.contracts import contract
from lakehouse.pipeline.derivation import (
    Derivations,
    following,
    found_parents,
    has_parents_of_others,
    outdated,
    together,
    written_since,
)
from lakehouse.pipeline.marts import derivations
from lakehouse.quality.conservation_checks import AN_HOUR
from lakehouse.quality.freshness_checks import DAY
from lakehouse.quality.registry import declares
from lakehouse.quality.results import Check, Family, Judgement
from lakehouse.regulation.gaming_day import each_day
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake

EVERY_ROW = "every_stored_row_is_derived"


@declares
def derived_checks(settings: Settings, now: dt.datetime) -> Iterator[Check]:
    """On the day of the whole property: the last of what a gaming day comes to."""
    every = derivations(settings)
    yield Check(
        EVERY_ROW,
        DAY,
        Family.CONSERVATION,
        "error",
        "Numbers that lack rows that are stored are wrong, and nothing else says so.",
        "Every row that bronze holds is in silver, or kept out of it, and in gold.",
        partial(judge, settings, every, now - AN_HOUR),
        tables=tuple(dict.fromkeys([*(t for t in every if contract(t[1]).is_countable), DAY])),
        blocking=True,
    )


def judge(
    settings: Settings, every: Derivations, since: dt.datetime, lake: Lake, days: Days
) -> dict[dt.date, Judgement]:
    found = judged(settings, every, since, lake, days)
    return {day: found.get(day, said_of([])) for day in each_day(days)}


def judged(
    settings: Settings,
    every: Derivations,
    since: dt.datetime,
    lake: Lake,
    days: Days | None = None,
    run: str | None = None,
) -> dict[dt.date, Judgement]:
    """Of the days that lack rows, of all or of `days`. What lacks no rows but those that topics
    may have brought `since`, or whose parents another run than `run` did, is a warning: they come
    at any time."""
    changed, met = outdated(lake, every), found_parents(lake, settings)
    stale = together(changed, met, every, days)
    streamed = [("bronze", table) for table in settings.streamed()] if stale else []
    moved = written_since(lake, streamed, since)
    awaited = {day: following(tables, every) for day, tables in moved.items()}
    for day, tables in met.items():
        named = {
            f"silver.{t}" for t in tables if run and has_parents_of_others(lake, t, since, run)
        }
        awaited.setdefault(day, set()).update(named.difference(changed.get(day, ())))
    return {
        day: said_of(tables, still_come=awaited.get(day, set()).issuperset(tables))
        for day, tables in stale.items()
    }


def said_of(tables: list[str], *, still_come: bool = False) -> Judgement:
    """Of a day, by the tables that lack rows of it."""
    said = ", ".join(tables)
    told = f"Not all stored rows are in {said}."
    if still_come:
        told += " Rows came in meanwhile, by topics or another run: the next run derives them."
    return Judgement(
        not tables,
        told if tables else "Every stored row is derived.",
        float(len(tables)),
        0.0,
        more={"not_derived": said},
        severity="warn" if tables and still_come else None,
    )
