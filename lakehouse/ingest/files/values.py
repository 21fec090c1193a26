"""Text to the types of bronze, exactly: what cannot be typed is named, never mended."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from lakehouse.ingest.files.mapping import ColumnMapping, has_short_years
from lakehouse.ingest.files.vocabulary import DECIMALS
from lakehouse.regulation.gaming_day import OPENS_AT
from lakehouse.silver.timestamps import UTC_MICROSECONDS, parse_iso8601, parse_iso8601_date

TRUE = ("true", "t", "yes", "y", "1")
FALSE = ("false", "f", "no", "n", "0")
SIGNS = {
    "USD": ("US$", "$"),
    "EUR": ("€",),
    "GBP": ("£",),
    "CAD": ("CA$", "C$", "$"),
    "AUD": ("A$", "$"),
    "NZD": ("NZ$", "$"),
    "MXN": ("MX$", "$"),
    "BRL": ("R$",),
    "JPY": ("¥",),
    "CNY": ("¥",),
    "INR": ("₹",),
    "KRW": ("₩",),
    "PHP": ("₱",),
    "TRY": ("₺",),
    "UAH": ("₴",),
    "CHF": ("Fr.",),
    "PLN": ("zł",),
    "CZK": ("Kč",),
    "SEK": ("kr",),
    "NOK": ("kr",),
    "DKK": ("kr",),
}
"""Currency → what stands for it beside its code."""
EPOCHS = {"epoch_s": 10**6, "epoch_ms": 10**3, "epoch_us": 1}
"""Form → microseconds of its unit."""
BY_SIZE = "epoch"
_SIZES = ((10**8, 10**11, 10**6), (10**11, 10**14, 10**3), (10**14, 10**17, 1))
"""Counts from, to below, and the unit that they are of: from 1973 on, no two can be confused."""
_WORDS = {2: "two", 4: "four"}
_LONG = 18
_NOISE = Decimal("0.000001")
_FIRST_YEAR, _LAST_YEAR = 1850, 2150
_OFFSET = r"(?:[Zz]|[+\x{2212}-]\d\d(?::?\d\d)?)\s*$"


Reading = tuple[pl.Expr, pl.Expr]
"""A value, and why there is none where there is none."""


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
    if dtype.is_numeric():
        value, why = _of_number(text, dtype, mapping)
    elif isinstance(dtype, pl.Datetime):
        value, why = _moment(text, mapping, mapping.timezone or timezone, latest)
    elif dtype == pl.Date:
        value, why = _day(text, mapping, latest)
    elif dtype == pl.Boolean:
        value, why = _flag(text)
    elif dtype == pl.List(pl.String):
        return Typed(_texts(pl.col(name)).alias(name), pl.lit(None, pl.String).alias(f"{name}|"))
    else:
        return None
    unread = why if dtype.is_numeric() else pl.when(value.is_null()).then(why)
    broken = pl.when(given).then(pl.concat_str(pl.lit(f"{name}|"), unread))
    return Typed(value.alias(name), broken.alias(name))


def _texts(text: pl.Expr) -> pl.Expr:
    """A cell of several texts, as JSON's list or with semicolons between; nothing is none."""
    bare = text.fill_null("").str.strip_chars().str.replace_many({'["': "", '"]': "", "[]": ""})
    parts = bare.str.replace_all(r'"\s*,\s*"', ";").str.split(";")
    return parts.list.eval(pl.element().str.strip_chars().replace("", None).drop_nulls())


