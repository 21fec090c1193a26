"""What the lake's landed tables know: numbers of patrons, machines and transactions."""

from __future__ import annotations

import polars as pl

from lakehouse.contracts import contract
from lakehouse.storage import Lake

MOST = 200_000
ENTITIES = (
    ("player_profile", "player_id"),
    ("slot_telemetry", "machine_id"),
    ("table_games", "table_id"),
    ("financial_txn", "transaction_id"),
)


def known_values(lake: Lake) -> dict[tuple[str, str], frozenset[str]]:
    """(table, column) → its values in bronze, of tables that are there."""
    found = {}
    for table, column in ENTITIES:
        if lake.exists("bronze", table) and not contract(table).is_restricted:
            rows = lake.scan("bronze", table, columns=[column])
            distinct = rows.select(pl.col(column).drop_nulls().unique()).head(MOST).collect()
            found[table, column] = frozenset(distinct[column])
    return found
