"""What is stored and not yet derived: a fact of the lake, whoever was killed when.

Every derived table tells in its commits, by gaming day, the mark of the inputs that it was
made of (storage/marks.py). A day is derived where each table's mark is that of what its inputs
hold now, all the way from bronze.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from lakehouse.storage import Days, Lake, Tokens
from lakehouse.storage.marks import digest

Table = tuple[str, str]
"""Layer and name."""
Derivations = Mapping[Table, tuple[Table, ...]]
"""Table → the tables that it is derived from, each after its inputs. Sources have none."""


def mark(inputs: Mapping[Table, str]) -> str:
    """The mark of one day's inputs, each given by its token; empty where none holds anything."""
    told = [f"{layer}.{name} {token}" for (layer, name), token in sorted(inputs.items()) if token]
    return digest(*told) if told else ""


def marks_of(read: Mapping[Table, Tokens], days: list[dt.date]) -> Tokens:
    """Gaming day → mark, for a table made of inputs whose tokens were read before its rows."""
    return {d: mark({table: found.get(d, "") for table, found in read.items()}) for d in days}


def underived(
    lake: Lake, derivations: Derivations, days: Days | None = None
) -> dict[dt.date, list[str]]:
    """Gaming day → tables that lack what bronze holds of it, or hold what it no longer does.
    Reads logs, no data. Of all days, or of `days`."""
    held = {table: lake.tokens(*table) for table in derivations}
    found: dict[dt.date, list[str]] = {}
    for day in sorted({d for tokens in held.values() for d in tokens}):
        if days is None or days[0] <= day <= days[1]:
            stale = _stale({t: tokens.get(day, "") for t, tokens in held.items()}, derivations)
            if stale:
                found[day] = stale
    return found


def _stale(held: Mapping[Table, str], derivations: Derivations) -> list[str]:
    due: dict[Table, str] = {}
    stale = []
    for table, inputs in derivations.items():
        due[table] = mark({i: due[i] for i in inputs}) if inputs else held[table]
        if due[table] != held[table]:
            stale.append(".".join(table))
    return stale