def _of_number(text: pl.Expr, dtype: pl.DataType, mapping: ColumnMapping) -> Reading:
    """A value, and why there is none, null where there is one; each works the number that a text
    is out once, as Polars would wherever an expression of it stands.

    Digits with a dot: the currency's sign or code and separators of thousands go, (5.00) and
    5.00- are -5.00. Separators stand between whole groups of three before the decimals, or there
    is no number: 12.50 with a decimal comma, or 12,50 without, is money of the other convention."""
    number, kind = pl.col("number"), dtype
    if isinstance(dtype, pl.Decimal):
        value, why = _decimal(number, dtype, mapping)
    elif dtype.is_integer():
        (value, why), kind = _whole(number), pl.Int64()
    else:
        (value, why), kind = _float(number), pl.Float64()

    def found(asked: pl.Expr, kind: pl.DataType) -> pl.Expr:
        def read(series: pl.Series) -> pl.Series:
            signed = series.alias("number").to_frame().select(_signed(number, mapping.currency))
            numbers = signed.select(_bare(number, mapping))
            return numbers.select(asked.alias(series.name)).to_series()

        return text.map_batches(read, return_dtype=kind, is_elementwise=True)

    return found(value, kind), found(pl.when(value.is_null()).then(why), pl.String())


def _bare(signed: pl.Expr, mapping: ColumnMapping) -> pl.Expr:
    point, group = (",", ".") if mapping.decimal_comma else (".", ",")
    groups = signed.str.contains(rf"^[+-]?[1-9]\d{{0,2}}([{group}]\d{{3}})+([{point}]\d*)?$")
    plain = signed.str.contains(rf"^[+-]?(\d+[{point}]?\d*|[{point}]\d+)$")
    bare = pl.when(groups).then(signed.str.replace_all(group, "", literal=True)).when(plain)
    number = bare.then(signed).otherwise(None).str.replace(point, ".", literal=True)
    return pl.coalesce(number, _written_out(signed, point)) if mapping.scientific else number


def _signed(text: pl.Expr, currency: str) -> pl.Expr:
    mark = "|".join(re.escape(m) for m in (*SIGNS.get(currency, ()), currency))
    return (
        text.str.replace("\N{MINUS SIGN}", "-", literal=True)
        .str.replace(r"^\((.*)\)$", "-$1")
        .str.replace(rf"^([+-]?)(?:{mark})\s*", "$1")
        .str.replace(rf"([\d.,])\s*(?:{mark})(-?)$", "$1$2")
        .str.replace(r"^([^+-].*)-$", "-$1")
    )


def _written_out(text: pl.Expr, point: str) -> pl.Expr:
    """1.5E3 → 1500. What has more than 12 decimals is no number of ours."""
    form = rf"^[+-]?\d+(?:[{point}]\d*)?[eE][+-]?\d{{1,2}}$"
    given = pl.when(text.str.contains(form)).then(text).str.replace(point, ".", literal=True)
    exact = given.cast(pl.Decimal(38, DECIMALS), strict=False)
    is_lost = (exact == 0) & given.str.contains(r"^[+-]?[\d.]*[1-9]")
    return pl.when(~is_lost).then(exact.cast(pl.String))


def _decimal(number: pl.Expr, dtype: pl.Decimal, mapping: ColumnMapping) -> Reading:
    if mapping.unit == "cents":
        number = _hundredth(number)
    exact = ~number.str.contains(rf"\.\d{{{dtype.scale}}}0*[1-9]")
    value = pl.when(exact).then(number).cast(dtype, strict=False)
    if mapping.round:
        long = number.str.replace(rf"(\.\d{{{_LONG}}})\d+$", "$1")
        wide = pl.when(~exact).then(long).cast(pl.Decimal(38, _LONG), strict=False)
        rounded, exact = _rounded(wide, exact, dtype, mapping)
        value = pl.coalesce(value, rounded)
    why = pl.when(number.is_null()).then(pl.lit("not_a_number"))
    return value, why.when(~exact).then(pl.lit(_many(dtype))).otherwise(pl.lit("too_large"))


