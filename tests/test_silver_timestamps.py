"""ISO 8601 text to UTC: what the standard allows is read, all else is null."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.silver.timestamps import parse_iso8601, parse_iso8601_date

UTC = dt.UTC
NOON = dt.datetime(2025, 1, 1, 12, tzinfo=UTC)
_FIRST = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - Hypothesis takes naive bounds
_LAST = dt.datetime(2099, 12, 31)  # noqa: DTZ001


def read(*texts: str | None, timezone: str | None = None) -> list[dt.datetime | None]:
    frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
    return frame.select(parse_iso8601(pl.col("text"), timezone=timezone)).to_series().to_list()


@pytest.mark.parametrize(
    "text",
    [
        "2025-01-01T12:00:00Z",
        "2025-01-01T12:00:00z",
        "2025-01-01t12:00:00Z",
        "2025-01-01 12:00:00Z",
        "  2025-01-01T12:00:00Z ",
        "2025-01-01T12:00Z",
        "2025-01-01T12Z",
        "20250101T120000Z",
        "20250101T1200Z",
        "20250101T12Z",
        "2025-01-01T13:00:00+01",
        "2025-01-01T13:00:00+0100",
        "2025-01-01T13:00:00+01:00",
        "2025-01-01T04:00:00-08:00",
        "2025-01-01T04:00:00−0800",
        "2025-01-02T02:00:00+14:00",
        "2025-01-01T17:45:00+05:45",
        "2025-01-01T12:00:00-00:00",
        "2025-W01-3T12:00:00Z",
        "2025W013T120000Z",
        "2025-001T12:00:00Z",
        "2025001T12Z",
        "2025-01-01T12:00:00.000Z",
        "2025-01-01T12,0Z",
    ],
)
def test_every_spelling_of_one_moment(text):
    assert read(text) == [NOON]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-01-01T12:00:00,5Z", NOON.replace(microsecond=500_000)),
        ("2025-01-01T12:00:00.123456Z", NOON.replace(microsecond=123_456)),
        ("2025-01-01T12:00:00.1234569Z", NOON.replace(microsecond=123_456)),
        ("20250101T120000,25Z", NOON.replace(microsecond=250_000)),
        ("2025-01-01T12:30,5Z", NOON.replace(minute=30, second=30)),
        ("2025-01-01T12.5Z", NOON.replace(minute=30)),
        ("2025-01-01T12.0002Z", NOON.replace(microsecond=720_000)),
        ("2025-12-31T24:00:00Z", dt.datetime(2026, 1, 1, tzinfo=UTC)),
        ("2025-12-31T24Z", dt.datetime(2026, 1, 1, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", dt.datetime(2017, 1, 1, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", dt.datetime(2024, 2, 29, tzinfo=UTC)),
        ("2024-366T00:00Z", dt.datetime(2024, 12, 31, tzinfo=UTC)),
        ("2020-W53-5T00:00Z", dt.datetime(2021, 1, 1, tzinfo=UTC)),
        ("2025-W01-1T00:00Z", dt.datetime(2024, 12, 30, tzinfo=UTC)),
    ],
)
def test_fractions_ends_and_other_calendars(text, moment):
    assert read(text) == [moment]


@pytest.mark.parametrize(
    "text",
    [
        "soon",
        "2025-01-01",
        "12:00:00Z",
        "2025-1-1T12:00:00Z",
        "2025-0101T12:00:00Z",
        "2025-01-01T12:0000Z",
        "2025-02-29T00:00:00Z",
        "2025-13-01T00:00:00Z",
        "2025-366T00:00:00Z",
        "2025-000T00:00:00Z",
        "2025-W53-1T00:00:00Z",
        "2025-W00-1T00:00:00Z",
        "2025-W01-8T00:00:00Z",
        "2025-01-01T25:00:00Z",
        "2025-01-01T24:00:01Z",
        "2025-01-01T12:60:00Z",
        "2025-01-01T12:30:60Z",
        "2025-01-01T12:00:61Z",
        "2025-01-01T12:00:00.Z",
        "2025-01-01T12:00:00+24:00",
        "2025-01-01T12:00:00+01:60",
        "2025-01-01T12:00:00+1",
        "2025-01-01T12:00:00 PST",
        "01/02/2025 12:00",
    ],
)
def test_other_text_is_unreadable(text):
    assert read(text, timezone="America/Los_Angeles") == [None]


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2025-07-01T12:00:00", dt.datetime(2025, 7, 1, 19, tzinfo=UTC)),
        ("2025-01-01T12:00:00", dt.datetime(2025, 1, 1, 20, tzinfo=UTC)),
        ("2025-11-02T01:30:00", None),  # shown twice
        ("2025-03-09T02:30:00", None),  # never shown
        ("2025-11-02T01:30:00-07:00", dt.datetime(2025, 11, 2, 8, 30, tzinfo=UTC)),
    ],
)
def test_time_without_offset_is_the_property_s(text, utc):
    assert read(text, timezone="America/Los_Angeles") == [utc]


def test_time_without_offset_and_zone_is_unreadable():
    assert read("2025-01-01T12:00:00") == [None]


def test_forms_may_be_mixed_in_a_column():
    texts = ["2025-01-01T12:00:00Z", None, "", "2025-W01-3T12Z", "x"]
    assert read(*texts) == [NOON, None, None, NOON, None]


@given(
    moment=st.datetimes(timezones=st.just(UTC), min_value=_FIRST, max_value=_LAST),
    minutes=st.integers(-14 * 60, 14 * 60),
)
@settings(max_examples=60, deadline=None)
def test_isoformat_is_read_back(moment, minutes):
    local = moment.astimezone(dt.timezone(dt.timedelta(minutes=minutes)))
    basic = local.strftime("%Y%m%dT%H%M%S,%f%z")
    week = local.strftime("%G-W%V-%uT%H:%M:%S.%f%z")
    assert read(local.isoformat(), basic, week) == [moment] * 3


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-01-01", dt.date(2025, 1, 1)),
        (" 20250101 ", dt.date(2025, 1, 1)),
        ("2025-W01-3", dt.date(2025, 1, 1)),
        ("2025001", dt.date(2025, 1, 1)),
        ("2025-02-30", None),
        ("2025-01-01T00:00Z", None),
        ("1/2/2025", None),
        (None, None),
    ],
)
def test_dates(text, day):
    frame = pl.DataFrame({"text": [text]}, schema={"text": pl.String})
    assert frame.select(parse_iso8601_date(pl.col("text"))).item() == day
