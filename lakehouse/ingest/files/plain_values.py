"""The one form of a value that nearly all exports use, read at a fraction of the usual cost.

What has another form is left to `values.py`, value by value; the two never disagree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import polars as pl

from lakehouse.ingest.files.mapping import ColumnMapping

_YEAR = "(?:18[5-9][0-9]|19[0-9]{2}|20[0-9]{2}|21[0-4][0-9])"
"""Years before and after are more likely misread, and are looked at with care."""
_DAY = f"{_YEAR}-[0-9]{{2}}-[0-9]{{2}}"
_CLOCK = "[0-9]{2}:[0-9]{2}:[0-5][0-9]"
_MOMENT = re.compile(rf"{_DAY}([T ]){_CLOCK}(?:\.([0-9]{{3}}|[0-9]{{6}}))?(Z|[+-]00:?00)")


@dataclass(frozen=True)
class Plain:
    """A column's values, null where they cannot be read, and whether they have the form."""

    value: pl.Expr
    usual: pl.Expr


def plain_form(text: pl.Series, dtype: pl.DataType, mapping: ColumnMapping) -> Plain | None:
    """How a column of text is read where it is plain; null where the mapping or the type say
    that nothing in it is."""
    column = pl.col(text.name)
    if isinstance(dtype, pl.List):
        return None
    if text.null_count() == text.len():
        return Plain(pl.lit(None, dtype=dtype), pl.lit(value=True))
    if (
        mapping.unit
        or mapping.format
        or mapping.decimal_comma
        or mapping.date_only
        or mapping.timezone_from
    ):
        return None
    if isinstance(dtype, pl.Datetime):
        return _plain_moment(column, text.drop_nulls()[0])
    if isinstance(dtype, pl.Decimal):
        form = rf"^-?[0-9]+(\.[0-9]{{1,{dtype.scale}}})?$"
        return Plain(column.cast(dtype, strict=False), column.str.contains(form))
    if dtype == pl.Date:
        value = column.str.to_date("%Y-%m-%d", strict=False)
        return Plain(value, column.str.contains(f"^{_DAY}$"))
    if dtype.is_integer():
        return Plain(column.cast(pl.Int64, strict=False), column.str.contains("^-?[0-9]+$"))
    if dtype == pl.Boolean:
        return Plain(column == "true", column.is_in(("true", "false")))
    return Plain(column, pl.lit(value=True)) if dtype == pl.String else None


def _plain_moment(column: pl.Expr, first: str) -> Plain | None:
    """In UTC, with as many decimals as the first of them. A form that ends in a literal is read
    several times faster than one with an offset."""
    found = _MOMENT.fullmatch(first)
    if found is None:
        return None
    between, digits, offset = found.groups()
    form, fraction = f"%Y-%m-%d{between}%H:%M:%S", ""
    if digits:
        form, fraction = f"{form}.%{len(digits)}f", rf"\.[0-9]{{{len(digits)}}}"
    value = column.str.to_datetime(
        form + offset, time_unit="us", time_zone="UTC", strict=False, cache=False
    )
    same = f"^{_DAY}{between}{_CLOCK}{fraction}{re.escape(offset)}$"
    return Plain(value, column.str.contains(same))
