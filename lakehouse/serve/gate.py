"""Which SQL may run: one statement that only reads, of tables that the catalog shows.

DuckDB's own parser decides: a query that it cannot give back as a tree of SELECT nodes is
refused, and in the tree only known tables and a few table functions may stand.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakehouse.errors import BadInput

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
"""All others are refused: they read files, run text as SQL or take memory addresses."""
SEARCH = ("gold", "silver", "quarantine")
"""Where a name without a schema is looked for, in this order."""
_LISTINGS = frozenset({"tables", "schemas", "columns"})
_EXPLAIN = re.compile(r"\s*explain\s+(analyze\s+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Query:
    """A query that may run, and the catalog names ("gold.player_day") it reads."""

    sql: str
    tables: tuple[str, ...]
    lists_tables: bool
    """Whether it asks what there is (SHOW, information_schema), so that all must be there."""
    parameters: tuple[str, ...]
    """Names of the $parameters that it needs."""


def admit(connection: DuckDBPyConnection, sql: str, known: Collection[str]) -> Query:
    """The query, if it may run; `known` are the names that the catalog shows.

    Raises BadInput in one line: not one reading statement, an unknown table (with the nearest
    names), a table function that is not allowed, or what DuckDB's parser says.
    """
    explain = _EXPLAIN.match(sql)
    tree = _tree(connection, sql[explain.end() :] if explain else sql)
    nodes = list(_nodes(tree))
    _refuse_functions(nodes)
    ours = {name.lower() for name in _names_of_ctes(nodes)}
    named = [n for n in nodes if n.get("type") == "BASE_TABLE" and not _is_cte(n, ours)]
    found = {_resolved(n, known) for n in named if not _is_listing(n)}
    shows = any(n.get("type") == "SHOW_REF" and n.get("query") is None for n in nodes)
    lists = shows or any(map(_is_listing, named))
    needed = {str(n["identifier"]) for n in nodes if n.get("class") == "PARAMETER"}
    return Query(sql, tuple(sorted(found)), lists, tuple(sorted(needed)))


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

    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise BadInput(f"SQL: {first_line(error)}") from error
    if len(statements) != 1:
        raise BadInput(f"SQL: give one statement, not {len(statements)}{_hint(statements)}")
    row = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if tree["error"]:
        kind = statements[0].type.name
        said = "this form of SELECT" if kind == "SELECT" else kind
        raise BadInput(
            f"SQL: {said} is not allowed; the lake is read with SELECT, DESCRIBE, SUMMARIZE, "
            "SHOW TABLES and EXPLAIN"
        )
    return tree


def _hint(statements: list[Any]) -> str:
    kinds = [s.type.name for s in statements]
    return " (write the columns of a PIVOT with IN)" if kinds == ["CREATE", "SELECT"] else ""


def first_line(error: Exception) -> str:
    """What DuckDB says, in one line and without the echo of the query."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith("LINE ") and line.strip() != "^"]
    return " ".join(line.strip() for line in kept[:2]) or type(error).__name__


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, dict):
            yield here
            waiting.extend(here.values())
        elif isinstance(here, list):
            waiting.extend(here)


def _refuse_functions(nodes: list[dict[str, Any]]) -> None:
    for node in nodes:
        if node.get("type") == "TABLE_FUNCTION":
            name = node["function"]["function_name"]
            if name not in TABLE_FUNCTIONS:
                allowed = ", ".join(sorted(TABLE_FUNCTIONS))
                raise BadInput(f"SQL: table function {name!r} is not allowed; allowed: {allowed}")


def _names_of_ctes(nodes: list[dict[str, Any]]) -> Iterator[str]:
    for node in nodes:
        for entry in (node.get("cte_map") or {}).get("map", ()):
            yield entry["key"]


def _is_cte(node: dict[str, Any], ours: Collection[str]) -> bool:
    return not node["schema_name"] and node["table_name"].lower() in ours


def _is_listing(node: dict[str, Any]) -> bool:
    return (
        node["schema_name"].lower() == "information_schema"
        and node["table_name"].lower() in _LISTINGS
    )


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
