"""Retention: how long a record stays, and that filings outlive an erasure."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.regulation import retention
from lakehouse.regulation.law import load, parse

LAW = load("us-federal")


def records(*rows: tuple) -> pl.LazyFrame:
    schema = {
        "record_id": pl.String,
        "record_type": pl.String,
        "player_id": pl.String,
        "filed_on": pl.Date,
    }
    return pl.LazyFrame(rows, schema=schema, orient="row")


@pytest.mark.parametrize(
    ("record_type", "filed_on", "until"),
    [
        ("CTR", dt.date(2026, 11, 20), dt.date(2031, 11, 20)),  # 31 CFR 1010.430(d): five years
        ("SAR", dt.date(2025, 1, 31), dt.date(2030, 1, 31)),  # 31 CFR 1021.320(d)
        ("8300", dt.date(2025, 6, 30), dt.date(2030, 6, 30)),
        ("INSTRUMENT_LOG", dt.date(2025, 3, 1), dt.date(2030, 3, 1)),
        ("W2G", dt.date(2026, 1, 31), dt.date(2030, 1, 31)),  # four years for a return
        ("CTR", dt.date(2024, 2, 29), dt.date(2029, 2, 28)),  # five whole years end there
        ("CTR", None, None),
        ("OTHER", dt.date(2025, 1, 1), None),
    ],
)
def test_a_record_is_kept_as_long_as_its_rule_says(record_type, filed_on, until) -> None:
    kept = retention.retain_until(records(("R", record_type, "P1", filed_on)), LAW).collect()
    assert kept["retain_until"].to_list() == [until]


def test_the_years_are_those_in_force_when_the_record_was_filed() -> None:
    law = parse(
        "test",
        """
        [[rule]]
        name = "ctr"
        effective_from = 2020-01-01
        effective_to = 2025-06-30
        retain_years = 5
        citation = "old"
        [[rule]]
        name = "ctr"
        effective_from = 2025-07-01
        retain_years = 7
        citation = "new"
        """,
    )
    rows = records(
        ("A", "CTR", "P1", dt.date(2025, 6, 30)), ("B", "CTR", "P1", dt.date(2025, 7, 1))
    )
    kept = retention.retain_until(rows, law).collect()
    assert kept["retain_until"].to_list() == [dt.date(2030, 6, 30), dt.date(2032, 7, 1)]


@given(st.dates(dt.date(2010, 1, 1), dt.date(2040, 12, 31)))
@settings(max_examples=50, deadline=None)
def test_five_years_are_never_cut_short(filed_on) -> None:
    until = retention.retain_until(records(("R", "CTR", "P1", filed_on)), LAW).collect()
    days = (until["retain_until"].item() - filed_on).days
    assert days in (1825, 1826, 1827)
