"""What Dagster shows of a table, all of it from its contract."""

from __future__ import annotations

import inspect
import linecache
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import dagster as dg

from lakehouse.contracts import contract
from lakehouse.storage import stored_comments, stored_schema

CODE_VERSION = version("casino-lakehouse")
_OWNERS = {
    "bronze": "team:data-platform",
    "silver": "team:data-platform",
    "truth": "team:data-platform",
    "gold": "team:casino-analytics",
    "restricted": "team:compliance",
}


def asset_options(
    layer: str, table: str, *, group: str | None = None, code: Sequence[Any] = ()
) -> dict[str, Any]:
    """Key, group, kinds, owners, tags, description, columns, code: the arguments of an asset.
    `code` are the classes and functions that make it, beside its contract."""
    c = contract(table)
    closed = c.confidential or c.is_restricted
    tags = {"layer": layer} | ({"confidential": "true"} if closed else {})
    owner = _OWNERS["restricted" if c.is_restricted else layer]
    return {
        "key": dg.AssetKey([layer, table]),
        "group_name": group or layer,
        "kinds": {layer, "polars", "deltalake"},
        "owners": ["team:compliance" if group == "compliance" else owner],
        "tags": tags,
        "description": f"{c.description} Grain: {c.grain}.",
        "code_version": CODE_VERSION,
        "metadata": {
            "dagster/column_schema": column_schema(layer, table),
            "dagster/table_name": f"{layer}.{table}",
            **code_references(c.schema, *code),
        },
    }


def told(table: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """What may be shown of a table's rows: of a restricted one nothing, for a count, a rule
    broken or a new version tells that there is a case (31 U.S.C. 5318(g)(2)). Whatever is
    counted of rows passes here on its way to metadata of assets and checks."""
    return dict(said) if contract(table).is_countable else {}


def code_references(*code: Any) -> dict[str, Any]:
    """Where the source of these classes and functions stands on this machine."""
    found: list[dg.LocalFileCodeReference | dg.UrlCodeReference] = [
        dg.LocalFileCodeReference(
            file_path=str(inspect.getsourcefile(one)),
            line_number=_line_of(one),
            label=one.__qualname__.removesuffix(".<locals>").split(".")[-1],
        )
        for one in code
    ]
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=found)}


def _line_of(one: Any) -> int:
    """Python knows where a function begins; for a class, inspect would parse the whole file."""
    if not inspect.isclass(one):
        return int(inspect.unwrap(one).__code__.co_firstlineno)
    lines = linecache.getlines(str(inspect.getsourcefile(one)))
    return next(n for n, line in enumerate(lines, 1) if line.startswith(f"class {one.__name__}("))


def column_schema(layer: str, table: str) -> dg.TableSchema:
    c = contract(table)
    comments = stored_comments(layer, table)
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=name,
                type=str(dtype),
                description=comments[name],
                constraints=_constraints(layer, table, name),
                tags={"pii": str(c.metadata(name)["pii"])} if _pii(table, name) else {},
            )
            for name, dtype in stored_schema(layer, table).items()
        ]
    )


def column_lineage(
    layer: str, table: str, inputs: Iterable[Sequence[str]]
) -> dg.TableColumnLineage:
    """Each column of a table with the columns of that name in its inputs (layer and table). The
    same thing has one name everywhere; columns that are figured anew have no line."""
    upstream = [(dg.AssetKey(list(key)), stored_schema(*key)) for key in inputs]
    found = {
        name: [
            dg.TableColumnDep(asset_key=key, column_name=name)
            for key, schema in upstream
            if name in schema
        ]
        for name in stored_schema(layer, table)
    }
    return dg.TableColumnLineage({name: deps for name, deps in found.items() if deps})


def _pii(table: str, column: str) -> bool:
    c = contract(table)
    return column in c.columns and "pii" in c.metadata(column)


def _constraints(layer: str, table: str, column: str) -> dg.TableColumnConstraints:
    c = contract(table)
    known = c.columns.get(column)
    return dg.TableColumnConstraints(
        nullable=layer == "bronze" or known is None or known.nullable,
        unique=layer != "bronze" and c.key == [column],
    )
