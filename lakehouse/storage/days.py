"""What a write may replace: whole gaming days, and never more."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence

import polars as pl

from lakehouse.errors import BadInput, ContractError
from lakehouse.regulation.gaming_day import Days, each_day
from lakehouse.storage.shapes import PARTITION

_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")
_BATCHES = re.compile(r"[0-9a-f]{24}\.[0-9-]*")


def checked_days(days: Days) -> Days:
    """The days, if they bound a range. Raises BadInput: a day that is not a date, or a range
    that ends before it starts, would replace more or less than was asked for."""
    if not isinstance(days, tuple) or len(days) != 2:
        raise BadInput(f"{days!r} is no pair of first and last gaming day")
    for day in days:
        if type(day) is not dt.date:
            raise BadInput(f"{day!r} is no gaming day; give a datetime.date")
    if days[0] > days[1]:
        raise BadInput(f"days {days[0]}..{days[1]} end before they start")
    return days


def replace_predicate(
    days: Days,
    where: Mapping[str, str],
    keys: Sequence[str],
    only: Collection[dt.date] | None = None,
) -> str:
    """The one place that says which rows a write replaces. A predicate that is lost on its
    way replaces the whole table (dagster #34064), so it is made from checked dates only."""
    first, last = checked_days(days)
    parts = [f"{PARTITION} >= '{first.isoformat()}'", f"{PARTITION} <= '{last.isoformat()}'"]
    if only is not None:
        named = ", ".join(f"'{checked_days((day, day))[0].isoformat()}'" for day in sorted(only))
        if not named:
            raise BadInput(f"no day of {first}..{last} is named")
        parts.append(f"{PARTITION} IN ({named})")
    for name, value in where.items():
        if name == PARTITION or name not in keys:
            allowed = ", ".join(keys[1:]) or "none"
            raise BadInput(f"{name!r} is no further partition column; allowed: {allowed}")
        if not isinstance(value, str) or not _PLAIN.fullmatch(value):
            raise BadInput(f"{name} = {value!r} is no plain partition value")
        parts.append(f"{name} = '{value}'")
    return " AND ".join(parts)


def batches_predicate(batches: str, but: str | None) -> str:
    """Rows of these batches, told by how their `_batch_id` begins."""
    for beginning in (batches, but or batches):
        if not _BATCHES.fullmatch(beginning):
            raise BadInput(f"{beginning!r} is no beginning of a batch")
    found = f"starts_with(_batch_id, '{batches}')"
    return found if but is None else f"{found} AND NOT starts_with(_batch_id, '{but}')"


def refuse_outside(
    rows: pl.DataFrame,
    days: Days,
    where: Mapping[str, str],
    subject: str,
    only: Collection[dt.date] | None = None,
) -> None:
    """Raises ContractError for rows of other days or partitions, or of no day."""
    inside = pl.col(PARTITION).is_between(*days)
    if only is not None:
        inside = inside & pl.col(PARTITION).is_in([*only])
    for name, value in where.items():
        inside = inside & (pl.col(name) == value)
    outside = rows.filter(~inside.fill_null(value=False))
    if outside.height:
        found = ", ".join(str(d) for d in outside[PARTITION].unique().sort().head(3))
        bound = ", ".join([f"{days[0]}..{days[1]}", *where.values()])
        raise ContractError(
            f"{subject}: {outside.height} rows are outside {bound}: {PARTITION} {found}"
        )


def rows_by_day(rows: pl.DataFrame, days: Days | None) -> dict[dt.date, int]:
    """Rows per gaming day, with 0 for days asked for that have none."""
    if PARTITION not in rows.columns:
        return {}
    asked = each_day(days) if days else []
    counted = dict(rows.group_by(PARTITION).len().iter_rows())
    return {d: counted.get(d, 0) for d in sorted({*asked, *counted} - {None})}
