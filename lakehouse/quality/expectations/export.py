"""Contracts as suites of Great Expectations 1.x, for others to run without this project.

Written without the library: a suite is JSON. What pandas and GX have no word for is named in
the suite's meta, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import dataframely as dy
import polars as pl

from lakehouse.contracts import PROVENANCE, Contract, contract, contracts
from lakehouse.quality.expectations.rules import Untranslated, translated
from lakehouse.quality.expectations.suites import LAYERS
from lakehouse.storage import stored_schema

FORMAT = "1.24.1"
"""The release whose JSON this is; any 1.x reads it."""
_DAY = "gaming_day"
Expectation = dict[str, Any]


def exportable() -> list[tuple[str, str]]:
    """Layer and name of every table with a suite: none that is restricted."""
    return [
        (layer, name)
        for layer in LAYERS
        for name, c in contracts("gold" if layer == "gold" else "source").items()
        if not c.is_restricted
    ]


def suite_of(layer: str, table: str) -> dict[str, Any]:
    """The suite of a stored table: bronze is kept as it came, so that of it only day and origin
    are asked for; of silver's tokens and bands whether they are there."""
    c = contract(table)
    rules, left = _rules(layer, c)
    return {
        "name": f"{layer}.{table}",
        "id": None,
        "expectations": [_columns(layer, table), *rules],
        "meta": {
            "great_expectations_version": FORMAT,
            "source": f"casino-lakehouse {version('casino-lakehouse')}, contract of {table}",
            "grain": c.grain,
            "notes": f"{c.description} Rows of one gaming day, or of many.",
            "not_translated": left,
        },
        "notes": None,
    }


def _columns(layer: str, table: str) -> Expectation:
    columns = list(stored_schema(layer, table))
    return _made(
        "columns", "expect_table_columns_to_match_set", column_set=columns, exact_match=True
    )


def _rules(layer: str, c: Contract) -> tuple[list[Expectation], dict[str, str]]:
    """The expectations, and of what became none, why."""
    if layer == "bronze":
        names = (_DAY, *PROVENANCE) if _DAY in c.columns else PROVENANCE
        return [_not_null(n) for n in names], {}
    hidden = {
        n for n in c.columns if layer == "silver" and c.metadata(n).get("protect") is not None
    }
    made = list(_domains(c, hidden))
    left: dict[str, str] = {}
    for name, rule in c.rules.items():
        if not name.endswith("|nullability") and hidden & set(rule.meta.root_names()):
            left[name] = "silver holds tokens and bands of this column"
            continue
        try:
            made.append(_rule(c, name, rule))
        except Untranslated as error:
            left[name] = str(error)
    return made, left


def _domains(c: Contract, hidden: set[str]) -> Iterator[Expectation]:
    for name, column in c.columns.items():
        if isinstance(column, dy.Enum) and name not in hidden:
            values = list(column.categories)
            yield _made(
                f"{name}|domain", "expect_column_values_to_be_in_set", column=name, value_set=values
            )


def _rule(c: Contract, name: str, rule: pl.Expr) -> Expectation:
    """Raises Untranslated, with the reason."""
    if name == "primary_key":
        return _unique(name, [_DAY] * (_DAY in c.columns and _DAY not in c.key) + c.key)
    column, of_column, kind = name.partition("|")
    if not of_column or kind == "nullability":
        expectation, kwargs = translated(rule)
        return _made(name, expectation, **kwargs)
    declared: Any = c.columns[column]
    between = "expect_column_values_to_be_between"
    if kind == "min":
        return _made(name, between, column=column, min_value=_number(declared.min))
    if kind == "max":
        return _made(name, between, column=column, max_value=_number(declared.max))
    if kind == "min_length":
        lengths = "expect_column_value_lengths_to_be_between"
        return _made(name, lengths, column=column, min_value=declared.min_length)
    if kind == "regex":
        matches = "expect_column_values_to_match_regex"
        return _made(name, matches, column=column, regex=declared.regex)
    raise Untranslated(_WHY.get(kind, "Great Expectations does not look into lists"))


_WHY = {
    "inf": "pandas tells an infinite number from none, and takes NaN for null",
    "nan": "pandas takes NaN for null",
}


def _number(value: Any) -> float | int:
    number = float(value)
    return int(number) if number.is_integer() else number


def _not_null(column: str) -> Expectation:
    return _made(f"{column}|nullability", "expect_column_values_to_not_be_null", column=column)


def _unique(name: str, key: list[str]) -> Expectation:
    if len(key) == 1:
        return _made(name, "expect_column_values_to_be_unique", column=key[0])
    return _made(name, "expect_compound_columns_to_be_unique", column_list=key)


def _made(rule: str, kind: str, **kwargs: Any) -> Expectation:
    return {"type": kind, "kwargs": kwargs, "meta": {"rule": rule}, "severity": "critical"}
