"""What the parts of an expression are called, and how it compares."""

from __future__ import annotations

import ast
from collections.abc import Callable

import polars as pl

from lakehouse.ingest.files.vocabulary import Kind

SAID: dict[type[ast.AST], str] = {
    ast.Pow: "**",
    ast.Mod: "%",
    ast.FloorDiv: "//",
    ast.MatMult: "@",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.Subscript: "[ ]",
    ast.Lambda: "lambda",
    ast.Dict: "{ }",
    ast.Set: "{ }",
    ast.List: "a list",
    ast.Tuple: "a list",
    ast.JoinedStr: 'f"…"',
    ast.NamedExpr: ":=",
    ast.Starred: "*",
}
ALLOWED = (
    "allowed are columns, numbers, texts, True, False, None, + - * /, == != < <= > >=, "
    "in (…), is None, and, or, not, … if … else …, and functions"
)
NAMES: dict[Kind, str] = {
    "field": "a column",
    "number": "a number",
    "text": "a text",
    "day": "a day",
    "moment": "a moment",
    "flag": "a condition",
    "nothing": "None",
}
ORDER: dict[type[ast.cmpop], Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    ast.Eq: lambda a, b: a == b,
    ast.NotEq: lambda a, b: a != b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
}


TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.GtE,
    ast.Gt: ast.Lt,
    ast.GtE: ast.LtE,
}
