"""Text to the types of bronze, exactly: what cannot be typed is named, never mended."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from lakehouse.ingest.files.mapping import ColumnMapping, has_short_years
from lakehouse.regulation.gaming_day import OPENS_AT
from lakehouse.silver.timestamps import UTC_MICROSECONDS, parse_iso8601, parse_iso8601_date

TRUE = ("true", "t", "yes", "y", "1")
FALSE = ("false", "f", "no", "n", "0")
_WORDS = {2: "two", 4: "four"}
_FIRST_YEAR, _LAST_YEAR = 1850, 2150
_OFFSET = r"(?:[Zz]|[+\x{2212}-]\d\d(?::?\d\d)?)\s*$"


@dataclass(frozen=True)
class Typed:
    """A column's value, null where it cannot be typed, and the rule that it broke then."""

    value: pl.Expr
    broken: pl.Expr


def typed_column(
    name: str,
    dtype: pl.DataType,
    mapping: ColumnMapping,
    timezone: str | None,
    latest: dt.date | None = None,
) -> Typed | None:
    """How the text column `name` becomes `dtype`; null for text, which cannot fail. `timezone`
    is that of times without offset, of days alone the property's; `latest` the last day that a
    two-digit year can mean."""
    text = pl.col(name).str.strip_chars()
    given = text.is_not_null() & (text != "")
    if isinstance(dtype, pl.Decimal):
        value, why = _decimal(text, dtype, mapping)
    elif isinstance(dtype, pl.Datetime):
        value, why = _moment(text, mapping, mapping.timezone or timezone, latest)
    elif dtype == pl.Date:
        value, why = _day(text, mapping, latest)
    elif dtype == pl.Boolean:
        value, why = _flag(text)
    elif dtype.is_integer():
        value, why = _whole(text, mapping)
    elif dtype.is_float():
        value, why = _float(text, mapping)
    else:
        return None
    broken = pl.when(given & value.is_null()).then(pl.concat_str(pl.lit(f"{name}|"), why))
    return Typed(value.alias(name), broken.alias(name))


def _number(text: pl.Expr, mapping: ColumnMapping) -> pl.Expr:
    """Digits with a dot: a sign of dollars and separators of thousands go, (5.00) is -5.00.
    Separators stand between whole groups of three before the decimals, or there is no number:
    12.50 with a decimal comma, or 12,50 without, is money of the other convention."""
    point, group = (",", ".") if mapping.decimal_comma else (".", ",")
    signed = text.str.replace(r"^\((.*)\)$", "-$1").str.replace(r"^(-?)\$", "$1")
    groups = signed.str.contains(rf"^[+-]?[1-9]\d{{0,2}}([{group}]\d{{3}})+([{point}]\d*)?$")
    plain = signed.str.contains(rf"^[+-]?(\d+[{point}]?\d*|[{point}]\d+)$")
    bare = pl.when(groups).then(signed.str.replace_all(group, "", literal=True))
    return bare.when(plain).then(signed).otherwise(None).str.replace(point, ".", literal=True)


def _decimal(text: pl.Expr, dtype: pl.Decimal, mapping: ColumnMapping) -> tuple[pl.Expr, pl.Expr]:
    number = _number(text, mapping)
    scale = dtype.scale
    fits = rf"\.\d{{{scale}}}0*[1-9]"
    if mapping.unit == "cents":
        fits = r"\.0*[1-9]"
        number = _hundredth(number)
    exact = ~_number(text, mapping).str.contains(fits)
    value = pl.when(exact).then(number).cast(pl.Decimal(dtype.precision, scale), strict=False)
    many = pl.lit(f"more_than_{_WORDS.get(scale, scale)}_decimals")
    why = (
        pl.when(number.is_null())
        .then(pl.lit("not_a_number"))
        .when(~exact)
        .then(many)
        .otherwise(pl.lit("too_large"))
    )
    return value, why


def _hundredth(number: pl.Expr) -> pl.Expr:
    """12345 → 123.45, on the text, so that no digit can change."""
    sign = number.str.extract(r"^([+-]?)", 1)
    whole = number.str.extract(r"^[+-]?(\d+)", 1).str.pad_start(3, "0")
    return pl.concat_str(sign, whole.str.head(-2), pl.lit("."), whole.str.tail(2))


def _whole(text: pl.Expr, mapping: ColumnMapping) -> tuple[pl.Expr, pl.Expr]:
    number = _number(text, mapping)
    whole = number.str.extract(r"^([+-]?\d+)(?:\.0*)?$", 1).str.strip_prefix("+")
    value = whole.cast(pl.Int64, strict=False)
    why = pl.when(whole.is_null()).then(pl.lit("not_a_whole_number"))
    return value, why.otherwise(pl.lit("too_large"))


