"""Whether too much of what landed was rejected."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from lakehouse.contracts import contract, contracts
from lakehouse.quality.registry import declares
from lakehouse.quality.rejection import CHECK, shares
from lakehouse.quality.results import Check, Family, Judgement
from lakehouse.regulation.gaming_day import each_day
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake

_NOTHING: Mapping[str, Any] = {"landed": 0, "rejected": 0, "share": 0.0}


@declares
def rejection_checks(settings: Settings, now: dt.datetime) -> Iterator[Check]:  # noqa: ARG001
    """None for a table that takes no files, and for a restricted one: that its rows of a day
    were rejected tells that there were some."""
    for table in contracts("source"):
        if settings.source_of(table) != "simulator" and not contract(table).is_restricted:
            yield Check(
                CHECK,
                ("silver", table),
                Family.ROWS,
                "error",
                "Sums over what is left of a file say little of the day.",
                f"At most {settings.rejected_share:.0%} of the landed rows of a gaming day are "
                "rejected.",
                partial(judge, settings, table),
                tables=tuple((n, table) for n in ("bronze", "quarantine", "silver")),
                at_once=True,
            )


def judge(settings: Settings, table: str, lake: Lake, days: Days) -> dict[dt.date, Judgement]:
    """A day without landed rows passes."""
    found = {
        row.pop("gaming_day"): row
        for row in shares(lake, table, each_day(days), settings.timezone).iter_rows(named=True)
    }
    limit = settings.rejected_share
    return {day: _judgement(found.get(day, _NOTHING), limit) for day in each_day(days)}


def _judgement(row: Mapping[str, Any], limit: float) -> Judgement:
    return Judgement(
        row["share"] <= limit,
        f"{row['rejected']:,} of {row['landed']:,} landed rows were rejected.",
        row["share"],
        limit,
        failing_rows=row["rejected"],
        checked_rows=row["landed"],
        more=row,
    )
