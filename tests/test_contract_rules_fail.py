"""Every rule of every contract is broken by a row that is made from the contract."""

import datetime as dt

import polars as pl
import pytest
import small_lake

from benchmarks.mutations.rows import (
    RELATIONS,
    breaking,
    framed,
    may_break_too,
    sound_row,
)
from lakehouse.errors import LakehouseError
from lakehouse.quality.conformance import broken_rules, stored_rules
from lakehouse.quality.contract_checks import judged_tables
from lakehouse.storage import Lake
from lakehouse.storage.shapes import partition_columns

FIRST = dt.date(2025, 1, 1)
DAY = "gaming_day|nullability"
"""Storage refuses a row without its day: no stored row can break it."""
TABLES = list(judged_tables())


@pytest.mark.parametrize(("layer", "table"), TABLES)
def test_each_rule_is_broken_by_its_row_alone(layer: str, table: str) -> None:
    """A day for each rule, and a first day with rows that keep them all. Beside the rule a row
    breaks none but those on the same columns."""
    rules = [rule for rule in stored_rules(layer, table) if rule != DAY]
    rows = [sound_row(layer, table, FIRST)]
    for n, rule in enumerate(rules, start=1):
        sound = sound_row(layer, table, FIRST + dt.timedelta(n))
        rows += breaking(layer, table, rule, sound)
    found = broken_rules(layer, table, framed(layer, table, rows).lazy())
    by_day = dict(found.group_by("gaming_day").agg("rule").iter_rows())
    assert FIRST not in by_day
    for n, rule in enumerate(rules, start=1):
        broken = set(by_day.get(FIRST + dt.timedelta(n), []))
        assert rule in broken, f"nothing breaks {rule}"
        beside = broken - {rule}
        assert beside <= may_break_too(layer, table, rule)
        assert rule not in RELATIONS or not beside


@pytest.mark.parametrize(("layer", "table"), [("silver", "financial_txn"), ("gold", "player_day")])
def test_a_rule_is_found_where_all_others_are_kept(layer: str, table: str) -> None:
    for rule in stored_rules(layer, table):
        if rule != DAY:
            rows = breaking(layer, table, rule, sound_row(layer, table, FIRST))
            found = broken_rules(layer, table, framed(layer, table, rows).lazy())
            assert rule in found["rule"].to_list()


def test_the_same_key_on_two_days_is_two_rows() -> None:
    table = "silver", "financial_txn"
    days = [FIRST, FIRST + dt.timedelta(1)]
    rows = [sound_row(*table, FIRST) | {"gaming_day": day} for day in days]
    assert broken_rules(*table, framed(*table, rows).lazy()).is_empty()
    twice = broken_rules(*table, framed(*table, [*rows, rows[1]]).lazy())
    assert twice.rows() == [(days[1], "primary_key", 2)]


def test_each_relation_is_a_rule() -> None:
    rules = {rule for layer, table in TABLES for rule in stored_rules(layer, table)}
    assert set(RELATIONS) <= rules


@pytest.mark.parametrize(("layer", "table"), [t for t in TABLES if partition_columns(*t)])
def test_no_row_is_stored_without_its_day(tmp_path, layer: str, table: str) -> None:
    row = sound_row(layer, table, FIRST) | {"gaming_day": None}
    lake = Lake(str(tmp_path / "lake"))
    with pytest.raises(LakehouseError):
        lake.write_days(
            layer, table, framed(layer, table, [row]), (FIRST, FIRST), commit=small_lake.COMMIT
        )
    assert lake.scan(layer, table).select(pl.len()).collect().item() == 0
