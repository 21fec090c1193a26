"""What a table's own history says of a day: how many rows, what is missing, how values are
spread, and when rows came in. Of closed gaming days: an open one is not whole yet.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from lakehouse.contracts import contract
from lakehouse.quality.drift import REFERENCE_DAYS, drifts
from lakehouse.quality.nulls import null_shares
from lakehouse.quality.profiles import (
    PROFILES,
    Table,
    profiled_tables,
    profiles,
    spread_columns,
    states,
)
from lakehouse.quality.registry import declares
from lakehouse.quality.results import Check, Family, Judgement
from lakehouse.quality.volume import BACK, FEWEST_WEEKDAYS, WEEK, Volume, volumes
from lakehouse.regulation.gaming_day import each_day, gaming_day_of
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Days, Lake, stored_schema
from lakehouse.storage.shapes import HISTORY, partition_columns

COMMIT = Commit("checks", "ops/column_profiles", "1")
KNOWN_IN_HOURS = 28
"""A gaming day's last row is 24 hours from its first; four later, at ten, the day is read."""
KNOWN_SHARE = 0.95
LOADED_HOURS = 7 * 24
"""A day of which most came in a week later was loaded as history, and not late."""
_ONE_DAY = dt.timedelta(days=1)
_Judge = Callable[[Lake, Days, Table], Mapping[dt.date, Judgement]]


@declares
def history_checks(settings: Settings, now: dt.datetime) -> Iterator[Check]:
    """Each warns: a day unlike those before it is news, and may be right. What is wrong for
    certain, contracts, conservation and truths tell."""
    closed = partial(_of_closed, now, settings.timezone)
    for table in profiled_tables():
        yield _check("nulls", table, nulls, closed)
        if partition_columns(*table):
            yield _check("volume", table, volume, closed)
        if spread_columns(*table):
            yield _check("drift", table, drift, closed)
        if table[0] == "bronze" and contract(table[1]).event_time:
            yield _check("arrival", table, arrival, closed)


_WORDS = {
    "volume": (
        Family.VOLUME,
        "A slow or a busy night is no fault; a feed that broke off looks the same.",
        "As many rows as the same weekday of the eight weeks before.",
    ),
    "nulls": (
        Family.NULLS,
        "A column may be empty for a reason; a source that stopped filling it looks the same.",
        "Each column lacks as large a share of values as in the four weeks before.",
    ),
    "drift": (
        Family.DRIFT,
        "Guests and games change; a changed code list or unit looks the same.",
        "Values of each column are spread as in the four weeks before.",
    ),
    "arrival": (
        Family.FRESHNESS,
        "Reports made at ten lack what came later; the rows themselves are right.",
        "95 of 100 rows came in within 28 hours, by ten on the morning after their gaming day.",
    ),
}


def _check(name: str, table: Table, judge: _Judge, closed: Callable[..., Any]) -> Check:
    family, reason, said = _WORDS[name]
    return Check(name, table, family, "warn", reason, said, partial(closed, judge, table))


def _of_closed(
    now: dt.datetime, timezone: str, judge: _Judge, table: Table, lake: Lake, days: Days
) -> Mapping[dt.date, Judgement]:
    closed = (days[0], min(days[1], gaming_day_of(now, timezone) - _ONE_DAY))
    return judge(lake, closed, table) if closed[0] <= closed[1] else {}


def volume(lake: Lake, days: Days, table: Table) -> dict[dt.date, Judgement]:
    """Rows against the same weekday of eight weeks. With fewer than four of it, against all
    days of four weeks; with fewer than seven days, and of tables in one piece, nothing."""
    stored = lake.partitions(*table).drop_nulls("gaming_day")
    by_day = dict(stored.filter(pl.col("rows") > 0).select("gaming_day", "rows").iter_rows())
    if not by_day:
        return {}
    first, calendar = min(by_day), _calendar(days, BACK)
    rows = np.array([by_day.get(d, 0 if d >= first else np.nan) for d in calendar], dtype=float)
    usual = volumes(rows)
    return {
        day: _volume(day, int(by_day.get(day, 0)), usual, k)
        for k, day in enumerate(each_day(days))
        if np.isfinite(usual.usual[k])
    }


