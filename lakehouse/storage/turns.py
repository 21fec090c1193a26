"""Logs in which each row is judged by the rows before it: one writer after the other."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from lakehouse.errors import LakehouseError
from lakehouse.storage.commits import Commit
from lakehouse.storage.lake import Lake

TURNS = 20


def append_in_turn(
    lake: Lake,
    layer: str,
    table: str,
    following: Callable[[pl.DataFrame], tuple[str, pl.DataFrame]],
    *,
    log: str,
) -> pl.DataFrame:
    """Adds what `following` makes of all rows that are there, the id of its commit and new rows,
    and returns these. Where somebody else was faster, it is asked again with their rows too.

    Raises what `following` raises, and LakehouseError where `log`, as its reader calls it, stays
    busy; nothing is added then.
    """
    for _ in range(TURNS):
        turn = (table, (lake.version(layer, table) or 0) + 1)
        run_id, rows = following(lake.scan(layer, table).collect())
        commit = Commit(run_id, f"{layer}/{table}", "1")
        if lake.append(layer, table, rows, commit=commit, app_transaction=turn).rows:
            return rows
    raise LakehouseError(f"{log} was busy through {TURNS} attempts; try again")
