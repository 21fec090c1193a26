"""What stands behind an error of reading: the file that is damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lakehouse.errors import LakehouseError

READERS = ("polars", "duckdb", "_duckdb", "pyarrow", "pyo3_runtime")
"""Packages whose errors may come from a file that cannot be read."""


def damage_behind(error: BaseException) -> LakehouseError | None:
    """The damage in the lake that makes a reader fail so; None where it is another error, or no
    file of the tables that it names (all tables, where it names none) is damaged."""
    from lakehouse.errors import Damaged, LakehouseError, StorageError

    if isinstance(error, Damaged) or not any(map(_is_of_a_reader, _chain(error))):
        return None
    from lakehouse.commands import opened
    from lakehouse.storage import Read, find_damage

    try:
        _, lake = opened()
        stored = lake.stored()
    except (LakehouseError, StorageError):
        return None
    said = str(error)
    named = [pair for pair in stored if ".".join(pair) in said or "/".join(pair) in said]
    return find_damage(lake, [Read(*pair) for pair in named or stored])


def _is_of_a_reader(error: BaseException) -> bool:
    from lakehouse.errors import StorageError

    is_told = isinstance(error, StorageError) and isinstance(error.__cause__, OSError)
    is_gone = isinstance(error, FileNotFoundError)
    return is_told or is_gone or type(error).__module__.split(".")[0] in READERS


def _chain(error: BaseException | None) -> list[BaseException]:
    return [] if error is None else [error, *_chain(error.__cause__)]
