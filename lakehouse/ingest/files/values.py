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


_UNREADABLE = pl.lit("unreadable")
Reading = pl.DataFrame
"""Of each text, `value`, and `why` there is none where there is none. What is found of a text is
found once and kept as a column: Polars works an expression out anew wherever it stands."""
Asked = tuple[pl.Expr, pl.Expr]
"""A value, and why there is none where there is none."""


@dataclass(frozen=True)
class Typed:
    """A column's values, null where they cannot be typed, and the rule that each broke then."""

    values: pl.Series
    broken: pl.Series


def typed_column(
    column: pl.Series,
    dtype: pl.DataType,
    mapping: ColumnMapping,
    timezone: str | None,
    latest: dt.date | None = None,
) -> Typed | None:
    """A column of text as `dtype`; null for text, which cannot fail. `timezone` is that of times
    without offset, of days alone the property's; `latest` the last day that a two-digit year can
    mean."""
    text = column.alias("text").to_frame().select(pl.col("text").str.strip_chars())
    if dtype.is_numeric():
        read = _of_number(text, dtype, mapping)
    elif isinstance(dtype, pl.Datetime):
        read = _moment(text, mapping, mapping.timezone or timezone, latest)
    elif dtype == pl.Date:
        read = _in_any_form(mapping, lambda form: _day_in(form, text, latest))
    elif dtype == pl.Boolean:
        read = _flag(text)
    elif dtype == pl.List(pl.String):
        texts = column.to_frame().select(_texts(pl.first())).to_series()
        return Typed(texts, pl.Series(column.name, [None] * len(column), pl.String))
    else:
        return None
    unread = (text["text"] != "") & read["value"].is_null()
    told = pl.when(unread).then(pl.concat_str(pl.lit(f"{column.name}|"), "why"))
    broken = read.select(told.alias(column.name)).to_series()
    return Typed(read["value"].alias(column.name), broken)


def _reading(frame: pl.DataFrame, value: pl.Expr, why: pl.Expr) -> Reading:
    return frame.select(value.alias("value"), why.alias("why"))


def _texts(text: pl.Expr) -> pl.Expr:
    """A cell of several texts, as JSON's list or with semicolons between; nothing is none."""
    bare = text.fill_null("").str.strip_chars().str.replace_many({'["': "", '"]': "", "[]": ""})
    parts = bare.str.replace_all(r'"\s*,\s*"', ";").str.split(";")
    return parts.list.eval(pl.element().str.strip_chars().replace("", None).drop_nulls())


def _of_number(text: pl.DataFrame, dtype: pl.DataType, mapping: ColumnMapping) -> Reading:
    """Digits with a dot: the currency's sign or code and separators of thousands go, (5.00) and
    5.00- are -5.00. Separators stand between whole groups of three before the decimals, or there
    is no number: 12.50 with a decimal comma, or 12,50 without, is money of the other convention."""
    number = pl.col("text")
    if isinstance(dtype, pl.Decimal):
        asked = _decimal(number, dtype, mapping)
    else:
        asked = _whole(number) if dtype.is_integer() else _float(number)
    signed = text.select(_signed(number, mapping.currency))
    return _reading(signed.select(_bare(number, mapping)), *asked)


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


def _decimal(number: pl.Expr, dtype: pl.Decimal, mapping: ColumnMapping) -> Asked:
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


def _whole(number: pl.Expr) -> Asked:
    whole = number.str.extract(r"^([+-]?\d+)(?:\.0*)?$", 1).str.strip_prefix("+")
    value = whole.cast(pl.Int64, strict=False)
    why = pl.when(whole.is_null()).then(pl.lit("not_a_whole_number"))
    return value, why.otherwise(pl.lit("too_large"))


def _float(number: pl.Expr) -> Asked:
    value = number.cast(pl.Float64, strict=False)
    return pl.when(value.is_finite()).then(value), pl.lit("not_a_number")