def _volume(day: dt.date, rows: int, found: Volume, k: int) -> Judgement:
    usual, weekdays = found.usual[k], found.weekdays[k]
    cold = weekdays < FEWEST_WEEKDAYS
    of = f"days of the last {BACK // 2}" if cold else f"{day:%A}s of the last {BACK // WEEK} weeks"
    low, high = found.low[k], usual + found.within[k]
    words = f"{rows:,} rows; {of} had about {usual:,.0f}, and {low:,.0f} to {high:,.0f} is usual"
    few = f" (only {weekdays} {day:%A}s are known yet)" if cold else ""
    return Judgement(
        bool(low <= rows <= high),
        f"{words}{few}.",
        measure=float(rows),
        bound=float(low if rows < usual else high),
        checked_rows=rows,
        more={"usual": float(usual), "weekdays": int(weekdays)},
    )


def nulls(lake: Lake, days: Days, table: Table) -> dict[dt.date, Judgement]:
    """The column whose share of nulls is furthest from that of four weeks. Not looked at is what
    days to come will fill: on the newest it is empty."""
    calendar = _calendar(days, REFERENCE_DAYS)
    told = ~pl.col("column_name").is_in(_told_later(table))
    held = _placed(_profile(lake, days, table).filter(told), calendar)
    if held.is_empty():
        return {}
    parts = held.partition_by("column_name", as_dict=True)
    lack, rows = (np.zeros((len(parts), len(calendar))) for _ in range(2))
    for n, part in enumerate(parts.values()):
        at = part["at"].to_numpy()
        lack[n, at], rows[n, at] = part["nulls"].to_numpy(), part["rows"].to_numpy()
    share, usual, within = null_shares(lack, rows)
    found: dict[dt.date, list[_Column]] = {}
    for n, k in np.argwhere(np.isfinite(share)):
        name, far = str(list(parts)[n][0]), share[n, k] - usual[n, k]
        words = f"{share[n, k]:.1%} of {name} is empty, usually {usual[n, k]:.1%}"
        of_day = k + REFERENCE_DAYS
        failing = int(lack[n, of_day]) if far > 0 else None
        count = int(rows[n, of_day])
        one = _Column(name, abs(far), within[n, k], count, words, failing)
        found.setdefault(each_day(days)[k], []).append(one)
    return {day: _nulls(table, day, columns) for day, columns in found.items()}


def _told_later(table: Table) -> list[str]:
    c = contract(table[1])
    return [*HISTORY, *(n for n in c.columns if c.metadata(n).get("later"))]


def _nulls(table: Table, day: dt.date, columns: list[_Column]) -> Judgement:
    worst = max(columns, key=_Column.times)
    where = f"gaming_day = DATE '{day}' AND {worst.name} IS NULL"
    sql = None if worst.rows_failing is None else _sql(table, "*", where)
    return _of_columns(columns, "Each column lacks what it usually lacks", sql)


def drift(lake: Lake, days: Days, table: Table) -> dict[dt.date, Judgement]:
    """The column whose spread is furthest from that of four weeks."""
    calendar = _calendar(days, REFERENCE_DAYS)
    held = _placed(_profile(lake, days, table), calendar)
    spread = held.explode("bins", "counts").drop_nulls("bins")
    parts = spread.partition_by("column_name", as_dict=True)
    found: dict[dt.date, list[_Column]] = {}
    for name, numeric in spread_columns(*table).items():
        part = parts.get((name,))
        if part is None:
            continue
        bins = part["bins"].cast(pl.Int64) if numeric else part["bins"]
        values, codes = np.unique(bins.to_numpy(), return_inverse=True)
        counts = np.zeros((len(calendar), len(values)), dtype=np.int64)
        counts[part["at"].to_numpy(), codes] = part["counts"].to_numpy()
        index, bound, rows = drifts(counts, numeric=numeric)
        for k in np.flatnonzero(np.isfinite(index)):
            words = f"{name} has moved by {index[k]:.2f}, and {bound[k]:.2f} is the bound"
            one = _Column(name, index[k], bound[k], int(rows[k]), words)
            found.setdefault(each_day(days)[k], []).append(one)
    return {day: _drift(table, day, columns) for day, columns in found.items()}


def _drift(table: Table, day: dt.date, columns: list[_Column]) -> Judgement:
    worst = max(columns, key=_Column.times)
    spread = f"{worst.name}, count(*) AS rows"
    sql = _sql(table, spread, f"gaming_day = DATE '{day}' GROUP BY 1 ORDER BY 2 DESC")
    return _of_columns(columns, "Values are spread as usual", sql)


