"""Partials of a gaming day, column by column: rows, nulls, and the spread of values.

They are small, add up over days, and are counted once: a day is counted again when the files
that hold it changed. So a day's history costs a day's rows, not four weeks'.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable, Mapping, Sequence

import dataframely as dy
import polars as pl

from lakehouse.contracts import PROVENANCE, Contract, contract
from lakehouse.errors import Damaged
from lakehouse.gold.marts import marts
from lakehouse.regulation.gaming_day import each_day
from lakehouse.storage import (
    ROWS_IN_HAND,
    Commit,
    Days,
    Lake,
    Read,
    portions,
    sound,
    stored_schema,
    stored_tables,
)
from lakehouse.storage.listing import of_days, paths_by_day
from lakehouse.storage.marks import digest
from lakehouse.storage.shapes import HISTORY

_DAY = "gaming_day"
PROFILES = ("ops", "column_profiles")
PER_DOUBLING = 8
"""Fine bins to a doubling of a number: each spans 9%, narrow beside a tenth of the rows."""
SMALLEST = 1e-4
"""Numbers nearer to nothing than this count as 0: rates have four decimals."""
MOST_VALUES = 200
"""Distinct values on a day above which a text is no category."""
_NAMES_ONE = (
    "_id",
    "_number",
    "_hash",
    "_reference",
    "_key",
    "_quintile",
    "citation",
    "learned_by",
)
"""Endings of columns that name one thing among many, or a place in the day's own order: where
they move, nothing has drifted."""
Table = tuple[str, str]


def profiled_tables() -> list[Table]:
    """Bronze, silver and the marts, but for what only the grant may see how much there is of."""
    pairs = stored_tables("bronze", "silver", "gold")
    made = marts()
    return [
        (layer, table)
        for layer, table in pairs
        if not contract(table).is_restricted and (layer != "gold" or table in made)
    ]


def spread_columns(layer: str, table: str) -> Mapping[str, bool]:
    """Columns whose spread can drift, each with whether it is numeric.

    Types tell: codes, flags and numbers; texts of few values. Not keys, references, personal
    data and names of single things, nor moments and days to or since one (`days_left`), which
    move with the calendar; nor what has one row a day. Bronze is as it came: what may drift in
    it drifts in silver too."""
    return _spread_columns(layer, contract(table))


@functools.cache
def _spread_columns(layer: str, c: Contract) -> Mapping[str, bool]:
    if layer == "bronze" or c.key == [_DAY]:
        return {}
    return {
        name: dtype.is_numeric()
        for name, dtype in stored_schema(layer, c.name).items()
        if name in c.columns and _may_drift(c, name) and _has_spread(dtype, c.columns[name])
    }


def _may_drift(c: Contract, name: str) -> bool:
    about = c.metadata(name)
    apart = name in c.key or name in PROVENANCE or name.endswith(_NAMES_ONE)
    apart = apart or name.startswith("days_")
    return not apart and not any(about.get(k) for k in ("refs", "pii", "protect"))


def _has_spread(dtype: pl.DataType, column: dy.Column) -> bool:
    is_text = dtype == pl.String and isinstance(column, dy.String | dy.Enum)
    return is_text or dtype == pl.Boolean or dtype.is_numeric()


def fine_bin(number: pl.Expr) -> pl.Expr:
    """The number of a fine bin, in the order of the values; 0 for 0, null for what is no number."""
    known = number.cast(pl.Float64)
    value = pl.when(known.is_finite()).then(known)
    size = (value.abs() / SMALLEST).log(2) * PER_DOUBLING
    at = size.floor().clip(lower_bound=0) + 1
    return pl.when(value.abs() < SMALLEST).then(0).otherwise(at * value.sign()).cast(pl.Int64)


def counted_columns(layer: str, table: str) -> list[str]:
    """All but the day; and but when a version ends, which later days tell: on the newest day none
    has ended, on the days before every one that was replaced."""
    own = contract(table).columns
    names = [n for n in stored_schema(layer, table) if n != _DAY]
    return [n for n in names if n in own or n not in HISTORY]


def counted(layer: str, table: str, rows: pl.LazyFrame) -> pl.DataFrame:
    """Grain: one row per gaming day and column: gaming_day, column_name, rows, nulls, bins,
    counts. Each day's from its rows alone."""
    spread = spread_columns(layer, table)
    columns = counted_columns(layer, table)
    sums = rows.group_by(_DAY).agg(rows=pl.len(), **{n: pl.col(n).null_count() for n in columns})
    in_hand = rows.select(_DAY, *spread).collect().lazy() if spread else rows
    numeric = {name: fine_bin(pl.col(name)) for name, is_number in spread.items() if is_number}
    other = {n: pl.col(n).cast(pl.String) for n, is_number in spread.items() if not is_number}
    parts = [_spread(in_hand, numeric)] if numeric else []
    if other:
        is_few = pl.col("bins").list.len() <= MOST_VALUES
        parts.append(_spread(in_hand, other).filter(is_few))
    nulls, *spreads = pl.collect_all([sums, *parts])
    long = nulls.unpivot(
        columns, index=[_DAY, "rows"], variable_name="column_name", value_name="nulls"
    )
    shape = {_DAY: pl.Date, "column_name": pl.String} | _SPREAD
    known = pl.concat([pl.DataFrame(schema=shape), *spreads])
    return long.join(known, on=[_DAY, "column_name"], how="left").with_columns(
        pl.col("rows", "nulls").cast(pl.Int64),
        *(pl.col(n).fill_null(pl.lit([], t)) for n, t in _SPREAD.items()),
    )


