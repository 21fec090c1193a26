"""ISO 8601 text to UTC, in every complete form of the standard, vectorised."""

from __future__ import annotations

import polars as pl

UTC_MICROSECONDS = pl.Datetime("us", "UTC")

_DATE = r"(?<year>\d{4})(?:(?<md>-\d\d-\d\d|\d{4})|(?<week>-W\d\d-\d|W\d{3})|(?<ordinal>-?\d{3}))"
_TIME = r"(?<time>\d\d(?::\d\d(?::\d\d)?|\d\d(?:\d\d)?)?)(?:[.,](?<fraction>\d+))?"
_ZONE = "(?<zone>[Zz]|[+\N{MINUS SIGN}-]\\d\\d(?::?\\d\\d)?)?"
_TIMESTAMP = f"^{_DATE}[Tt ]{_TIME}{_ZONE}$"
_COMMON = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$"
_SECONDS_OF_UNIT = {2: 3600, 4: 60, 6: 1}
_MICROSECOND = 1_000_000


def parse_iso8601(text: pl.Expr, *, timezone: str | None = None) -> pl.Expr:
    """Datetime("us", "UTC") of ISO 8601 text; null where it cannot be read.

    Calendar, week and ordinal dates, basic and extended format, hours alone, fractions of
    the last unit with comma or dot (beyond a microsecond cut off), 24:00, a leap second,
    Z and offsets of hours or minutes; a blank may stand for the T. A time without offset
    is wall-clock time of `timezone`; without a zone, or where the clock shows it twice or
    never, it is unreadable.
    """

    def parse(series: pl.Series) -> pl.Series:
        return _parse(series, timezone)

    return text.map_batches(parse, return_dtype=UTC_MICROSECONDS, is_elementwise=True)


def parse_iso8601_date(text: pl.Expr) -> pl.Expr:
    """Date of an ISO 8601 calendar, week or ordinal date; null where it cannot be read."""
    return _date(text.str.strip_chars().str.extract_groups(f"^{_DATE}$"))


def _parse(series: pl.Series, timezone: str | None) -> pl.Series:
    text = series.cast(pl.String).str.strip_chars()
    common = pl.when(text.str.contains(_COMMON)).then(text)
    read = common.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
    known = pl.select(read.alias("at")).to_series()
    if known.null_count() == text.null_count():
        return known.rename(series.name)
    rest = pl.DataFrame({"text": text, "known": known}).lazy()
    groups = pl.when(pl.col("known").is_null()).then(pl.col("text"))
    parts = rest.select("known", parts=groups.str.extract_groups(_TIMESTAMP))
    other = _moment(pl.col("parts"), timezone)
    return parts.select(pl.coalesce("known", other).alias(series.name)).collect().to_series()


def _moment(parts: pl.Expr, timezone: str | None) -> pl.Expr:
    zone = parts.struct.field("zone")
    wall = _date(parts).cast(pl.Datetime("us")) + pl.duration(microseconds=_since_midnight(parts))
    absolute = (wall - pl.duration(minutes=_offset_minutes(zone))).dt.replace_time_zone("UTC")
    if timezone is None:
        return absolute
    local = wall.dt.replace_time_zone(timezone, ambiguous="null", non_existent="null")
    return pl.when(zone.is_null()).then(local.dt.convert_time_zone("UTC")).otherwise(absolute)


def _date(parts: pl.Expr) -> pl.Expr:
    def read(group: str, form: str) -> pl.Expr:
        field = parts.struct.field(group).str.replace_all("-", "", literal=True)
        return (parts.struct.field("year") + field).str.to_date(form, strict=False)

    return pl.coalesce(read("md", "%Y%m%d"), read("week", "%GW%V%u"), read("ordinal", "%Y%j"))


def _since_midnight(parts: pl.Expr) -> pl.Expr:
    """Microseconds; null where the clock shows no such time."""
    digits = parts.struct.field("time").str.replace_all(":", "", literal=True)
    hour, minute, second = (
        digits.str.slice(start, 2).cast(pl.Int64, strict=False).fill_null(0) for start in (0, 2, 4)
    )
    unit = digits.str.len_bytes().replace_strict(
        _SECONDS_OF_UNIT, default=None, return_dtype=pl.Int64
    )
    # Twelve digits of an hour stay within 64 bits and below a microsecond.
    fraction = parts.struct.field("fraction").fill_null("0").str.slice(0, 12).str.pad_end(12, "0")
    rest = fraction.cast(pl.Int64) * unit // _MICROSECOND
    total = (hour * 3600 + minute * 60 + second) * _MICROSECOND + rest
    leap_second = (minute == 59) & (second == 60)
    shown = (hour < 24) & (minute < 60) & ((second < 60) | leap_second)
    midnight = total == 24 * 3600 * _MICROSECOND
    return pl.when(shown | ((hour == 24) & midnight)).then(total)


def _offset_minutes(zone: pl.Expr) -> pl.Expr:
    digits = zone.str.replace_all(r"\D", "").str.pad_end(4, "0")
    hours = digits.str.slice(0, 2).cast(pl.Int64, strict=False)
    minutes = digits.str.slice(2, 2).cast(pl.Int64, strict=False)
    size = pl.when((hours < 24) & (minutes < 60)).then(hours * 60 + minutes)
    return pl.when(zone.str.starts_with("+") | (size == 0)).then(size).otherwise(-size)