def _rounded(
    wide: pl.Expr, exact: pl.Expr, dtype: pl.Decimal, mapping: ColumnMapping
) -> tuple[pl.Expr, pl.Expr]:
    """The values that have too many decimals, and whether each row has no such decimals now."""
    near = wide.round(dtype.scale, mode="half_away_from_zero")
    may = exact | (mapping.round == "half_up")
    if mapping.round == "noise":
        may = exact | ((wide - near).abs() < pl.lit(_NOISE))
    return pl.when(may).then(near).cast(dtype, strict=False), may


def _many(dtype: pl.Decimal) -> str:
    return f"more_than_{_WORDS.get(dtype.scale, dtype.scale)}_decimals"


def fitted(number: pl.Expr, dtype: pl.DataType, mapping: ColumnMapping) -> tuple[pl.Expr, pl.Expr]:
    """What an expression gave → the value of a column, and why there is none. Money is rounded
    only where the mapping says so."""
    if mapping.unit == "cents":
        number = number / pl.lit(100).cast(pl.Decimal(38, DECIMALS))
    if isinstance(dtype, pl.Decimal):
        near = number.round(dtype.scale, mode="half_away_from_zero")
        exact = near == number
        if mapping.round:
            _, exact = _rounded(number, exact, dtype, mapping)
        value = pl.when(exact).then(near).cast(dtype, strict=False)
        return value, pl.when(~exact).then(pl.lit(_many(dtype))).otherwise(pl.lit("too_large"))
    if dtype.is_integer():
        whole = number == number.floor()
        value = pl.when(whole).then(number).cast(pl.Int64, strict=False)
        why = pl.when(~whole).then(pl.lit("not_a_whole_number"))
        return value, why.otherwise(pl.lit("too_large"))
    return number.cast(dtype), pl.lit("too_large")


def _hundredth(number: pl.Expr) -> pl.Expr:
    """12345.5 → 123.455, on the text, so that no digit can change."""
    sign = number.str.extract(r"^([+-]?)", 1)
    whole = number.str.extract(r"^[+-]?(\d*)", 1).str.pad_start(3, "0")
    rest = number.str.extract(r"\.(\d*)$", 1).fill_null("")
    return pl.concat_str(sign, whole.str.head(-2), pl.lit("."), whole.str.tail(2), rest)


def _whole(number: pl.Expr) -> Reading:
    whole = number.str.extract(r"^([+-]?\d+)(?:\.0*)?$", 1).str.strip_prefix("+")
    value = whole.cast(pl.Int64, strict=False)
    why = pl.when(whole.is_null()).then(pl.lit("not_a_whole_number"))
    return value, why.otherwise(pl.lit("too_large"))


def _float(number: pl.Expr) -> Reading:
    value = number.cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value), pl.lit("not_a_number")


