"""What a table is, as frames for the terminal and text for the dictionary."""

from __future__ import annotations

from functools import cache

import dataframely as dy
import polars as pl

from lakehouse.contracts import Contract, contract
from lakehouse.errors import BadInput
from lakehouse.serve.sql.query_guard import nearest
from lakehouse.storage.shapes import checked_contract, stored_comments, stored_schema, stored_tables


def find(name: str) -> tuple[str, Contract]:
    """The (layer, contract) of "gold.player_value" or "gold/player_value"; without a layer, the
    most derived one. Raises BadInput with the nearest names."""
    known = [f"{layer}.{table}" for layer, table in stored_tables()]
    asked = name.strip().lower().replace("/", ".")
    if asked in known:
        layer, table = asked.split(".")
        return layer, checked_contract(layer, table)
    homes = [k for k in known if k.endswith(f".{asked}")]
    if homes:
        layer = "silver" if f"silver.{asked}" in homes else homes[0].split(".")[0]
        return layer, contract(asked)
    close = nearest(asked, known)
    hint = f"nearest: {', '.join(close)}" if close else "see `lakehouse tables`"
    raise BadInput(f"unknown table {name!r}; {hint}")


def columns(layer: str, table: str) -> pl.DataFrame:
    """One row per column: name, type, null, key, unit, pii, protection, refers_to, meaning."""
    c = contract(table)
    declared, key, refs = c.columns, c.key, c.references()
    comments = stored_comments(layer, table)
    shape_only = layer in ("bronze", "quarantine", "duplicates")
    rows = []
    for name, dtype in stored_schema(layer, table).items():
        column = declared.get(name)
        about = (column.metadata or {}) if column is not None else {}
        rows.append(
            {
                "column": name,
                "type": type_name(dtype),
                "null": shape_only or column is None or column.nullable,
                "key": name in key,
                "unit": about.get("unit"),
                "pii": about.get("pii"),
                "protection": about.get("protect") if layer == "silver" else None,
                "refers_to": ".".join(refs[name]) if name in refs else None,
                "meaning": comments[name] + _read_as(column),
            }
        )
    text = ("column", "type", "unit", "pii", "protection", "refers_to", "meaning")
    schema = {n: pl.String() if n in text else pl.Boolean() for n in rows[0]}
    return pl.DataFrame(rows, schema=schema)


def rules(c: Contract) -> list[str]:
    """Names of the row rules: each says what must hold."""
    return sorted(n for n in c.rules if "|" not in n and n != "primary_key")


@cache
def inputs(layer: str, table: str) -> tuple[str, ...]:
    """Tables that this one is made from."""
    if layer in ("silver", "quarantine", "duplicates"):
        parents = {p for p, _ in contract(table).references().values()} - {table}
        return (f"bronze.{table}", *sorted(f"silver.{p}" for p in parents))
    return _arguments(table) if layer in ("gold", "restricted") else ()


def readers(layer: str, table: str) -> list[str]:
    """Tables that are made from this one."""
    name = f"{layer}.{table}"
    return [f"{la}.{ta}" for la, ta in stored_tables() if name in inputs(la, ta)]


def column_inputs(layer: str, table: str) -> pl.DataFrame:
    """One row per column and input with a column of that name: column, input. The same thing has
    one name everywhere; a column that is figured anew has an input of null."""
    upstream = {n: stored_schema(*n.split(".")) for n in inputs(layer, table)}
    found: list[tuple[str, str | None]] = []
    for column in stored_schema(layer, table):
        having = [(column, name) for name, schema in upstream.items() if column in schema]
        found += having or [(column, None)]
    return pl.DataFrame(found, schema={"column": pl.String, "input": pl.String}, orient="row")


def type_name(dtype: pl.DataType) -> str:
    """A type as an analyst writes it."""
    if isinstance(dtype, pl.List):
        inner = dtype.inner
        return f"list of {type_name(inner)}" if isinstance(inner, pl.DataType) else "list"
    if isinstance(dtype, pl.Struct):
        return f"struct({', '.join(f.name for f in dtype.fields)})"
    if isinstance(dtype, pl.Decimal):
        return f"decimal({dtype.precision},{dtype.scale})"
    if isinstance(dtype, pl.Datetime):
        return "timestamp"
    return _PLAIN.get(type(dtype), str(dtype).lower())


_PLAIN: dict[type[pl.DataType], str] = {
    pl.String: "text",
    pl.Boolean: "boolean",
    pl.Date: "date",
    pl.Int64: "bigint",
    pl.Float64: "double",
}


def _arguments(table: str) -> tuple[str, ...]:
    from lakehouse.gold.marts import marts

    mart = marts().get(table)
    return tuple(f"{i.layer}.{i.table}" for i in mart.inputs) if mart else ()


def _read_as(column: dy.Column | None) -> str:
    """What stands in it, and what else files may write or call it."""
    if column is None:
        return ""
    about = column.metadata or {}
    told = [f"One of {', '.join(column.categories)}."] if isinstance(column, dy.Enum) else []
    also = [f"{spelling} as {code}" for spelling, code in about.get("also", {}).items()]
    told += [f"Also read: {', '.join(also)}."] if also else []
    told += ["In upper case."] if about.get("upper") else []
    told += [f"Files may call it {', '.join(about['names'])}."] if "names" in about else []
    return "".join(f" {sentence}" for sentence in told)
