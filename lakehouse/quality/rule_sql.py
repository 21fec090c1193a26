"""A contract's rules in DuckDB's SQL, so that whoever reads of a broken one can see the rows.

Translated from the expression that judges, node by node; a test compares both on rows that break
each rule. A node that is not known here makes no SQL, rather than another rule.
"""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl

Node = Any
"""A node of Polars' expression tree, as JSON."""

_OPERATORS = {
    "And": "AND",
    "Or": "OR",
    "Eq": "=",
    "NotEq": "<>",
    "Lt": "<",
    "LtEq": "<=",
    "Gt": ">",
    "GtEq": ">=",
    "Plus": "+",
    "Minus": "-",
    "Multiply": "*",
}
_ELEMENT = "entry"


class UntranslatedError(Exception):
    """A part of an expression that has no SQL here."""


def in_sql(rule: pl.Expr) -> str | None:
    """A condition that is true, or null, of the rows that keep the rule; null where it cannot
    be said in SQL."""
    try:
        return _sql(json.loads(rule.meta.serialize(format="json")))
    except UntranslatedError:
        return None


def failing(layer: str, table: str, day: dt.date, rules: Mapping[str, pl.Expr]) -> str | None:
    """A query of the rows of a day that break any of these rules."""
    kept = [in_sql(rule) for rule in rules.values()]
    if not kept or None in kept:
        return None
    broken = " OR ".join(f"({said}) IS FALSE" for said in kept)
    where = f"gaming_day = DATE '{day}'"
    # A key is judged among all rows of its day, before others are left out.
    is_windowed = " OVER (" in broken
    last = f"QUALIFY {broken}" if is_windowed else f"AND ({broken})"
    return f"SELECT * FROM {layer}.{table} WHERE {where} {last}"


def _sql(node: Node) -> str:
    if node == "Element":
        return _ELEMENT
    [(kind, said)] = node.items()
    if kind == "Column":
        return quoted(said)
    if kind == "Literal":
        return literal(pl.select(pl.Expr.deserialize(_file(node), format="json")).item())
    if kind == "BinaryExpr" and said["op"] in _OPERATORS:
        return f"({_sql(said['left'])} {_OPERATORS[said['op']]} {_sql(said['right'])})"
    if kind == "Ternary":
        parts = [_sql(said[name]) for name in ("predicate", "truthy", "falsy")]
        return "CASE WHEN {} THEN {} ELSE {} END".format(*parts)
    if kind == "Function":
        return _function(said["function"], said["input"])
    if kind == "Eval":
        return _every_entry(said)
    raise UntranslatedError(kind)


def _function(function: Node, given: list[Node]) -> str:
    if isinstance(function, str):
        raise UntranslatedError(function)
    [(family, name)] = function.items()
    option: Any = None
    if isinstance(name, dict):
        [(name, option)] = name.items()
    if name == "IsUnique":
        return _unique(given[0])
    arguments = [_sql(one) for one in given]
    made = _CALLS.get((family, name))
    if made is None:
        raise UntranslatedError(f"{family}.{name}")
    if name == "AllHorizontal":
        return f"({' AND '.join(arguments)})"
    return made.format(*arguments, option=quoted(str(option)))


_CALLS = {
    ("Boolean", "IsNull"): "({0} IS NULL)",
    ("Boolean", "IsNotNull"): "({0} IS NOT NULL)",
    ("Boolean", "IsNan"): "isnan({0})",
    ("Boolean", "IsInfinite"): "isinf({0})",
    ("Boolean", "Not"): "(NOT {0})",
    ("Boolean", "IsIn"): "({0} IN {1})",
    ("Boolean", "AllHorizontal"): "",
    ("ListExpr", "Length"): "len({0})",
    ("StringExpr", "LenBytes"): "strlen({0})",
    ("StringExpr", "StartsWith"): "starts_with({0}, {1})",
    ("StringExpr", "Contains"): "regexp_matches({0}, {1})",
    ("StructExpr", "FieldByName"): "{0}.{option}",
}


def _unique(key: Node) -> str:
    columns = ", ".join(_sql(column) for column in key["Function"]["input"])
    return f"(count(*) OVER (PARTITION BY {columns}) = 1)"


def _every_entry(said: Node) -> str:
    """`col.list.eval(condition).list.all()`: an empty list keeps it."""
    inner = said["expr"].get("Eval") if isinstance(said["expr"], dict) else None
    if said["variant"] != "ListAgg" or inner is None or inner["variant"] != "List":
        raise UntranslatedError(said["variant"])
    name = json.dumps(said["evaluation"])
    if '"All"' not in name:
        raise UntranslatedError(name)
    held = _sql(inner["expr"])
    broken = f"list_filter({held}, lambda {_ELEMENT}: ({_sql(inner['evaluation'])}) IS FALSE)"
    return f"(len({broken}) = 0)"


def _file(node: Node) -> io.StringIO:
    return io.StringIO(json.dumps(node))


def literal(value: Any) -> str:
    """A Python value in SQL."""
    if isinstance(value, pl.Series):
        value = value.to_list()
    if isinstance(value, list):
        return f"({', '.join(map(literal, value))})"
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, int | float | Decimal):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    raise UntranslatedError(type(value).__name__)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
