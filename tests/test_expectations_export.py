"""Exported suites, run by Great Expectations alone, say what the contracts say."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from test_dagster_flow import NOW, WEEK, settings_at

from benchmarks.instances import short_lived
from igaming_assets.running import run_days
from lakehouse.cli import run
from lakehouse.contracts import contract
from lakehouse.quality.conformance import _rules
from lakehouse.quality.expectations.export import exportable, suite_of
from lakehouse.quality.expectations.rules import Untranslated, translated
from lakehouse.storage import Lake

STOCK = Path(__file__).with_name("stock_expectations.py")
SELECT = "+key:gold/player_day"
TABLES = [("silver", "slot_telemetry"), ("silver", "table_games"), ("gold", "player_day")]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    settings = settings_at(tmp_path_factory.mktemp("exported"))

    with short_lived() as instance:
        run_days(settings, (WEEK[0], WEEK[0]), now=NOW, select=SELECT, instance=instance)
    return Lake.open(settings)


def changed(rows: pl.DataFrame, where: pl.Expr, **values: Any) -> pl.DataFrame:
    """Rows, the first of those `where` with other values."""
    numbered = rows.with_row_index("n")
    first = numbered.filter(where)["n"][0]
    return rows.with_columns(
        pl.when(pl.int_range(pl.len()) == first)
        .then(pl.lit(value, dtype=rows.schema[name]))
        .otherwise(name)
        .alias(name)
        for name, value in values.items()
    )


def damaged_slots(rows: pl.DataFrame) -> pl.DataFrame:
    played = pl.col("event_type") == "GAME_PLAY"
    paid = pl.col("event_type") == "BILL_IN"
    damaged = changed(rows, played, zone="Nowhere", theoretical_hold=Decimal("1.5"))
    damaged = changed(damaged, played & (pl.col("zone") != "Nowhere"), coin_in=None)
    damaged = changed(damaged, paid, amount=None, machine_id=None)
    return pl.concat([damaged, damaged.tail(1)])


def damaged_bets(rows: pl.DataFrame) -> pl.DataFrame:
    return changed(rows, pl.lit(value=True), min_bet=Decimal("900000"), max_bet=Decimal("5"))


@pytest.fixture(scope="module")
def told(lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """Rows, clean and damaged → rule → whether it held, by a process that knows nothing of this
    project."""
    folder = tmp_path_factory.mktemp("stock")
    clean = {f"{layer}.{table}": lake.scan(layer, table).collect() for layer, table in TABLES}
    slots, bets = "silver.slot_telemetry", "silver.table_games"
    cases = {table: (table, rows) for table, rows in clean.items()} | {
        "damaged slots": (slots, damaged_slots(clean[slots])),
        "damaged bets": (bets, damaged_bets(clean[bets])),
    }
    for table in clean:
        assert run(["expectations", "export", "--table", table, "--out", str(folder)]) == 0
    files = []
    for name, (table, rows) in cases.items():
        rows.write_parquet(folder / f"{name}.parquet")
        files += [folder / f"{table}.json", folder / f"{name}.parquet"]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    environment["GX_ANALYTICS_ENABLED"] = "false"
    done = subprocess.run(
        [sys.executable, STOCK, *files],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=environment,
    )
    found = json.loads(done.stdout)
    assert found["own"] == []
    return dict(zip(cases, found["rules"], strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(("layer", "table"), TABLES)
def test_clean_rows_hold_by_stock_gx(
    told: dict[str, dict[str, str]], layer: str, table: str
) -> None:
    rules = told[f"{layer}.{table}"]
    assert {name: said for name, said in rules.items() if said != "held"} == {}
    assert len(rules) > 20


@pytest.mark.slow
def test_a_damaged_copy_fails_where_it_was_damaged(told: dict[str, dict[str, str]]) -> None:
    rules = told["damaged slots"]
    assert {name for name, said in rules.items() if said != "held"} == {
        "zone|domain",
        "theoretical_hold|max",
        "play_has_its_wager",
        "money_event_has_its_amount",
        "machine_id|nullability",
        "primary_key",
    }
    assert "raised" not in rules.values()


@pytest.mark.slow
def test_two_columns_are_compared_by_stock_gx(told: dict[str, dict[str, str]]) -> None:
    rules = told["damaged bets"]
    assert {name for name, said in rules.items() if said != "held"} == {"bets_are_ordered"}


@pytest.mark.parametrize(("layer", "table"), exportable())
def test_every_rule_is_translated_or_named(layer: str, table: str) -> None:
    """And the suites are of the rules that judge stored rows, no others."""
    suite = suite_of(layer, table)
    made = {e["meta"]["rule"] for e in suite["expectations"]} - {"columns"}
    left = set(suite["meta"]["not_translated"])
    assert not made & left
    if layer != "bronze":
        judged = _rules(contract(table), protected=layer == "silver")
        assert set(judged) <= made | left
        assert made <= set(judged)


def test_no_restricted_table_is_exported() -> None:
    tables = {f"{layer}.{table}" for layer, table in exportable()}
    assert {"bronze.sar_filings", "silver.sar_filings"} & tables == set()
    assert {"bronze.slot_telemetry", "gold.player_value"} <= tables


A, B = pl.col("a"), pl.col("b")
WHERE = {"condition_parser": "pandas"}


@pytest.mark.parametrize(
    ("rule", "made"),
    [
        (
            (A != "X") | B.is_not_null(),
            ("expect_column_values_to_not_be_null", {"column": "b", "row_condition": "a == 'X'"}),
        ),
        (
            (A == "USD") | B.is_not_null(),
            ("expect_column_values_to_not_be_null", {"column": "b", "row_condition": "a != 'USD'"}),
        ),
        (
            ~A.is_in(["X", "Y"]) | B.is_not_null(),
            (
                "expect_column_values_to_not_be_null",
                {"column": "b", "row_condition": "a in ['X', 'Y']"},
            ),
        ),
        (
            ~A | (B == 0),
            (
                "expect_column_values_to_be_in_set",
                {"column": "b", "value_set": [0], "row_condition": "a == True"},
            ),
        ),
        (
            ~(A & B),
            (
                "expect_column_values_to_be_in_set",
                {"column": "b", "value_set": [False], "row_condition": "a == True"},
            ),
        ),
        (
            A != "SAR",
            ("expect_column_values_to_not_be_in_set", {"column": "a", "value_set": ["SAR"]}),
        ),
    ],
)
def test_forms_of_rules(rule: pl.Expr, made: tuple[str, dict[str, Any]]) -> None:
    kind, kwargs = translated(rule)
    expected = made[1] | (WHERE if "row_condition" in made[1] else {})
    assert (kind, kwargs) == (made[0], expected)


@pytest.mark.parametrize(
    "rule",
    [
        B + pl.col("c") == A,
        A.is_in([Decimal("0.01")]),
        (A <= B) & (pl.col("c") >= B),
        A.str.len_chars() > 3,
        (A > 5) | B.is_not_null(),
        A < B,
        dt.date(2025, 1, 1) == A,
    ],
)
def test_a_form_that_is_not_known_makes_none(rule: pl.Expr) -> None:
    with pytest.raises(Untranslated):
        translated(rule)


def test_what_is_unknown_or_closed_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path)]
    assert run(["expectations", "export", "--table", "silver.slots", *out]) == 2
    assert "unknown table 'silver.slots'" in capsys.readouterr().err
    assert run(["expectations", "export", "--table", "silver.sar_filings", *out]) == 2
    assert "silver.sar_filings has no suite" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
