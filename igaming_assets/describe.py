"""What Dagster shows of a table, all of it from its contract."""

from __future__ import annotations

from collections.abc import Mapping
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


def asset_options(layer: str, table: str, *, group: str | None = None) -> dict[str, Any]:
    """Key, group, kinds, owners, tags, description, columns: the arguments of an asset."""
    c = contract(table)
    closed = c.confidential or c.is_restricted
    tags = {"layer": layer} | ({"confidential": "true"} if closed else {})
    owner = _OWNERS["restricted" if c.is_restricted else layer]
    return {
        "key": dg.AssetKey([layer, table]),
        "group_name": group or layer,
        "kinds": {"polars", "deltalake"},
        "owners": ["team:compliance" if group == "filings" else owner],
        "tags": tags,
        "description": f"{c.description} Grain: {c.grain}.",
        "code_version": CODE_VERSION,
        "metadata": {
            "dagster/column_schema": column_schema(layer, table),
            "dagster/table_name": f"{layer}.{table}",
        },
    }


def told(table: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """What may be shown of a table's rows: of a restricted one nothing, for a count, a rule
    broken or a new version tells that there is a case (31 U.S.C. 5318(g)(2)). Whatever is
    counted of rows passes here on its way to metadata of assets and checks."""
    return dict(said) if contract(table).is_countable else {}


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


def same_columns(layer: str, table: str, source: str) -> dg.TableColumnLineage:
    """Lineage of a table whose every column is the column of that name in another layer."""
    upstream = stored_schema(source, table)
    return dg.TableColumnLineage(
        {
            name: [dg.TableColumnDep(asset_key=dg.AssetKey([source, table]), column_name=name)]
            for name in stored_schema(layer, table)
            if name in upstream
        }
    )


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