_SPREAD: dict[str, pl.DataType] = {"bins": pl.List(pl.String), "counts": pl.List(pl.Int64)}


def _spread(rows: pl.LazyFrame, values: dict[str, pl.Expr]) -> pl.LazyFrame:
    """Rows of each value, of columns of one type."""
    by_bin = pl.concat(
        rows.select(_DAY, bins=value)
        .drop_nulls("bins")
        .group_by(_DAY, "bins")
        .agg(counts=pl.len().cast(pl.Int64))
        .select(_DAY, "bins", "counts", column_name=pl.lit(name))
        for name, value in values.items()
    )
    in_order = [pl.col("bins").cast(pl.String), pl.col("counts")]
    return by_bin.group_by(_DAY, "column_name").agg(e.sort_by("bins") for e in in_order)


def states(lake: Lake, layer: str, table: str, days: Days) -> dict[dt.date, str]:
    """Gaming day → what the table holds of it and what is counted of that, as a text that
    changes with either. Of a table in one piece, whose files change with any day, rows and the
    newest of them."""
    files = lake.data_files(layer, table)
    spread = (f"{n} {numeric}" for n, numeric in spread_columns(layer, table).items())
    asked = digest(*spread, *counted_columns(layer, table))
    if any(file.day is None for file in files):
        rows = lake.scan(layer, table, days=days, columns=[_DAY, "_ingested_at"])
        by_day = rows.group_by(_DAY).agg(pl.len(), pl.col("_ingested_at").max()).collect()
        return {day: f"{asked} {count} to {newest}" for day, count, newest in by_day.iter_rows()}
    held = paths_by_day(file for file in of_days(files, days) if file.rows)
    return {day: digest(asked, *paths) for day, paths in held.items()}


def profiles(
    lake: Lake, days: Days, *, commit: Commit, tables: Iterable[Table] | None = None
) -> pl.DataFrame:
    """The profiles of `days`, in the shape of ops.column_profiles, of these tables or of all.
    Days that changed since they were counted are counted and stored, in one commit.

    Raises Damaged for a table that was asked for by name; where all are, it is left out."""
    stored = lake.scan(*PROFILES, days=days).collect()
    asked = [t for t in (tables or profiled_tables()) if lake.exists(*t)]
    known = _states_of(stored)
    gone, fresh = [], []
    for table in asked:
        now = states(lake, *table, days)
        before = known.get(table, {})
        changed = [d for d in each_day(days) if now.get(d) != before.get(d)]
        if changed:
            gone.append(_named(table, changed))
            try:
                fresh += _counted_days(lake, *table, [d for d in changed if d in now], now)
            except Damaged:
                if tables is not None:
                    raise
    if not gone:
        return stored
    stale = pl.concat(gone)
    kept = stored.join(stale, on=[_DAY, "layer", "table_name"], how="anti")
    whole = pl.concat([kept, *(f.select(kept.columns) for f in fresh)])
    span: Days = (stale[_DAY].min(), stale[_DAY].max())  # type: ignore[assignment]
    lake.write_days(*PROFILES, whole.filter(pl.col(_DAY).is_between(*span)), span, commit=commit)
    return whole


def _states_of(stored: pl.DataFrame) -> dict[Table, dict[dt.date, str]]:
    told = stored.group_by("layer", "table_name", _DAY).agg(pl.col("counted_of").first())
    known: dict[Table, dict[dt.date, str]] = {}
    for layer, table, day, state in told.iter_rows():
        known.setdefault((layer, table), {})[day] = state
    return known


def _named(table: Table, days: list[dt.date]) -> pl.DataFrame:
    frame = pl.DataFrame({_DAY: days}, {_DAY: pl.Date})
    return frame.select(_DAY, layer=pl.lit(table[0]), table_name=pl.lit(table[1]))


def _counted_days(
    lake: Lake, layer: str, table: str, days: Sequence[dt.date], state: dict[dt.date, str]
) -> list[pl.DataFrame]:
    if not days:
        return []
    named = pl.col(_DAY).replace_strict(list(state), list(state.values()), return_dtype=pl.String)
    found = []
    # Each column of a portion becomes rows of its own.
    for piece in portions(lake, (min(days), max(days)), (layer, table), most=ROWS_IN_HAND):
        rows = lake.scan(layer, table, days=piece).filter(pl.col(_DAY).is_in(list(days)))
        with sound(lake, [Read(layer, table, piece)]):
            by_column = counted(layer, table, rows)
        home = {"layer": pl.lit(layer), "table_name": pl.lit(table)}
        found.append(by_column.with_columns(counted_of=named, **home))
    return found