def _float(text: pl.Expr, mapping: ColumnMapping) -> tuple[pl.Expr, pl.Expr]:
    value = _number(text, mapping).cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value), pl.lit("not_a_number")


def _flag(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    low = text.str.to_lowercase()
    value = pl.when(low.is_in(TRUE)).then(True).when(low.is_in(FALSE)).then(False)
    return value, pl.lit("not_true_or_false")


def _day(text: pl.Expr, mapping: ColumnMapping, latest: dt.date | None) -> tuple[pl.Expr, pl.Expr]:
    if mapping.format:
        value = _until(latest, text.str.to_date(mapping.format, strict=False), mapping)
    else:
        midnight = r"[T ]00:00(:00(\.0+)?)?$"
        value = parse_iso8601_date(text.str.replace(midnight, ""))
    return _in_our_time(value), pl.lit("unreadable")


def _until(latest: dt.date | None, value: pl.Expr, mapping: ColumnMapping) -> pl.Expr:
    """Of the days that a two-digit year can mean, the last one until `latest`."""
    if latest is None or not has_short_years(mapping.format):
        return value
    centuries = [value.dt.offset_by(f"{hundreds}y") for hundreds in (-200, -100, 0, 100)]
    # 29 February 2000 has none a hundred years before.
    same = (pl.when((c <= latest) & (c.dt.day() == value.dt.day())).then(c) for c in centuries)
    return pl.max_horizontal(*same)


def _opening(
    text: pl.Expr, mapping: ColumnMapping, timezone: str | None, latest: dt.date | None
) -> tuple[pl.Expr, pl.Expr]:
    """Midnight is of the gaming day before: a day alone stands for the one that it names."""
    day, why = _day(text, mapping, latest)
    if mapping.format:
        wall = text.str.to_datetime(mapping.format, time_unit="us", strict=False)
        day = pl.when(wall.dt.time() == dt.time()).then(day)
    opens = day.dt.combine(OPENS_AT).dt.replace_time_zone(timezone or "UTC")
    return opens.dt.convert_time_zone("UTC"), why


def _moment(
    text: pl.Expr, mapping: ColumnMapping, timezone: str | None, latest: dt.date | None
) -> tuple[pl.Expr, pl.Expr]:
    if mapping.date_only:
        return _opening(text, mapping, timezone, latest)
    if mapping.format is None:
        return _iso_moment(text, mapping, timezone)
    if "%z" in mapping.format or "%+" in mapping.format:
        value = text.str.to_datetime(mapping.format, time_unit="us", strict=False)
        return _in_our_time(value.dt.convert_time_zone("UTC")), pl.lit("unreadable")
    wall = text.str.to_datetime(mapping.format, time_unit="us", strict=False)
    wall = _until(latest, wall, mapping)
    return _located(wall, mapping, timezone)


def _iso_moment(
    text: pl.Expr, mapping: ColumnMapping, timezone: str | None
) -> tuple[pl.Expr, pl.Expr]:
    """With its offset a time says what it means; without, the mapping has to."""
    bare = ~text.str.contains(r"[Tt ].*" + _OFFSET)
    wall_text = pl.when(bare).then(text)
    wall = parse_iso8601(wall_text, timezone="UTC").dt.replace_time_zone(None)
    local, why = _located(wall, mapping, timezone)
    absolute = _in_our_time(parse_iso8601(pl.when(~bare).then(text)))
    return pl.coalesce(absolute, local), pl.when(bare).then(why).otherwise(pl.lit("unreadable"))


def _located(
    wall: pl.Expr, mapping: ColumnMapping, timezone: str | None
) -> tuple[pl.Expr, pl.Expr]:
    unreadable = pl.when(wall.is_null() | _in_our_time(wall).is_null()).then(pl.lit("unreadable"))
    if timezone is None:
        nothing = pl.lit(None, dtype=UTC_MICROSECONDS)
        return nothing, unreadable.otherwise(pl.lit("no_offset_and_no_timezone"))
    first = wall.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    last = wall.dt.replace_time_zone(timezone, ambiguous="latest", non_existent="null")
    chosen = {"earlier": first, "later": last}.get(
        mapping.ambiguous, pl.when(first == last).then(first)
    )
    why = unreadable.when(first.is_null()).then(pl.lit("skipped_by_the_clock"))
    return (
        _in_our_time(chosen.dt.convert_time_zone("UTC")),
        why.otherwise(pl.lit("shown_twice_by_the_clock")),
    )


def _in_our_time(value: pl.Expr) -> pl.Expr:
    """A year far away is a misread one; each would make a partition of its own."""
    return pl.when(value.dt.year().is_between(_FIRST_YEAR, _LAST_YEAR)).then(value)
