"""How a column may be read is found out once, and without trying forms that cannot read it."""

import datetime as dt
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from lakehouse.ingest.files.inference import forms
from lakehouse.ingest.files.inference.forms import (
    Habits,
    _lacks_marks,
    _ordered,
    day_form,
    moment_form,
    number_form,
)
from lakehouse.ingest.files.inference.looks import Look

MONEY = pl.Decimal(18, 2)
MOMENTS = [dt.datetime(2025, m, 3 * m, 2 * m, 5 * m, m, tzinfo=dt.UTC) for m in range(1, 11)]
CLOCKED = [f"{d}{s}{c}" for d in _ordered(Habits()) for s in (" ", "T") for c in forms._CLOCKS]


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The rules under which values were read."""
    found: list[Any] = []
    typed = forms.typed_column

    def noted(name: str, dtype: pl.DataType, rule: Any, zone: str | None) -> Any:
        found.append(rule)
        return typed(name, dtype, rule, zone)

    monkeypatch.setattr(forms, "typed_column", noted)
    return found


def test_a_column_is_read_once_for_all_tables_that_ask(tried: list[Any]) -> None:
    days = Look("Datum", pl.Series([m.strftime("%d.%m.%Y") for m in MOMENTS]))
    money = Look("Betrag", pl.Series([f"{n},50 pieces" for n in range(30)]))
    habits = Habits("de", has_comma=True)

    def asked() -> list[Any]:
        return [
            moment_form(days, habits),
            day_form(days, replace(habits, last_year=2025, times=2)),
            number_form(money, MONEY, habits, is_rate=False),
        ]

    first = asked()
    number = len(tried)
    assert number > 0
    assert asked() == first
    assert len(tried) == number
    assert day_form(days, replace(habits, language="en")) is not None
    assert len(tried) > number


def test_a_form_without_its_marks_is_not_tried(tried: list[Any]) -> None:
    days = Look("Date", pl.Series([m.strftime("%Y/%m/%d") for m in MOMENTS]))
    found = day_form(days, Habits())
    assert found is not None
    assert found.rule == {"format": "%Y/%m/%d"}
    assert {r.formats for r in tried if r.formats and "." in r.formats[0]} == set()


@pytest.mark.parametrize("form", [*_ordered(Habits()), *CLOCKED, *forms._JOINED])
def test_what_a_form_writes_has_its_marks(form: str) -> None:
    texts = pl.Series(MOMENTS).dt.strftime(form)
    assert not _lacks_marks(texts, form)
    assert not _lacks_marks(pl.concat([texts, pl.Series(["?"] * 4)]), form)
    has_any = any(mark in form for mark in "./-:T年,")
    assert _lacks_marks(pl.concat([texts, pl.Series([""] * 5)]), form) is has_any