def _flag(text: pl.DataFrame) -> Reading:
    low = pl.col("text")
    value = pl.when(low.is_in(TRUE)).then(True).when(low.is_in(FALSE)).then(False)
    lower = text.select(low.str.to_lowercase())
    return _reading(lower, value, pl.lit("not_true_or_false"))


def _in_any_form(mapping: ColumnMapping, read: Callable[[str], Reading]) -> Reading:
    """A value by the one of the forms that reads it. Two that read it as different times, such
    as 03/04 by day and by month, do not tell what it is."""
    found = [read(form) for form in mapping.formats or ("iso",)]
    if len(found) == 1:
        return found[0]
    each = pl.DataFrame([r[n].alias(f"{n}{i}") for i, r in enumerate(found) for n in r.columns])
    values = [pl.col(f"value{i}") for i in range(len(found))]
    told = (pl.when(pl.col(n) != "unreadable").then(n) for n in each.columns if n[0] == "w")
    one = each.with_columns(value=pl.coalesce(values), said=pl.coalesce(told))
    judged = one.with_columns(differ=pl.any_horizontal(v != pl.col("value") for v in values))
    differ = pl.col("differ").fill_null(value=False)
    said = pl.col("said").fill_null("unreadable")
    why = pl.when(differ).then(pl.lit("read_in_two_ways")).otherwise(said)
    return _reading(judged, pl.when(~differ).then("value"), why)


def _day_in(form: str, text: pl.DataFrame, latest: dt.date | None) -> Reading:
    column = pl.col("text")
    if form != "iso":
        read = text.select(_until(latest, column.str.to_date(form, strict=False), form))
    else:
        midnight = r"[T ]00:00(:00(\.0+)?)?$"
        read = text.select(parse_iso8601_date(column.str.replace(midnight, "")))
    return _reading(read, _in_our_time(pl.first()), _UNREADABLE)


def _until(latest: dt.date | None, value: pl.Expr, form: str) -> pl.Expr:
    """Of the days that a two-digit year can mean, the last one until `latest`."""
    if latest is None or not has_short_years(form):
        return value
    centuries = [value.dt.offset_by(f"{hundreds}y") for hundreds in (-200, -100, 0, 100)]
    # 29 February 2000 has none a hundred years before.
    same = (pl.when((c <= latest) & (c.dt.day() == value.dt.day())).then(c) for c in centuries)
    return pl.max_horizontal(*same)


def _opening(
    form: str, text: pl.DataFrame, timezone: str | None, latest: dt.date | None
) -> Reading:
    """Midnight is of the gaming day before: a day alone stands for the one that it names."""
    days = _day_in(form, text, latest)
    day, why = pl.col("value"), pl.col("why")
    if form != "iso":
        wall = text.select(pl.col("text").str.to_datetime(form, time_unit="us", strict=False))
        days = days.with_columns(wall.to_series().dt.time().alias("clock"))
        day = pl.when(pl.col("clock") == dt.time()).then(day)
    opens = day.dt.combine(OPENS_AT).dt.replace_time_zone(timezone or "UTC")
    return _reading(days, opens.dt.convert_time_zone("UTC"), why)


def _moment(
    text: pl.DataFrame, mapping: ColumnMapping, timezone: str | None, latest: dt.date | None
) -> Reading:
    if mapping.date_only:
        return _in_any_form(mapping, lambda form: _opening(form, text, timezone, latest))
    return _in_any_form(mapping, lambda form: _moment_in(form, text, mapping, timezone, latest))


