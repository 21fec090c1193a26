"""Writes that would change nothing: a commit of nothing costs as much as any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.regulation.gaming_day import Days
from lakehouse.storage.commits import Commit
from lakehouse.storage.shapes import PARTITION

if TYPE_CHECKING:
    from lakehouse.storage.lake import Lake


def says_nothing(lake: Lake, layer: str, table: str, days: Days, commit: Commit) -> bool:
    """Whether the table has no row of these days, and tells the commit's marks of them already.
    Makes the table where it is missing."""
    lake.make(layer, table)
    if lake.partitions(layer, table)[PARTITION].is_between(*days).any():
        return False
    known = lake.tokens(layer, table) if commit.derived else {}
    return all(known.get(day, "") == mark for day, mark in commit.derived.items())
