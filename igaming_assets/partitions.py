"""The gaming day as a partition: 06:00 to 06:00 property time, 23 or 25 hours on DST days."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import dagster as dg

from lakehouse.errors import BadInput
from lakehouse.regulation.gaming_day import OPENS_AT, each_day
from lakehouse.settings import Settings
from lakehouse.storage import Days

DAYS_PER_RUN = 31
"""A backfill is cut into runs of so many days: a month is one run, which spares its start-up,
and memory follows the month and not the range."""


ASKED = "gaming_days"
"""Tag of a run of scattered days: Dagster knows the first and the last; the days themselves."""

_DAY = "dagster/partition"
_FIRST, _LAST = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


_left_out: ContextVar[frozenset[dt.date]] = ContextVar("left_out", default=frozenset())


@contextmanager
def leaving_out(days: Collection[dt.date]) -> Iterator[None]:
    """What is defined inside has no such gaming days: the way to give one run days that are not
    adjacent, of which Dagster takes no list."""
    before = _left_out.set(frozenset(days))
    try:
        yield
    finally:
        _left_out.reset(before)


def gaming_days(settings: Settings) -> dg.DailyPartitionsDefinition:
    """From the lake's first gaming day to the open one."""
    return _gaming_days(settings.start, settings.timezone, _left_out.get())


class _ScatteredDays(dg.DailyPartitionsDefinition):
    """Dagster's own, which for each look into its memory writes out all days that are left out,
    and walks the calendar for each two of its days: thousands of times in a run."""

    @functools.cached_property
    def _written(self) -> str:
        return str(super().__repr__())  # type: ignore[no-untyped-call]  # Dagster's

    @functools.cached_property
    def _hash(self) -> int:
        return hash(self._written)

    @functools.cached_property
    def _between(self) -> dict[dg.TimeWindow, bool]:
        return {}

    def __repr__(self) -> str:
        return self._written

    def __hash__(self) -> int:
        return self._hash

    def has_any_partitions_in_window(self, time_window: dg.TimeWindow) -> bool:
        if time_window not in self._between:
            self._between[time_window] = super().has_any_partitions_in_window(time_window)
        return self._between[time_window]


@functools.lru_cache(maxsize=8)
def _gaming_days(
    start: dt.date, timezone: str, left_out: frozenset[dt.date]
) -> dg.DailyPartitionsDefinition:
    """One for all assets and checks: Dagster looks at each day that is left out anew with each."""
    return (_ScatteredDays if left_out else dg.DailyPartitionsDefinition)(
        start_date=start.isoformat(),
        timezone=timezone,
        hour_offset=OPENS_AT.hour,
        end_offset=1,
        exclusions=[dt.datetime.combine(day, OPENS_AT) for day in sorted(left_out)],
    )


def backfill_policy() -> dg.BackfillPolicy:
    return dg.BackfillPolicy.multi_run(max_partitions_per_run=DAYS_PER_RUN)


def key_of(day: dt.date) -> str:
    return day.isoformat()


def days_of(keys: dg.PartitionKeyRange) -> Days:
    return dt.date.fromisoformat(keys.start), dt.date.fromisoformat(keys.end)


def tags_of(days: Days) -> dict[str, str]:
    """What Dagster is told of the gaming days of a run."""
    if days[0] == days[1]:
        return {_DAY: key_of(days[0])}
    return {_FIRST: key_of(days[0]), _LAST: key_of(days[1])}


def keys_of_run(tags: Mapping[str, str]) -> tuple[str, str] | None:
    """The first and the last partition of a run, told by its tags."""
    one = tags.get(_DAY, "")
    first, last = tags.get(_FIRST, one), tags.get(_LAST, one)
    return (first, last) if first and last else None


def is_asked(tags: Mapping[str, str], day: dt.date | str) -> bool:
    """Whether a run, told by its tags, is to report on a gaming day between its first and last:
    Dagster takes no word on any other."""
    return ASKED not in tags or str(day) in tags[ASKED].split()


def asked_of(tags: Mapping[str, str], days: Days) -> list[dt.date]:
    """The gaming days that a run, told by its tags, is to make."""
    named = tags[ASKED].split() if ASKED in tags else ()
    return [dt.date.fromisoformat(key) for key in named] or each_day(days)


def parse_day(text: str) -> dt.date:
    """A gaming day given as text. Raises BadInput."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"day {text!r}: write it as 2025-01-31") from error