def arrival(lake: Lake, days: Days, table: Table) -> dict[dt.date, Judgement]:
    """Hours after which 95 of 100 rows were known."""
    event = str(contract(table[1]).event_time)
    lag = (pl.col("_ingested_at") - pl.col(event)).dt.total_seconds() / 3600
    rows = lake.scan(*table, days=days, columns=["gaming_day", event, "_ingested_at"])
    by_day = rows.group_by("gaming_day").agg(
        rows=pl.len(),
        late=(lag > KNOWN_IN_HOURS).sum(),
        middle=lag.median(),
        hours=lag.quantile(KNOWN_SHARE, "lower"),
    )
    known = by_day.filter(pl.col("middle") <= LOADED_HOURS).collect()
    return {day: _arrival(table, day, *said) for day, *said in known.iter_rows()}


def _arrival(
    table: Table, day: dt.date, rows: int, late: int, _middle: float, hours: float
) -> Judgement:
    sql = _sql(table, "*", f"gaming_day = DATE '{day}'") if late and table[0] != "bronze" else None
    return Judgement(
        hours <= KNOWN_IN_HOURS,
        f"{late:,} of {rows:,} rows came in later than {KNOWN_IN_HOURS} hours after they happened.",
        measure=hours,
        bound=float(KNOWN_IN_HOURS),
        failing_rows=late,
        checked_rows=rows,
        sql=sql,
    )


@dataclass(frozen=True)
class _Column:
    name: str
    measure: float
    bound: float
    rows: int
    words: str
    rows_failing: int | None = None

    def times(self) -> float:
        return self.measure / self.bound


def _of_columns(columns: list[_Column], well: str, sql: str | None) -> Judgement:
    """The worst column stands for the table; the others that are over are named."""
    ranked = sorted(columns, key=_Column.times, reverse=True)
    over = [c for c in ranked if c.measure > c.bound]
    worst = ranked[0]
    first = f"{well}; nearest to its bound: {worst.words}."
    return Judgement(
        not over,
        f"{'; '.join(c.words for c in over)}." if over else first,
        measure=float(worst.measure),
        bound=float(worst.bound),
        failing_rows=worst.rows_failing if over else None,
        checked_rows=worst.rows,
        sql=sql if over else None,
        more={"columns": ", ".join(c.name for c in over)} if over else {"nearest": worst.name},
    )


def _sql(table: Table, what: str, where: str) -> str | None:
    """Bronze cannot be asked in SQL: it holds identities as they came."""
    layer, name = table
    return None if layer == "bronze" else f"SELECT {what} FROM {layer}.{name} WHERE {where}"


def _calendar(days: Days, back: int) -> list[dt.date]:
    return each_day((days[0] - back * _ONE_DAY, days[1]))


def _placed(held: pl.DataFrame, calendar: list[dt.date]) -> pl.DataFrame:
    """With `at`, the place of each day in the calendar."""
    return held.with_columns(at=(pl.col("gaming_day") - calendar[0]).dt.total_days())


@dataclass(frozen=True)
class _Asked:
    """Profiles of all tables over these days: read once for all checks."""

    root: str
    days: Days
    lake: Lake = field(compare=False, repr=False)


@functools.lru_cache(maxsize=2)
def _all(asked: _Asked) -> Mapping[tuple[object, ...], pl.DataFrame]:
    found = profiles(asked.lake, asked.days, commit=COMMIT)
    return found.partition_by("layer", "table_name", as_dict=True)


def _profile(lake: Lake, days: Days, table: Table) -> pl.DataFrame:
    window = (days[0] - REFERENCE_DAYS * _ONE_DAY, days[1])
    now = states(lake, *table, window)
    mine = _known(lake, window, table)
    if _counted_of(mine) != now:  # written since
        _all.cache_clear()
        mine = _known(lake, window, table)
    if _counted_of(mine).keys() != now.keys():  # damaged, which only its own checks say
        return profiles(lake, window, commit=COMMIT, tables=[table]).filter(
            layer=table[0], table_name=table[1]
        )
    return mine


def _known(lake: Lake, window: Days, table: Table) -> pl.DataFrame:
    empty = pl.DataFrame(schema=stored_schema(*PROFILES))
    return _all(_Asked(lake.root, window, lake)).get(table, empty)


def _counted_of(profile: pl.DataFrame) -> dict[dt.date, str]:
    return dict(profile.select("gaming_day", "counted_of").iter_rows())
