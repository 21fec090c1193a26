"""Law as dated data: periods, thresholds by day, business days."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from lakehouse.errors import BadInput, LawError
from lakehouse.regulation.business_days import federal_holidays, next_business_day
from lakehouse.regulation.law import load, parse, profiles
from lakehouse.regulation.tax import annual_dates

D = dt.date
RULE = """
[[rule]]
name = "w2g_slot"
effective_from = {first}
{last}
amount = {amount}
operator = ">="
citation = "a test"
"""


OTHER = RULE.format(first="2007-01-01", last="", amount=1).replace("w2g_slot", "hotel")


def toml(*periods: tuple[str, str | None, int]) -> str:
    return "".join(
        RULE.format(first=f, last=f"effective_to = {t}" if t else "", amount=a)
        for f, t, a in periods
    )


def test_each_day_has_its_own_threshold():
    law = parse("p", toml(("2007-01-01", "2025-12-31", 1200), ("2026-01-01", None, 2000)))
    assert law.on("w2g_slot", D(2025, 12, 31)).amount == 1200
    assert law.on("w2g_slot", D(2026, 1, 1)).amount == 2000


def test_expressions_follow_the_day_and_the_operator():
    law = parse("p", toml(("2007-01-01", "2025-12-31", 1200), ("2026-01-01", None, 2000)))
    rows = pl.DataFrame(
        {
            "day": [D(2025, 12, 31), D(2025, 12, 31), D(2026, 1, 1), D(2026, 1, 1), D(2006, 1, 1)],
            "usd": [Decimal(a) for a in ("1199.99", "1200.00", "1999.99", "2000.00", "9999.00")],
        }
    )
    found = rows.select(
        over=law.over("w2g_slot", pl.col("usd"), pl.col("day")),
        amount=law.dated("w2g_slot", lambda p: int(p.amount), pl.col("day")),
    )
    assert found["over"].to_list() == [False, True, False, True, False]
    assert found["amount"].to_list() == [1200, 1200, 2000, 2000, None]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (toml(("2007-01-01", None, 1), ("2026-01-01", None, 2)), "overlap at 2026-01-01"),
        (toml(("2007-01-01", "2026-01-01", 1), ("2026-01-01", None, 2)), "overlap"),
        (toml(("2007-01-01", "2025-12-30", 1), ("2026-01-01", None, 2)), "no period between"),
        (toml(("2007-01-01", None, 1)).replace(">=", "=>"), "operator '=>'; allowed"),
        (toml(("2007-01-01", None, 1)).replace("citation", "quotation"), "cannot be read"),
        ("[[rule]", "cannot be read"),
    ],
    ids=["overlap", "a day twice", "gap", "operator", "unknown word", "no TOML"],
)
def test_a_malformed_profile_is_an_error_at_load(text, says):
    with pytest.raises(LawError, match=says):
        parse("p", text)


def test_a_day_without_law_is_an_error_that_names_it():
    with pytest.raises(LawError, match="no 'w2g_slot' in force on 2006-12-31"):
        parse("p", toml(("2007-01-01", None, 1))).on("w2g_slot", D(2006, 12, 31))


@pytest.mark.parametrize("profile", profiles())
def test_every_profile_states_every_rule_with_its_citation(profile):
    law = load(profile)
    assert law.rules.keys() == load("us-federal").rules.keys()
    assert all(p.citation for periods in law.rules.values() for p in periods)


def test_a_profile_may_not_lack_a_rule_that_another_states(monkeypatch):
    read = {"us-federal": parse("us-federal", toml(("2007-01-01", None, 1)) + OTHER)}
    read["fabric-poc"] = parse("fabric-poc", toml(("2007-01-01", None, 1)))
    monkeypatch.setattr("lakehouse.regulation.law._read", read.__getitem__)
    assert set(load.__wrapped__("us-federal").rules) == {"w2g_slot", "hotel"}
    with pytest.raises(LawError, match="profile 'fabric-poc' lacks rules: hotel"):
        load.__wrapped__("fabric-poc")


def test_an_unknown_profile_is_bad_input():
    with pytest.raises(BadInput, match=r"unknown profile 'nevada'; known: fabric-poc, us-federal"):
        load("nevada")


def test_the_seed_counts_ten_thousand_and_the_law_does_not():
    day = D(2026, 11, 10)
    is_over = {n: load(n).over("ctr", pl.lit(Decimal("10000.00")), pl.lit(day)) for n in profiles()}
    assert pl.select(**is_over).row(0, named=True) == {"fabric-poc": True, "us-federal": False}
    assert load("fabric-poc").on("w2g_slot", day).amount == 1200


@pytest.mark.parametrize(
    ("holiday", "what"),
    [
        (D(2026, 1, 19), "Martin Luther King: third Monday of January"),
        (D(2026, 2, 16), "Washington: third Monday of February"),
        (D(2026, 5, 25), "Memorial Day: last Monday of May"),
        (D(2026, 6, 19), "Juneteenth"),
        (D(2026, 7, 3), "4 July 2026 is a Saturday"),
        (D(2026, 9, 7), "Labor Day"),
        (D(2026, 11, 26), "Thanksgiving: fourth Thursday"),
        (D(2021, 12, 31), "1 January 2022 is a Saturday"),
        (D(2023, 1, 2), "1 January 2023 is a Sunday"),
    ],
)
def test_federal_holidays_are_observed_on(holiday, what):
    assert holiday in federal_holidays(holiday.year), what


def test_juneteenth_begins_in_2021():
    assert D(2020, 6, 19) not in federal_holidays(2020)


@pytest.mark.parametrize(
    ("day", "moved"),
    [
        (D(2027, 1, 31), D(2027, 2, 1)),  # a Sunday
        (D(2027, 3, 31), D(2027, 3, 31)),  # a Wednesday
        (D(2022, 12, 31), D(2023, 1, 3)),  # Saturday, Sunday, New Year observed on Monday
    ],
)
def test_a_due_day_moves_to_the_next_business_day(day, moved):
    assert next_business_day(day) == moved


@pytest.mark.parametrize(
    ("rule", "year", "due"),
    [
        ("w2g_dates", 2026, (D(2027, 2, 1), D(2027, 3, 1), D(2027, 3, 31))),
        ("w2g_dates", 2023, (D(2024, 1, 31), D(2024, 2, 28), D(2024, 4, 1))),  # Easter Sunday
        ("form_1042s_dates", 2025, (D(2026, 3, 16),) * 3),  # 15 March 2026 is a Sunday
    ],
)
def test_annual_dates(rule, year, due):
    assert annual_dates(load("us-federal"), rule, [year]).row(0) == (year, *due)
