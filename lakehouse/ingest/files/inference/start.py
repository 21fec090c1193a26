"""The mapping that a proposal starts from: what it says, stays."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lakehouse.errors import BadInput
from lakehouse.ingest.files.mapping import Mapping, checked_mapping
from lakehouse.ingest.files.mapping_files import given_in


@dataclass(frozen=True)
class Start:
    """`given`: its entries as TOML has them; `text`: as they were written."""

    table: str | None
    mapping: Mapping
    given: dict[str, Any] = field(default_factory=dict)
    text: str = ""

    @property
    def columns(self) -> frozenset[str]:
        """Our columns that it speaks of."""
        return frozenset(self.mapping.columns)

    @property
    def sources(self) -> frozenset[str]:
        """Columns of the file that it gives to columns of ours."""
        rules = self.mapping.columns.items()
        named = {r.source or n for n, r in rules if r.constant is None and r.value is None}
        return frozenset(named).union(*(r.fields for _, r in rules))


def read_start(path: Path | None, table: str | None) -> Start:
    """Of no mapping, one that says nothing. Raises BadInput."""
    if path is None:
        return Start(table, Mapping())
    given = given_in(path)
    said = table or given.get("table")
    if said is None:
        raise BadInput(f"mapping {path}: names no table; say which with --table")
    mapping = checked_mapping(given, said, str(path))
    return Start(said, mapping, given, path.read_text("utf-8"))