def _flag(text: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    low = text.str.to_lowercase()
    value = pl.when(low.is_in(TRUE)).then(True).when(low.is_in(FALSE)).then(False)
    return value, pl.lit("not_true_or_false")


def _in_any_form(mapping: ColumnMapping, read: Callable[[str], Reading]) -> Reading:
    """A value by the one of the forms that reads it. Two that read it as different times, such
    as 03/04 by day and by month, do not tell what it is."""
    found = [read(form) for form in mapping.formats or ("iso",)]
    if len(found) == 1:
        return found[0]
    value = pl.coalesce(v for v, _ in found)
    differ = pl.any_horizontal((v != value) for v, _ in found)
    said = pl.coalesce(pl.when(why != "unreadable").then(why) for _, why in found)
    why = pl.when(differ).then(pl.lit("read_in_two_ways")).otherwise(said.fill_null("unreadable"))
    return pl.when(differ.not_().fill_null(value=True)).then(value), why


def _day(text: pl.Expr, mapping: ColumnMapping, latest: dt.date | None) -> Reading:
    return _in_any_form(mapping, lambda form: _day_in(form, text, latest))


def _day_in(form: str, text: pl.Expr, latest: dt.date | None) -> Reading:
    if form != "iso":
        value = _until(latest, text.str.to_date(form, strict=False), form)
    else:
        midnight = r"[T ]00:00(:00(\.0+)?)?$"
        value = parse_iso8601_date(text.str.replace(midnight, ""))
    return _in_our_time(value), pl.lit("unreadable")


def _until(latest: dt.date | None, value: pl.Expr, form: str) -> pl.Expr:
    """Of the days that a two-digit year can mean, the last one until `latest`."""
    if latest is None or not has_short_years(form):
        return value
    centuries = [value.dt.offset_by(f"{hundreds}y") for hundreds in (-200, -100, 0, 100)]
    # 29 February 2000 has none a hundred years before.
    same = (pl.when((c <= latest) & (c.dt.day() == value.dt.day())).then(c) for c in centuries)
    return pl.max_horizontal(*same)


def _opening(form: str, text: pl.Expr, timezone: str | None, latest: dt.date | None) -> Reading:
    """Midnight is of the gaming day before: a day alone stands for the one that it names."""
    day, why = _day_in(form, text, latest)
    if form != "iso":
        wall = text.str.to_datetime(form, time_unit="us", strict=False)
        day = pl.when(wall.dt.time() == dt.time()).then(day)
    opens = day.dt.combine(OPENS_AT).dt.replace_time_zone(timezone or "UTC")
    return opens.dt.convert_time_zone("UTC"), why


def _moment(
    text: pl.Expr, mapping: ColumnMapping, timezone: str | None, latest: dt.date | None
) -> Reading:
    if mapping.date_only:
        return _in_any_form(mapping, lambda form: _opening(form, text, timezone, latest))
    return _in_any_form(mapping, lambda form: _moment_in(form, text, mapping, timezone, latest))


def _moment_in(
    form: str, text: pl.Expr, mapping: ColumnMapping, timezone: str | None, latest: dt.date | None
) -> Reading:
    if form == "iso":
        return _iso_moment(text, mapping, timezone)
    if form in EPOCHS:
        return _since_1970(text, EPOCHS[form]), pl.lit("unreadable")
    if form == BY_SIZE:
        count = text.cast(pl.Float64, strict=False)
        read = [
            pl.when(count.is_between(least, most, closed="left")).then(_since_1970(text, unit))
            for least, most, unit in _SIZES
        ]
        return pl.coalesce(read), pl.lit("unreadable")
    wall = text.str.to_datetime(form, time_unit="us", strict=False)
    if "%z" in form or "%+" in form:
        return _in_our_time(wall.dt.convert_time_zone("UTC")), pl.lit("unreadable")
    return _located(_until(latest, wall, form), mapping, timezone)


def _since_1970(text: pl.Expr, unit: int) -> pl.Expr:
    """What is shorter than a microsecond is cut off."""
    digits = pl.when(text.str.contains(r"^-?\d{1,17}(\.\d{1,9})?$")).then(text)
    count = digits.cast(pl.Decimal(38, 9), strict=False) * pl.lit(unit).cast(pl.Decimal(38, 9))
    moment = count.floor().cast(pl.Int64, strict=False).cast(pl.Datetime("us"))
    return _in_our_time(moment.dt.replace_time_zone("UTC"))


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
    if mapping.skipped == "shift":
        before = wall.dt.offset_by("-1h").dt.replace_time_zone(
            timezone, ambiguous="earliest", non_existent="null"
        )
        chosen = pl.when(first.is_null()).then(before.dt.offset_by("1h")).otherwise(chosen)
    why = unreadable.when(first.is_null()).then(pl.lit("skipped_by_the_clock"))
    return (
        _in_our_time(chosen.dt.convert_time_zone("UTC")),
        why.otherwise(pl.lit("shown_twice_by_the_clock")),
    )


def _in_our_time(value: pl.Expr) -> pl.Expr:
    """A year far away is a misread one; each would make a partition of its own."""
    return pl.when(value.dt.year().is_between(_FIRST_YEAR, _LAST_YEAR)).then(value)
