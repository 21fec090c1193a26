"""May a gaming day be trusted: yes, with care, no; and of how many checks that is said."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass

import polars as pl

from lakehouse.quality.results import Status
from lakehouse.serve.reports.checks.told import STATES, Told


class Trust(enum.StrEnum):
    YES = "yes"
    CARE = "with care"
    NO = "no"
    UNKNOWN = "not judged"


MEANING = {
    Trust.YES: "Every check of the day passed.",
    Trust.CARE: "Nothing that must hold is broken; something is unusual, outdated or was not "
    "judged.",
    Trust.NO: "Something that must hold does not, or could not be judged.",
    Trust.UNKNOWN: "No check has looked at the day.",
}


@dataclass(frozen=True)
class Day:
    """A gaming day: results by state, and `missing` blocking checks, that judged other
    days and not this one."""

    day: dt.date
    judged: int
    states: dict[str, int]
    must_hold_unable: int
    missing: int

    @property
    def trust(self) -> Trust:
        if not self.judged:
            return Trust.UNKNOWN
        if self.states.get(Status.FAILED) or self.must_hold_unable:
            return Trust.NO
        return Trust.CARE if set(self.states) - {Status.PASSED} or self.missing else Trust.YES


def trusted(found: Told) -> list[Day]:
    """Every day of the report, in order."""
    must_hold = pl.col("severity") == "error"
    unable = pl.col("state") == Status.COULD_NOT_RUN.value
    by_day = {
        row["gaming_day"]: row
        for row in found.rows.group_by("gaming_day")
        .agg(
            judged=pl.len(),
            unable=(must_hold & unable).sum(),
            **{state: (pl.col("state") == state).sum() for state in STATES},
        )
        .iter_rows(named=True)
    }
    missing = _missing(found)
    return [_day(day, by_day.get(day), missing[day]) for day in found.days]


def _missing(found: Told) -> dict[dt.date, int]:
    """Blocking checks that judged other days and not this one."""
    gates = [key for key, check in found.checks.items() if check.blocking]
    on = ["layer", "table_name", "check_name"]
    keys = pl.DataFrame(gates, schema=on, orient="row")
    rows = found.rows.join(keys, on=on, how="semi")
    judged = dict(rows.group_by("gaming_day").len().iter_rows())
    every = rows.select(on).n_unique()
    return {day: every - judged.get(day, 0) for day in found.days}


def _day(day: dt.date, row: dict[str, int] | None, missing: int) -> Day:
    if row is None:
        return Day(day, 0, {}, 0, missing)
    states = {state: row[state] for state in STATES if row[state]}
    return Day(day, row["judged"], states, row["unable"], missing)
