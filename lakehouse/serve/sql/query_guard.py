"""Which SQL may run: one statement that only reads, of tables that the catalog shows.

DuckDB's own parser decides: a query that it cannot give back as a tree of SELECT nodes is
refused, and in the tree only known tables and a few table functions may stand. What this lets
through by mistake meets a connection that can open no file of its own accord (`closed`).
"""

from __future__ import annotations

import difflib
import itertools
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakehouse.errors import BadInput

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
"""All others are refused: they read files, run text as SQL or take memory addresses."""
SEARCH = ("gold", "silver", "quarantine")
"""Where a name without a schema is looked for, in this order."""
_NAME = re.compile(rb"\w+")
_EXPLAIN = re.compile(r"\s*explain\s+(analyze\s+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Query:
    """A query that may run, and the catalog names ("gold.player_day") it reads."""

    sql: str
    tables: tuple[str, ...]
    lists_tables: bool
    """Whether it asks what there is (SHOW TABLES), so that all must be there."""
    parameters: tuple[str, ...]
    """Names of the $parameters that it needs."""


def admit(connection: DuckDBPyConnection, sql: str, known: Collection[str]) -> Query:
    """The query, if it may run; `known` are the names that the catalog shows.

    Raises BadInput in one line: not one reading statement, an unknown table (with the nearest
    names), a table function that is not allowed, or what DuckDB's parser says.
    """
    explain = _EXPLAIN.match(sql)
    tree = _tree(connection, sql[explain.end() :] if explain else sql)
    found: set[str] = set()
    needed: set[str] = set()
    lists = False
    for node, ctes in _scoped(tree):
        kind = node.get("type")
        if kind == "TABLE_FUNCTION":
            _refuse_function(node["function"]["function_name"])
        elif kind == "BASE_TABLE" and not _is_cte(node, ctes):
            found.add(_resolved(node, known))
        elif kind == "SHOW_REF" and node.get("query") is None:
            lists = True
        elif node.get("class") == "PARAMETER":
            needed.add(str(node["identifier"]))
    return Query(sql, tuple(sorted(found)), lists, tuple(sorted(needed)))


def spliced(sql: str, values: Mapping[str, str]) -> str:
    """The query with the text of `values` for each $name that it asks for, and not where $name
    stands in a text, a quoted name or a comment."""
    import duckdb

    told, ends = sql.encode(), [at for at, _ in duckdb.tokenize(sql)]
    made, done = b"", 0
    for at, following in itertools.pairwise(ends):
        name = _NAME.match(told, following)
        if told[at : at + 1] == b"$" and name and (found := name.group().decode()) in values:
            made += told[done:at] + values[found].encode()
            done = following + len(name.group())
    return (made + told[done:]).decode()


def nearest(name: str, known: Collection[str]) -> list[str]:
    """Known names that look like `name`, with or without its schema."""
    close = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    last = name.split(".")[-1]
    bare = {k: k.split(".")[-1] for k in known}
    same = [k for k, b in bare.items() if b == last]
    alike = difflib.get_close_matches(last, list(bare.values()), n=3, cutoff=0.6)
    more = [k for k, b in bare.items() if b in alike]
    return list(dict.fromkeys([*same, *close, *more]))[:4]


def _tree(connection: DuckDBPyConnection, sql: str) -> dict[str, Any]:
    import duckdb

    _refuse_half_read(sql)
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise BadInput(f"SQL: {first_line(error)}") from error
    if len(statements) != 1:
        raise BadInput(f"SQL: give one statement, not {len(statements)}{_hint(statements)}")
    row = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    try:
        tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    except RecursionError as error:
        raise BadInput("SQL: the query is nested too deeply") from error
    if tree["error"]:
        kind = statements[0].type.name
        said = "this form of SELECT" if kind == "SELECT" else kind
        raise BadInput(
            f"SQL: {said} is not allowed; the lake is read with SELECT, DESCRIBE, SUMMARIZE, "
            "SHOW TABLES and EXPLAIN"
        )
    return tree


def _refuse_half_read(sql: str) -> None:
    """DuckDB's parser ends at a NUL, so that it would judge less than what is there."""
    if "\0" in sql:
        raise BadInput(f"SQL: character {sql.index(chr(0)) + 1} is a NUL, which is not allowed")
    try:
        sql.encode()
    except UnicodeEncodeError as error:
        raise BadInput(f"SQL: character {error.start + 1} is no character of UTF-8") from error


def _hint(statements: list[Any]) -> str:
    kinds = [s.type.name for s in statements]
    return " (write the columns of a PIVOT with IN)" if kinds == ["CREATE", "SELECT"] else ""


def first_line(error: Exception) -> str:
    """What DuckDB says, in one line and without the echo of the query."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith("LINE ") and line.strip() != "^"]
    return " ".join(line.strip() for line in kept[:2]) or type(error).__name__


def _scoped(tree: dict[str, Any]) -> Iterator[tuple[dict[str, Any], frozenset[str]]]:
    """Every node, with the names of the common table expressions that it can see: those of the
    queries around it, those that stand before it in its own WITH, and itself in a recursion."""
    waiting: list[tuple[Any, frozenset[str]]] = [(tree, frozenset())]
    while waiting:
        here, seen = waiting.pop()
        if isinstance(here, list):
            waiting.extend((value, seen) for value in here)
        elif isinstance(here, dict):
            yield here, seen
            for entry in (here.get("cte_map") or {}).get("map", ()):
                waiting.append((entry["value"], seen))
                seen |= {entry["key"].lower()}
            again = {here["cte_name"].lower()} if here.get("type") == "RECURSIVE_CTE_NODE" else ()
            waiting.extend(
                (value, seen.union(again) if part == "right" else seen)
                for part, value in here.items()
                if part != "cte_map"
            )


def _refuse_function(name: str) -> None:
    if name not in TABLE_FUNCTIONS:
        allowed = ", ".join(sorted(TABLE_FUNCTIONS))
        raise BadInput(f"SQL: table function {name!r} is not allowed; allowed: {allowed}")


def _is_cte(node: dict[str, Any], ours: Collection[str]) -> bool:
    return not node["schema_name"] and node["table_name"].lower() in ours


def _resolved(node: dict[str, Any], known: Collection[str]) -> str:
    schema, table = node["schema_name"].lower(), node["table_name"].lower()
    asked = [f"{schema}.{table}"] if schema else [f"{s}.{table}" for s in SEARCH]
    hit = next((name for name in asked if name in known), None)
    if hit and not node["catalog_name"]:
        return hit
    parts = [node["catalog_name"], node["schema_name"], node["table_name"]]
    name = ".".join(p for p in parts if p)
    close = nearest(name.lower(), known)
    hint = f"; nearest: {', '.join(close)}" if close else "; see `lakehouse tables`"
    raise BadInput(f"SQL: unknown table {name!r}{hint}")
