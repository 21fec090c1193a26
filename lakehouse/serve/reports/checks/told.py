"""What a report may tell of the results of checks: open ones, and with the grant all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from lakehouse.errors import BadInput
from lakehouse.quality.recorded import HOME, results
from lakehouse.quality.registry import Key
from lakehouse.quality.results import WORST_FIRST, Check, Status
from lakehouse.storage import Days, Lake

LONGEST = 365
"""Gaming days that are told of where nobody asks for others: the newest."""
STALE = "stale"
"""State of what passed before its rows changed."""
STATES = (*(s.value for s in WORST_FIRST[:-1]), STALE, WORST_FIRST[-1].value)
"""What one result, or a table on a day, can be told to be; the worst first."""


@dataclass(frozen=True)
class Told:
    """Results by check, table and day, with `state` beside the stored columns; `days` are all of
    the calendar, judged or not. `held_back` checks judge restricted tables: here is nothing of
    them, as a rule that broke on a day tells that the day has a row (31 U.S.C. 5318(g)(2))."""

    rows: pl.DataFrame
    checks: dict[Key, Check]
    days: list[dt.date]
    held_back: int

    @property
    def open_rows(self) -> pl.DataFrame:
        """Those that did not pass, or no longer count; the worst first, then the newest."""
        ranked = self.rows.filter(pl.col("state") != Status.PASSED.value).with_columns(
            rank=pl.col("state").replace_strict(STATES, range(len(STATES)), return_dtype=pl.Int8)
        )
        order = ["rank", "gaming_day", "layer", "table_name", "check_name"]
        return ranked.sort(order, descending=[False, True, False, False, False])


def told(
    lake: Lake, checks: Iterable[Check], *, days: Days | None = None, restricted: bool = False
) -> Told:
    """Stored results of `days`, by default the newest `LONGEST` that were judged. Raises BadInput
    where there are none."""
    every = list(checks)
    shown = {check.key: check for check in every if restricted or not check.is_closed}
    asked = days or _newest(lake)
    rows = None if asked is None else results(lake, shown.values(), days=asked)
    if asked is None or rows is None or rows.is_empty():
        raise BadInput(f"no results of checks{_of(days)}; `lakehouse checks run` makes them")
    is_outdated = pl.col("is_stale") & (pl.col("status") == Status.PASSED.value)
    state = pl.when(is_outdated).then(pl.lit(STALE)).otherwise("status")
    calendar = pl.date_range(*asked, eager=True).to_list()
    return Told(rows.with_columns(state=state), shown, calendar, len(every) - len(shown))


def _newest(lake: Lake) -> Days | None:
    judged = lake.partitions(*HOME)["gaming_day"].drop_nulls().to_list()
    if not judged:
        return None
    last = max(judged)
    return max(min(judged), last - dt.timedelta(days=LONGEST - 1)), last


def _of(days: Days | None) -> str:
    return "" if days is None else f" of {days[0]} to {days[1]}"
