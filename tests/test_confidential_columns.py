"""Nothing of the restricted zone comes into a table that others see: not by reading it, not by
reckoning it again, and neither as a column nor as a value (31 U.S.C. 5318(g)(2))."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import polars as pl
import pytest
from mart_witnesses import D
from test_mart_windows import alone

from lakehouse.contracts import contract, contracts
from lakehouse.contracts.compliance.suspicion import ALERT_RULES, TYPOLOGIES
from lakehouse.gold.marts import gold, mart, marts, silver

ROOT = Path(__file__).parents[1]
OPEN = [n for n, m in marts().items() if not contract(n).is_restricted]
SUSPICION = "lakehouse.regulation.suspicion"
TELL_NOTHING = {
    # Whom and when, and how much: facts of the cage, and of any alert whatever it is of.
    *("player_id", "player_ids", "gaming_day", "amount", "due", "transaction_ids"),
    # The shape that all alerts have in common.
    *("alert_id", "rule", "entity_id", "family", "entity_type", "window_start", "window_end"),
    *("severity", "score", "evidence", "evidence_rows", "said", "suggested_action"),
}
"""Columns of cases and alerts that an open table may have too."""


def test_an_open_mart_cannot_read_the_zone() -> None:
    def property_day(alerts): ...
    def player_day(staff_observations): ...

    with pytest.raises(
        TypeError, match=r"property_day is open to all, and reads restricted \['alerts'\]"
    ):
        mart(gold("alerts"))(property_day)
    with pytest.raises(
        TypeError, match=r"player_day is open to all, and reads restricted \['staff_observations'\]"
    ):
        mart(silver("staff_observations"))(player_day)


def imports(source: str) -> set[str]:
    """Modules that a source names, each also by what is taken from it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
    return found


@cache
def sources() -> dict[str, str]:
    files = [f for room in ("gold", "detection") for f in (ROOT / "lakehouse" / room).rglob("*.py")]
    return {
        ".".join(f.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): f.read_text()
        for f in files
    }


def that_reckon_suspicion(modules: dict[str, str]) -> set[str]:
    """Those that reach the patterns, by themselves or through another one."""
    named = {m: imports(text) for m, text in modules.items()}
    found = {m for m, names in named.items() if any(n.startswith(SUSPICION) for n in names)}
    while more := {m for m, names in named.items() if names & found} - found:
        found |= more
    return found


def test_open_marts_and_rules_do_not_reckon_suspicion_themselves() -> None:
    reckoning = that_reckon_suspicion(sources())
    assert reckoning == {
        f"lakehouse.gold.compliance.{m}" for m in ("alerts", "patterns", "suspicion")
    }
    assert {n for n, m in marts().items() if m.function.__module__ in reckoning} == {
        "alerts",
        "sar_cases",
    }


@pytest.mark.parametrize(
    "line",
    [
        f"from {SUSPICION}.structuring import structuring",
        f"import {SUSPICION}.structuring as s",
        "from lakehouse.gold.compliance.patterns import patterns",
        "from lakehouse.gold.compliance import patterns",
    ],
)
def test_a_module_that_would_reckon_it_is_noticed(line: str) -> None:
    leaking = sources() | {"lakehouse.detection.rules.cash": f"def f():\n    {line}\n"}
    assert "lakehouse.detection.rules.cash" in that_reckon_suspicion(leaking)


def of_the_zone_alone() -> set[str]:
    return {c for t in ("sar_cases", "alerts") for c in contract(t).columns} - TELL_NOTHING


def test_columns_of_cases_are_in_no_open_table() -> None:
    assert {"case_id", "typology", "mandatory", "narrative", "detected_on"} <= of_the_zone_alone()
    for name, c in contracts().items():
        if not c.is_restricted:
            assert not c.columns.keys() & of_the_zone_alone(), name


@cache
def secrets() -> set[str]:
    """Words of suspicion, and what stands in cases and alerts of a day on which all patterns are
    found, but for whom they name and which rows they rest on."""
    found = {*TYPOLOGIES, *ALERT_RULES}
    for name, columns in {
        "sar_cases": ["case_id", "narrative"],
        "alerts": ["alert_id", "said", "suggested_action"],
    }.items():
        rows = alone(name, D)
        for column in columns:
            found.update(rows[column])
    return found


def texts(frame: pl.DataFrame) -> Iterator[pl.Series]:
    """All columns of text, in lists and structs too."""
    for column in frame.iter_columns():
        if isinstance(column.dtype, pl.List):
            yield from texts(column.explode().to_frame())
        elif isinstance(column.dtype, pl.Struct):
            yield from texts(column.struct.unnest())
        elif column.dtype == pl.String or isinstance(column.dtype, pl.Enum | pl.Categorical):
            yield column.cast(pl.String)


def tells(frame: pl.DataFrame) -> set[str]:
    hidden = pl.Series(sorted(secrets())).implode()
    return {s.name for s in texts(frame) if s.is_in(hidden).any()}


@pytest.mark.slow
@pytest.mark.parametrize("name", OPEN)
def test_what_stands_in_the_zone_stands_in_no_open_mart(name: str) -> None:
    assert tells(alone(name, D)) == set()


@pytest.mark.slow
@pytest.mark.parametrize("column", ["alert_id", "rule", "said", "suggested_action"])
def test_a_value_that_would_be_told_is_noticed(column: str) -> None:
    leaked = alone("alerts", D).select(pl.col(column).alias("note"))
    assert len(alone("alerts", D)["rule"].unique()) >= 4
    assert tells(leaked) == {"note"}
    assert tells(leaked.select(pl.concat_list("note").alias("notes"))) == {"notes"}
    assert tells(leaked.select(pl.struct("note").alias("row"))) == {"note"}
