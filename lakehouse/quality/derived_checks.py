"""Whether all that bronze holds is in silver and gold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial

from lakehouse.contracts import contract
from lakehouse.pipeline.derivation import Derivations, underived
from lakehouse.pipeline.marts import derivations
from lakehouse.quality.freshness_checks import DAY
from lakehouse.quality.registry import declares
from lakehouse.quality.results import Check, Family, Judgement
from lakehouse.regulation.gaming_day import each_day
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake

EVERY_ROW = "every_stored_row_is_derived"


@declares
def derived_checks(settings: Settings, now: dt.datetime) -> Iterator[Check]:  # noqa: ARG001
    """On the day of the whole property: the last of what a gaming day comes to."""
    every = derivations(settings)
    yield Check(
        EVERY_ROW,
        DAY,
        Family.CONSERVATION,
        "error",
        "Numbers that lack rows that are stored are wrong, and nothing else says so.",
        "Every row that bronze holds is in silver, or kept out of it, and in gold.",
        partial(judge, settings, every),
        tables=tuple(dict.fromkeys([*(t for t in every if contract(t[1]).is_countable), DAY])),
        blocking=True,
    )


def judge(
    settings: Settings, every: Derivations, lake: Lake, days: Days
) -> dict[dt.date, Judgement]:
    stale = underived(lake, settings, every, days)
    return {day: said_of(stale.get(day, [])) for day in each_day(days)}


def said_of(tables: list[str]) -> Judgement:
    """Of a day, by the tables that lack rows of it."""
    said = ", ".join(tables)
    return Judgement(
        not tables,
        f"Not all stored rows are in {said}." if tables else "Every stored row is derived.",
        float(len(tables)),
        0.0,
        more={"not_derived": said},
    )
