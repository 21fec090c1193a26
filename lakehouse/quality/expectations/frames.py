"""A gaming day's rows as Great Expectations takes them: pandas, plain types, columns needed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from lakehouse.contracts import contract
from lakehouse.quality.expectations.suites import Suite, Written, named_columns
from lakehouse.regulation.gaming_day import each_day
from lakehouse.storage import Days, Lake, Read, portions, sound, stored_schema

if TYPE_CHECKING:
    import pandas as pd

DAY = "gaming_day"
_READ_AS_TEXT = ("regex", "like_pattern", "strftime", "dateutil", "lengths", "json")
_A_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_BOUNDS = ("min_value", "max_value")


def by_day(
    lake: Lake, suite: Suite, written: Sequence[Written], days: Days
) -> Iterator[tuple[dt.date, pl.DataFrame]]:
    """Each gaming day's rows, empty ones too: the columns that the suite names, the key of the
    table before them. The day and the columns are pushed down to the scan."""
    columns = named_columns(suite, written)
    keys = [k for k in key_of(suite) if k not in columns]
    schema = stored_schema(suite.layer, suite.table)
    read = {**{k: k for k in keys}, **columns}
    wanted = {DAY, *read.values()}
    for piece in portions(lake, days, (suite.layer, suite.table)):
        with sound(lake, [Read(suite.layer, suite.table, piece)]):
            scan = lake.scan(suite.layer, suite.table, days=piece)
            rows = scan.select(n for n in schema if n in wanted).collect()
        parts = {k[0]: f for k, f in rows.partition_by(DAY, as_dict=True).items()}
        for day in each_day(piece):
            there = parts.get(day, rows.clear())
            yield day, there.select(pl.col(column).alias(name) for name, column in read.items())


def key_of(suite: Suite) -> list[str]:
    """Columns that tell a row of a gaming day apart."""
    return [k for k in contract(suite.table).key if k != DAY]


def to_pandas(rows: pl.DataFrame, suite: Suite, written: Sequence[Written]) -> pd.DataFrame:
    """The columns that the suite names. Money and rates are floats, as the numbers of a suite
    are; moments are UTC without a zone, or ISO text where the suite reads them as text, as the
    POC has them."""
    import pandas as pd

    as_text = read_as_text(written)
    columns = named_columns(suite, written)
    # A suite may name no column, and count rows.
    index = pd.RangeIndex(rows.height)
    return pd.DataFrame({n: _column(rows[n], as_text=n in as_text) for n in columns}, index=index)


def read_as_text(written: Sequence[Written]) -> set[str]:
    textual = (w for w in written if any(word in w.type for word in _READ_AS_TEXT))
    return {column for w in textual for column in w.columns}


def _column(values: pl.Series, *, as_text: bool) -> pd.Series[Any]:
    import pandas as pd

    dtype = values.dtype
    if isinstance(dtype, pl.Decimal):
        return values.cast(pl.Float64).to_pandas()
    if dtype.is_temporal() and as_text:
        form = "%Y-%m-%d" if dtype == pl.Date else "%Y-%m-%dT%H:%M:%S%.6fZ"
        return pd.Series(values.dt.strftime(form).to_list(), dtype=object)
    if isinstance(dtype, pl.Datetime):
        return values.dt.replace_time_zone(None).to_pandas()
    if dtype.is_numeric() or dtype == pl.Date:
        return values.to_pandas()
    return pd.Series(values.to_list(), dtype=object)


def with_moments(suite: Suite, written: Written, as_text: set[str]) -> Mapping[str, Any]:
    """The arguments, where bounds of a moment that are whole days begin at midnight: Great
    Expectations reads 2025-01-31 as a date, which pandas compares with no moment."""
    schema = stored_schema(suite.layer, suite.table)
    names = dict(named_columns(suite, [written]))
    temporal = [c for c in written.columns if c in names and schema[names[c]].is_temporal()]
    if not temporal or set(temporal) & as_text:
        return written.kwargs
    return {k: _moment(v) if k in _BOUNDS else v for k, v in written.kwargs.items()}


def _moment(value: object) -> object:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return dt.datetime(value.year, value.month, value.day)  # noqa: DTZ001 - as the column is
    if isinstance(value, str) and _A_DAY.fullmatch(value):
        return f"{value}T00:00:00"
    if isinstance(value, str):
        return value.removesuffix("Z")
    return value
