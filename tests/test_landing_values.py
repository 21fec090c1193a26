"""Text to the types of bronze: what is read, and why the rest is not."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from lakehouse.contracts import contract
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.mapping import ColumnMapping, Mapping
from lakehouse.ingest.files.plain_values import plain_form
from lakehouse.ingest.files.row_typing import judge
from lakehouse.ingest.files.rows import DAMAGED_SCHEMA, LINE, Piece
from lakehouse.ingest.files.values import typed_column

MONEY = pl.Decimal(18, 2)
RATE = pl.Decimal(9, 4)
MOMENT = pl.Datetime("us", "UTC")
ZONE = "America/Los_Angeles"
US = {"format": "%m/%d/%Y %I:%M:%S %p", "timezone": ZONE}


def read(text: str | None, dtype: pl.DataType, timezone: str | None = None, **rule: object):
    column = pl.Series("c", [text], pl.String)
    typed = typed_column(column, dtype, ColumnMapping(**rule), timezone)
    assert typed is not None
    return typed.values.item(), typed.broken.item()


@pytest.mark.parametrize(
    ("text", "dtype", "rule", "value"),
    [
        ("10000.01", MONEY, {}, Decimal("10000.01")),
        ("-3", MONEY, {}, Decimal("-3.00")),
        ("5.", MONEY, {}, Decimal("5.00")),
        (".5", MONEY, {}, Decimal("0.50")),
        (" 7.10 ", MONEY, {}, Decimal("7.10")),
        ("2.500", MONEY, {}, Decimal("2.50")),  # a third decimal that says nothing
        ("$1,234.50", MONEY, {}, Decimal("1234.50")),
        ("(20.00)", MONEY, {}, Decimal("-20.00")),
        ("9999999999999999.99", MONEY, {}, Decimal("9999999999999999.99")),
        ("12345", MONEY, {"unit": "cents"}, Decimal("123.45")),
        ("5", MONEY, {"unit": "cents"}, Decimal("0.05")),
        ("-7", MONEY, {"unit": "cents"}, Decimal("-0.07")),
        ("120.00", MONEY, {"unit": "cents"}, Decimal("1.20")),
        ("1.234,50", MONEY, {"decimal_comma": True}, Decimal("1234.50")),
        ("0.0985", RATE, {}, Decimal("0.0985")),
        ("42", pl.Int64(), {}, 42),
        ("42.0", pl.Int64(), {}, 42),
        ("+1,200", pl.Int64(), {}, 1200),
        ("YES", pl.Boolean(), {}, True),
        ("0", pl.Boolean(), {}, False),
        ("2025-01-31", pl.Date(), {}, dt.date(2025, 1, 31)),
        ("2025-01-31T00:00:00.000000", pl.Date(), {}, dt.date(2025, 1, 31)),
        ("01/31/2025", pl.Date(), {"format": "%m/%d/%Y"}, dt.date(2025, 1, 31)),
        ("2025-01-05T12:00:00-08:00", MOMENT, {}, dt.datetime(2025, 1, 5, 20, tzinfo=dt.UTC)),
        ("2025-01-05T20:00:00.000000+0000", MOMENT, {}, dt.datetime(2025, 1, 5, 20, tzinfo=dt.UTC)),
        (
            "2025-01-05 12:00:00",
            MOMENT,
            {"timezone": ZONE},
            dt.datetime(2025, 1, 5, 20, tzinfo=dt.UTC),
        ),
        ("01/05/2025 12:00:00 PM", MOMENT, US, dt.datetime(2025, 1, 5, 20, tzinfo=dt.UTC)),
        ("07/05/2025 12:00:00 PM", MOMENT, US, dt.datetime(2025, 7, 5, 19, tzinfo=dt.UTC)),
        # 2025-11-02 01:30 is shown twice, at 08:30 and 09:30 UTC.
        (
            "11/02/2025 01:30:00 AM",
            MOMENT,
            {**US, "ambiguous": "earlier"},
            dt.datetime(2025, 11, 2, 8, 30, tzinfo=dt.UTC),
        ),
        (
            "11/02/2025 01:30:00 AM",
            MOMENT,
            {**US, "ambiguous": "later"},
            dt.datetime(2025, 11, 2, 9, 30, tzinfo=dt.UTC),
        ),
    ],
)
def test_a_value_is_read_exactly(
    text: str, dtype: pl.DataType, rule: dict[str, str], value: object
) -> None:
    assert read(text, dtype, **rule) == (value, None)


@pytest.mark.parametrize(
    ("text", "dtype", "rule", "why"),
    [
        ("10.005", MONEY, {}, "c|more_than_two_decimals"),
        ("0.35000000000000003", MONEY, {}, "c|more_than_two_decimals"),
        ("12345.5", MONEY, {"unit": "cents"}, "c|more_than_two_decimals"),
        ("0.09855", RATE, {}, "c|more_than_four_decimals"),
        ("ten", MONEY, {}, "c|not_a_number"),
        ("1e3", MONEY, {}, "c|not_a_number"),
        ("NaN", MONEY, {}, "c|not_a_number"),
        ("1,23", MONEY, {}, "c|not_a_number"),
        ("99999999999999999.00", MONEY, {}, "c|too_large"),
        ("1.5", pl.Int64(), {}, "c|not_a_whole_number"),
        ("9223372036854775808", pl.Int64(), {}, "c|too_large"),
        ("maybe", pl.Boolean(), {}, "c|not_true_or_false"),
        ("2025-02-30", pl.Date(), {}, "c|unreadable"),
        ("01/31/2025", pl.Date(), {}, "c|unreadable"),
        ("0001-01-01", pl.Date(), {}, "c|unreadable"),
        ("yesterday", MOMENT, {}, "c|unreadable"),
        ("2025-13-05T12:00:00Z", MOMENT, {}, "c|unreadable"),
        ("2025-01-05T12:00:00", MOMENT, {}, "c|no_offset_and_no_timezone"),
        ("11/02/2025 01:30:00 AM", MOMENT, US, "c|shown_twice_by_the_clock"),
        ("03/09/2025 02:30:00 AM", MOMENT, US, "c|skipped_by_the_clock"),
        ("13/31/2025 02:30:00 AM", MOMENT, US, "c|unreadable"),
    ],
)
def test_a_value_that_cannot_be_typed_says_why(
    text: str, dtype: pl.DataType, rule: dict[str, str], why: str
) -> None:
    assert read(text, dtype, **rule) == (None, why)


@pytest.mark.parametrize(
    ("text", "with_comma", "with_dot"),
    [
        ("12.50", None, "12.50"),
        ("12,50", "12.50", None),
        ("1.234,50", "1234.50", None),
        ("1,234.50", None, "1234.50"),
        ("$1,234.50", None, "1234.50"),
        ("$1.234,50", "1234.50", None),
        ("1.234", "1234.00", None),  # with a dot: a third decimal
        ("1,234", None, "1234.00"),
        ("0.123", None, None),
        ("0,123", None, None),
        ("-1.234.567,8", "-1234567.80", None),
        ("-1,234,567.8", None, "-1234567.80"),
        ("(1.234,50)", "-1234.50", None),
        ("(1,234.50)", None, "-1234.50"),
        ("1.2.3,5", None, None),
        ("1,2,3.5", None, None),
        ("1234.567,00", None, None),
        ("12.34,50", None, None),
        ("1.234.50", None, None),
        ("1.2345,00", None, None),
        (".234,50", None, None),
        ("1.234,50,00", None, None),
        ("1..234,00", None, None),
        ("5,", "5.00", None),
        (",5", "0.50", None),
        ("5.", None, "5.00"),
        (".5", None, "0.50"),
        ("1 234,50", None, None),
        ("1'234.50", None, None),
        ("+3", "3.00", "3.00"),
        ("1234567", "1234567.00", "1234567.00"),
    ],
)
def test_separators_stand_where_they_can_or_there_is_no_number(
    text: str, with_comma: str | None, with_dot: str | None
) -> None:
    for decimal_comma, wanted in ((True, with_comma), (False, with_dot)):
        value, why = read(text, MONEY, decimal_comma=decimal_comma)
        assert value == (None if wanted is None else Decimal(wanted)), decimal_comma
        assert (why is None) == (wanted is not None)


def test_whole_numbers_and_rates_keep_to_the_same_convention() -> None:
    assert read("1.200", pl.Int64(), decimal_comma=True) == (1200, None)
    assert read("12.00", pl.Int64(), decimal_comma=True) == (None, "c|not_a_whole_number")
    assert read("0,0985", RATE, decimal_comma=True) == (Decimal("0.0985"), None)
    assert read("12.50", pl.Float64(), decimal_comma=True) == (None, "c|not_a_number")
    assert read("1.234,00", MONEY, decimal_comma=True, unit="cents") == (Decimal("12.34"), None)


@pytest.mark.parametrize("dtype", [MONEY, RATE, MOMENT, pl.Date(), pl.Boolean(), pl.Int64()])
@pytest.mark.parametrize("text", [None, "", "  "])
def test_nothing_is_nothing_and_breaks_no_rule(text: str | None, dtype: pl.DataType) -> None:
    assert read(text, dtype) == (None, None)


PLAIN = [
    (MONEY, ["0.01", "-12.5", "9999999999999999.99", "-0.0", None]),
    (RATE, ["0.0985", "1", None]),
    (pl.Int64(), ["0", "-9", "123456789"]),
    (pl.Boolean(), ["true", "false", None]),
    (pl.Date(), ["2025-01-31", "1950-12-01"]),
    (MOMENT, ["2025-01-05T12:00:00Z", "2025-01-05T20:00:59Z"]),
    (MOMENT, ["2025-01-05 20:00:00.123+00:00", None]),
    (MOMENT, ["2025-01-05T20:00:00.000001+0000", "2024-02-29T20:00:00.999999+0000"]),
]
OTHER = [
    (MONEY, "1.005"),
    (MONEY, "1e3"),
    (MONEY, "99999999999999999.00"),
    (MONEY, "$1.50"),
    (MONEY, "5."),
    (pl.Int64(), "1.0"),
    (pl.Int64(), "99999999999999999999"),
    (pl.Boolean(), "True"),
    (pl.Date(), "2025-02-30"),
    (pl.Date(), "2025-2-3"),
    (pl.Date(), "1492-10-12"),
    (MOMENT, "2025-01-05T12:00:00"),
    (MOMENT, "2025-01-05T12:00:00-08:00"),
    (MOMENT, "2025-01-05T12:00:00.5Z"),
    (MOMENT, "2025-1-5T12:00:00Z"),
    (MOMENT, "2025-02-29T12:00:00Z"),
    (MOMENT, "2016-12-31T23:59:60Z"),
    (MOMENT, "1492-10-12T12:00:00Z"),
]


def plainly(texts: list[str | None], dtype: pl.DataType) -> list[tuple[object, object]]:
    """The values, and whether each has the plain form."""
    column = pl.Series("c", texts, dtype=pl.String)
    plain = plain_form(column, dtype, ColumnMapping())
    if plain is None:
        return [(None, False)] * len(texts)
    found = column.to_frame().select(v=plain.value, u=plain.usual)
    assert found.schema["v"] == dtype
    return found.rows()


@pytest.mark.parametrize(("dtype", "texts"), PLAIN)
def test_the_cheap_reading_agrees_with_the_careful_one(
    dtype: pl.DataType, texts: list[str | None]
) -> None:
    values = [value for value, _ in plainly(texts, dtype)]
    assert values == [read(t, dtype)[0] for t in texts]
    assert all(usual for (_, usual), text in zip(plainly(texts, dtype), texts, strict=True) if text)


@pytest.mark.parametrize(("dtype", "text"), OTHER)
def test_the_cheap_reading_leaves_every_other_form_alone(dtype: pl.DataType, text: str) -> None:
    ((value, usual),) = plainly([text], dtype)
    assert value is None or not usual


def test_one_odd_value_is_read_with_care_and_the_others_stay() -> None:
    texts = {
        "transaction_id": ["t1", "t2", "t3", "t4"],
        "transaction_timestamp": [
            "2025-01-05T12:00:00Z",
            "2025-01-05T12:00:00-08:00",
            "soon",
            "2025-01-05T13:00:00Z",
        ],
        "amount": ["1.00", "$1,234.50", "2.00", "1.005"],
    }
    frame = pl.DataFrame(texts).with_row_index(LINE, offset=2).cast({LINE: pl.Int64})
    piece = Piece(frame, DAMAGED_SCHEMA.to_frame(), lambda at: [f"raw {i}" for i in at])
    as_of = dt.datetime(2025, 2, 1, tzinfo=dt.UTC)
    origin = Origin(contract("financial_txn"), Mapping(), "a.csv", as_of.date(), as_of, ZONE)
    found = judge(piece, origin)
    assert found.good.select("transaction_id", "transaction_timestamp", "amount").rows() == [
        ("t1", dt.datetime(2025, 1, 5, 12, tzinfo=dt.UTC), Decimal("1.00")),
        ("t2", dt.datetime(2025, 1, 5, 20, tzinfo=dt.UTC), Decimal("1234.50")),
    ]
    assert found.bad.select(LINE, "_rules", "_raw").rows() == [
        (4, ["transaction_timestamp|unreadable"], "raw 2"),
        (5, ["amount|more_than_two_decimals"], "raw 3"),
    ]


@pytest.mark.parametrize(
    ("text", "rule", "wanted"),
    [
        ("12.50-", {}, "-12.50"),
        ("1,234.50-", {}, "-1234.50"),
        ("\N{MINUS SIGN}3", {}, "-3.00"),
        ("-$5", {}, "-5.00"),
        ("$-5", {}, "-5.00"),
        ("($5.00)", {}, "-5.00"),
        ("USD 5", {}, "5.00"),
        ("5.00 USD", {}, "5.00"),
        ("US$5", {}, "5.00"),
        ("5.00-USD", {}, None),  # a minus, or a dash
        ("-5-", {}, None),
        ("(5-)", {}, None),
        ("--5", {}, None),
        ("-", {}, None),
        ("$", {}, None),
        ("€ 5", {}, None),  # not of this currency
        ("€ 5", {"currency": "EUR"}, "5.00"),
        ("1.234,50 €", {"currency": "EUR", "decimal_comma": True}, "1234.50"),
        ("5 EUR", {"currency": "EUR"}, "5.00"),
        ("$5", {"currency": "EUR"}, None),
        ("R$ 5", {"currency": "BRL"}, "5.00"),
        ("5 PEN", {"currency": "PEN"}, "5.00"),
        ("1.5E3", {}, None),
        ("1.5E3", {"scientific": True}, "1500.00"),
        ("-1,5e+03", {"scientific": True, "decimal_comma": True}, "-1500.00"),
        ("2.5e-1", {"scientific": True}, "0.25"),
        ("1E-3", {"scientific": True}, None),  # a third decimal
        ("1E-30", {"scientific": True}, None),
        ("0E0", {"scientific": True}, "0.00"),
        ("1E99", {"scientific": True}, None),
        ("0.35000000000000003", {"round": "noise"}, "0.35"),
        ("12.499999999999998", {"round": "noise"}, "12.50"),
        ("-12.499999999999998", {"round": "noise"}, "-12.50"),
        ("12.345", {"round": "noise"}, None),
        ("12.345", {"round": "half_up"}, "12.35"),
        ("-12.345", {"round": "half_up"}, "-12.35"),
        ("12.3449999999999999999999", {"round": "half_up"}, "12.34"),
        ("12.5", {"round": "half_up"}, "12.50"),
        ("12345.5", {"unit": "cents", "round": "half_up"}, "123.46"),
        ("-.5", {"unit": "cents", "round": "half_up"}, "-0.01"),
        ("99999999999999999.999", {"round": "half_up"}, None),
    ],
)
def test_money_is_read_in_the_forms_that_exports_have(
    text: str, rule: dict[str, object], wanted: str | None
) -> None:
    value, why = read(text, MONEY, **rule)
    assert value == (None if wanted is None else Decimal(wanted))
    assert (why is None) == (wanted is not None)


def at(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("text", "rule", "wanted"),
    [
        ("1736107200", {"format": "epoch_s"}, at(2025, 1, 5, 20)),
        ("1736107200.25", {"format": "epoch_s"}, at(2025, 1, 5, 20, 0, 0, 250_000)),
        ("1736107200123", {"format": "epoch_ms"}, at(2025, 1, 5, 20, 0, 0, 123_000)),
        ("1736107200123456", {"format": "epoch_us"}, at(2025, 1, 5, 20, 0, 0, 123_456)),
        ("-86400", {"format": "epoch_s"}, at(1969, 12, 31)),
        ("1736107200123", {"format": "epoch_s"}, "unreadable"),  # the year 56985
        ("1736107200", {"format": "epoch_us"}, at(1970, 1, 1, 0, 28, 56, 107_200)),
        ("1736107200", {"format": ["iso", "epoch"]}, at(2025, 1, 5, 20)),
        ("1736107200.5", {"format": "epoch"}, at(2025, 1, 5, 20, 0, 0, 500_000)),
        ("1736107200123", {"format": ["iso", "epoch"]}, at(2025, 1, 5, 20, 0, 0, 123_000)),
        ("1736107200123456", {"format": "epoch"}, at(2025, 1, 5, 20, 0, 0, 123_456)),
        ("20250105", {"format": "epoch"}, "unreadable"),  # a day, and no August of 1970
        ("1e9", {"format": "epoch"}, "unreadable"),
        ("soon", {"format": "epoch_s"}, "unreadable"),
        ("9" * 40, {"format": "epoch_s"}, "unreadable"),
        ("2025-01-05T20:00:00Z", {"format": ["iso", "epoch_s"]}, at(2025, 1, 5, 20)),
        ("1736107200", {"format": ["iso", "epoch_s"]}, at(2025, 1, 5, 20)),
        ("13.02.2025 04:00", {"format": ["%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M"]}, at(2025, 2, 13, 12)),
        ("02/13/2025 04:00", {"format": ["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"]}, at(2025, 2, 13, 12)),
        ("02/03/2025 04:00", {"format": ["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"]}, "read_in_two_ways"),
        ("02/02/2025 04:00", {"format": ["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"]}, at(2025, 2, 2, 12)),
        ("x", {"format": ["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"]}, "unreadable"),
        ("2025-03-09 02:30:00", {"format": ["iso", "%d.%m.%Y"]}, "skipped_by_the_clock"),
        # 02:30 on 9 March 2025 is on no clock; one that was not set shows it at 10:30 UTC.
        ("2025-03-09 02:30:00", {"skipped": "shift"}, at(2025, 3, 9, 10, 30)),
        ("2025-03-09 03:30:00", {"skipped": "shift"}, at(2025, 3, 9, 10, 30)),
        ("2025-11-02 01:30:00", {"skipped": "shift"}, "shown_twice_by_the_clock"),
    ],
)
def test_a_moment_is_read_in_the_forms_that_exports_have(
    text: str, rule: dict[str, object], wanted: dt.datetime | str
) -> None:
    value, why = read(text, MOMENT, timezone=ZONE, **rule)
    assert (value, why) == ((None, f"c|{wanted}") if isinstance(wanted, str) else (wanted, None))


def test_a_day_is_read_in_several_forms() -> None:
    forms = {"format": ["%d.%m.%Y", "iso"]}
    assert read("05.01.2025", pl.Date(), **forms) == (dt.date(2025, 1, 5), None)
    assert read("2025-01-05", pl.Date(), **forms) == (dt.date(2025, 1, 5), None)
    assert read("01/05/2025", pl.Date(), **forms) == (None, "c|unreadable")
    rule = {"format": ["%d.%m.%Y", "%Y%m%d"], "date_only": True}
    for text in ("05.01.2025", "20250105"):
        assert read(text, MOMENT, timezone=ZONE, **rule) == (at(2025, 1, 5, 14), None)