def _moment_in(
    form: str,
    text: pl.DataFrame,
    mapping: ColumnMapping,
    timezone: str | None,
    latest: dt.date | None,
) -> Reading:
    column = pl.col("text")
    if form == "iso":
        return _iso_moment(text, mapping, timezone)
    if form in EPOCHS:
        since = text.select(_since_1970(column, EPOCHS[form]))
        return _reading(since, _in_our_time(pl.first()), _UNREADABLE)
    if form == BY_SIZE:
        count = column.cast(pl.Float64, strict=False)
        since_1970 = pl.coalesce(
            pl.when(count.is_between(least, most, closed="left")).then(_since_1970(column, unit))
            for least, most, unit in _SIZES
        )
        return _reading(text.select(since_1970), _in_our_time(pl.first()), _UNREADABLE)
    wall = text.select(column.str.to_datetime(form, time_unit="us", strict=False))
    if "%z" in form or "%+" in form:
        utc = wall.select(pl.first().dt.convert_time_zone("UTC"))
        return _reading(utc, _in_our_time(pl.first()), _UNREADABLE)
    return _located(wall.select(_until(latest, pl.first(), form)), mapping, timezone)


def _since_1970(text: pl.Expr, unit: int) -> pl.Expr:
    """What is shorter than a microsecond is cut off."""
    digits = pl.when(text.str.contains(r"^-?\d{1,17}(\.\d{1,9})?$")).then(text)
    count = digits.cast(pl.Decimal(38, 9), strict=False) * pl.lit(unit).cast(pl.Decimal(38, 9))
    moment = count.floor().cast(pl.Int64, strict=False).cast(pl.Datetime("us"))
    return moment.dt.replace_time_zone("UTC")


def _iso_moment(text: pl.DataFrame, mapping: ColumnMapping, timezone: str | None) -> Reading:
    """With its offset a time says what it means; without, the mapping has to."""
    column = pl.col("text")
    bare = text.select(column.str.contains(r"[Tt ].*" + _OFFSET).not_()).to_series()
    said = text.select(parse_iso8601(pl.when(~bare).then(column)))
    absolute = _reading(said, _in_our_time(pl.first()), _UNREADABLE)
    if not bare.any():
        return absolute
    wall = text.select(parse_iso8601(pl.when(bare).then(column), timezone="UTC"))
    local = _located(wall.select(pl.first().dt.replace_time_zone(None)), mapping, timezone)
    both = (pl.when(bare).then(local[n]).otherwise(absolute[n]) for n in ("value", "why"))
    return _reading(text, *both)


def _located(wall: pl.DataFrame, mapping: ColumnMapping, timezone: str | None) -> Reading:
    """Of one column, the time that a clock on the wall shows."""
    at = pl.col("wall")
    given = wall.select(at=pl.first()).select(wall="at", read=_in_our_time(pl.col("at")))
    unreadable = pl.when(pl.col("read").is_null()).then(pl.lit("unreadable"))
    if timezone is None:
        nothing = pl.lit(None, dtype=UTC_MICROSECONDS)
        return _reading(given, nothing, unreadable.otherwise(pl.lit("no_offset_and_no_timezone")))
    shown = given.with_columns(
        first=at.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null"),
        last=at.dt.replace_time_zone(timezone, ambiguous="latest", non_existent="null"),
    )
    first, last = pl.col("first"), pl.col("last")
    chosen = {"earlier": first, "later": last}.get(
        mapping.ambiguous, pl.when(first == last).then(first)
    )
    if mapping.skipped == "shift":
        before = at.dt.offset_by("-1h").dt.replace_time_zone(
            timezone, ambiguous="earliest", non_existent="null"
        )
        chosen = pl.when(first.is_null()).then(before.dt.offset_by("1h")).otherwise(chosen)
    why = unreadable.when(first.is_null()).then(pl.lit("skipped_by_the_clock"))
    return _reading(
        shown.with_columns(chosen=chosen.dt.convert_time_zone("UTC")),
        _in_our_time(pl.col("chosen")),
        why.otherwise(pl.lit("shown_twice_by_the_clock")),
    )


def _in_our_time(value: pl.Expr) -> pl.Expr:
    """A year far away is a misread one; each would make a partition of its own."""
    return pl.when(value.dt.year().is_between(_FIRST_YEAR, _LAST_YEAR)).then(value)
