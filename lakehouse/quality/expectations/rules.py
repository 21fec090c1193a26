"""Rules on rows as expectations: read from the expression that judges, so that both are one.

An expectation looks at one column or compares two; a rule of the form "where this, that" becomes
one under a row condition of pandas. A form that is not known here makes none, rather than
another rule.
"""

from __future__ import annotations

import io
import json
from typing import Any

import polars as pl

Node = Any
"""A node of Polars' expression tree, as JSON."""
Made = tuple[str, dict[str, Any]]
"""Type and arguments of an expectation."""

_SUMS = "it sums columns of money, which Great Expectations has no expectation for"


class Untranslated(Exception):  # noqa: N818 - it says what a rule is, not what went wrong
    """A rule that has no expectation, and why."""


def translated(rule: pl.Expr) -> Made:
    """The expectation that fails where the rule does. Raises Untranslated."""
    match json.loads(rule.meta.serialize(format="json")):
        case {"BinaryExpr": {"left": given, "op": "Or", "right": then}}:
            condition = _where_not(given)
            kind, kwargs = _consequence(then)
            return kind, {**kwargs, "row_condition": condition, "condition_parser": "pandas"}
        case {
            "Function": {
                "input": [{"BinaryExpr": {"left": {"Column": one}, "op": "And", "right": other}}],
                "function": {"Boolean": "Not"},
            }
        }:
            return "expect_column_values_to_be_in_set", {
                "column": _column(other),
                "value_set": [False],
                "row_condition": f"{one} == True",
                "condition_parser": "pandas",
            }
        case node:
            return _consequence(node)


def _consequence(node: Node) -> Made:
    match node:
        case {"Function": {"input": [{"Column": column}], "function": {"Boolean": "IsNotNull"}}}:
            return "expect_column_values_to_not_be_null", {"column": column}
        case {"Column": column}:
            return "expect_column_values_to_be_in_set", {"column": column, "value_set": [True]}
        case {"BinaryExpr": {"left": {"Column": low}, "op": "LtEq", "right": {"Column": high}}} | {
            "BinaryExpr": {"left": {"Column": high}, "op": "GtEq", "right": {"Column": low}}
        }:
            return "expect_column_pair_values_a_to_be_greater_than_b", {
                "column_A": high,
                "column_B": low,
                "or_equal": True,
                "ignore_row_if": "either_value_is_missing",
            }
        case {"BinaryExpr": {"left": {"Column": column}, "op": ("Eq" | "NotEq") as op} as said}:
            is_not = "not_" if op == "NotEq" else ""
            values = {"column": column, "value_set": [_plain(said["right"])]}
            return f"expect_column_values_to_{is_not}be_in_set", values
        case {"Function": {"input": [_, {"Literal": _}], "function": {"Boolean": {"IsIn": _}}}}:
            raise Untranslated("its set is of decimals, which JSON has none of")
    raise Untranslated("it is about more than a column, or two that are compared")


def _where_not(node: Node) -> str:
    """Pandas' condition of the rows on which the rule is to be looked at: where this does not
    hold."""
    match node:
        case {"BinaryExpr": {"left": {"Column": column}, "op": ("Eq" | "NotEq") as op} as said}:
            other = "!=" if op == "Eq" else "=="
            return f"{column} {other} {_plain(said['right'])!r}"
        case {"Function": {"input": [inner], "function": {"Boolean": "Not"}}}:
            return _where(inner)
        case {
            "Function": {
                "input": [{"Column": column}, beginning],
                "function": {"StringExpr": "StartsWith"},
            }
        }:
            return f"not {column}.str.startswith({_plain(beginning)!r})"
    raise Untranslated("its condition has no row condition of pandas")


def _where(node: Node) -> str:
    match node:
        case {"Column": column}:
            return f"{column} == True"
        case {"BinaryExpr": {"left": {"Column": column}, "op": "Eq", "right": value}}:
            return f"{column} == {_plain(value)!r}"
        case {
            "Function": {
                "input": [{"Column": column}, values],
                "function": {"Boolean": {"IsIn": _}},
            }
        }:
            return f"{column} in {_plain(values)!r}"
    raise Untranslated("its condition has no row condition of pandas")


def _column(node: Node) -> str:
    match node:
        case {"Column": name}:
            return str(name)
    raise Untranslated("it is about more than a column, or two that are compared")


def _plain(node: Node) -> Any:
    """A literal that JSON has. Raises Untranslated for any other, and for what is none."""
    if "Literal" not in node:
        raise Untranslated(_SUMS)
    value = pl.select(pl.Expr.deserialize(io.StringIO(json.dumps(node)), format="json")).item()
    plain = value.to_list() if isinstance(value, pl.Series) else value
    if all(
        isinstance(v, str | bool | int) for v in (plain if isinstance(plain, list) else [plain])
    ):
        return plain
    raise Untranslated("its set is of decimals, which JSON has none of")
