"""Whether rows are lost or made up between layers, and whether all that came in was derived."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from lakehouse.contracts import contracts
from lakehouse.quality.conformance import conservation, plants_without_row
from lakehouse.quality.landing_checks import simulated_tables
from lakehouse.quality.registry import declares
from lakehouse.quality.results import Check, Family, Judgement
from lakehouse.regulation.gaming_day import each_day, gaming_day_of
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake, portions
from lakehouse.storage.listing import rows_of_days, since

CONSERVATION = "conservation"
PLANTS = "plants_are_in_bronze"
AN_HOUR = dt.timedelta(hours=1)
"""Rows that topics bring are derived as their hour closes."""


@declares
def conservation_checks(settings: Settings, now: dt.datetime) -> Iterator[Check]:
    """The open day's rows come in while it lasts, so that what was planted is looked for on
    closed days only."""
    for table in contracts("source"):
        yield Check(
            CONSERVATION,
            ("silver", table),
            Family.CONSERVATION,
            "error",
            "A row that vanished or was made up makes every sum wrong.",
            "bronze = silver + quarantine + duplicates, by gaming day.",
            partial(judge, settings, table, now - AN_HOUR),
            tables=tuple((n, table) for n in ("bronze", "quarantine", "duplicates", "silver")),
            blocking=True,
            at_once=True,
        )
    simulated = simulated_tables(settings)
    yield Check(
        PLANTS,
        ("truth", "plants"),
        Family.CONSERVATION,
        "error",
        "A detector is scored by what was planted, which bronze must hold.",
        "Every row that was planted on is a row of bronze, once its gaming day has closed.",
        partial(_judge_plants, simulated, gaming_day_of(now, settings.timezone)),
        tables=(*(("bronze", table) for table in simulated), ("truth", "plants")),
    )


def judge(
    settings: Settings, table: str, moment: dt.datetime, lake: Lake, days: Days
) -> dict[dt.date, Judgement]:
    """Of a streamed table, no more rows missing than came in since the moment are a warning: hours
    are derived when they close."""
    streamed = table in settings.streamed()
    came = since(lake.data_files("bronze", table), moment) if streamed else ()
    new = rows_of_days(came)
    found = {
        row["gaming_day"]: row
        for piece in portions(lake, days, ("bronze", table))
        for row in conservation(lake, table, piece).iter_rows(named=True)
    }
    return {day: _counted(row, new[day]) for day, row in found.items()}


def _counted(row: dict[str, Any], new: int) -> Judgement:
    row, lost = {n: v for n, v in row.items() if n != "gaming_day"}, row["lost"]
    still_come = 0 < lost <= new
    parts = f"{row['silver']:,} clean, {row['quarantine']:,} kept out, {row['duplicates']:,} twice"
    if lost == 0:
        said = f"Each of {row['bronze']:,} rows is there: {parts}."
    else:
        what = "are missing" if lost > 0 else "came from nowhere"
        said = f"{abs(lost):,} rows {what}: {row['bronze']:,} came in, {parts}."
        if still_come:
            said += " As many came in by topics within the hour: the next run derives them."
    return Judgement(
        lost == 0,
        said,
        float(lost),
        0.0,
        failing_rows=abs(lost),
        checked_rows=row["bronze"],
        more=row,
        severity="warn" if still_come else None,
    )


def _judge_plants(
    tables: Sequence[str], is_open: dt.date, lake: Lake, days: Days
) -> dict[dt.date, Judgement]:
    lacking = dict(plants_without_row(lake, tables, days).iter_rows())
    return {
        day: Judgement(
            day not in lacking,
            f"{lacking.get(day, 0):,} planted rows are not in bronze.",
            float(lacking.get(day, 0)),
            0.0,
            failing_rows=lacking.get(day, 0),
            more={"without_row": lacking.get(day, 0)},
        )
        for day in each_day(days)
        if day < is_open
    }
