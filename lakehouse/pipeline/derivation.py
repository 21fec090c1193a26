"""What is stored and not yet derived: a fact of the lake, whoever was killed when.

Every derived table tells in its commits, by gaming day, the mark of the inputs that it was
made of (storage/marks.py). A day is derived where each table's mark is that of what its inputs
hold now, all the way from bronze.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping

import polars as pl

from lakehouse.contracts import contract
from lakehouse.privacy import load_key, token_references, tokens
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake, Tokens
from lakehouse.storage.listing import paths_by_day, since
from lakehouse.storage.marks import digest

Table = tuple[str, str]
"""Layer and name."""
Derivations = Mapping[Table, tuple[Table, ...]]
"""Table → the tables that it is derived from, each after its inputs. Sources have none."""
_NEWEST = 100
"""Commits that runs beside one another make of a table."""


def mark(inputs: Mapping[Table, str]) -> str:
    """The mark of one day's inputs, each given by its token; empty where none holds anything."""
    told = [f"{layer}.{name} {token}" for (layer, name), token in sorted(inputs.items()) if token]
    return digest(*told) if told else ""


def marks_of(read: Mapping[Table, Tokens], days: list[dt.date]) -> Tokens:
    """Gaming day → mark, for a table made of inputs whose tokens were read before its rows."""
    return {d: mark({table: found.get(d, "") for table, found in read.items()}) for d in days}


def underived(
    lake: Lake, settings: Settings, derivations: Derivations, days: Days | None = None
) -> dict[dt.date, list[str]]:
    """Gaming day → tables that lack what bronze holds of it, or hold what it no longer does.
    Reads logs, and of the data only what was kept out for want of a parent. Of all days, or of
    `days`."""
    return together(outdated(lake, derivations), found_parents(lake, settings), derivations, days)


def together(
    stale: Mapping[dt.date, list[str]],
    met: Mapping[dt.date, list[str]],
    derivations: Derivations,
    days: Days | None = None,
) -> dict[dt.date, list[str]]:
    """What is `outdated`, and the silver of tables whose parents were found: `underived`."""
    found = dict(stale)
    for day, tables in met.items():
        named = [f"silver.{t}" for t in tables if ("silver", t) in derivations]
        told = [*found.get(day, []), *(n for n in named if n not in found.get(day, []))]
        if told:
            found[day] = told
    asked = days or (dt.date.min, dt.date.max)
    return {day: found[day] for day in sorted(found) if asked[0] <= day <= asked[1]}


def outdated(lake: Lake, derivations: Derivations) -> dict[dt.date, list[str]]:
    """Gaming day → tables that were made of other rows than their inputs hold now."""
    held = {table: lake.tokens(*table) for table in derivations}
    found: dict[dt.date, list[str]] = {}
    for day in sorted({d for days_held in held.values() for d in days_held}):
        stale = _stale({t: of.get(day, "") for t, of in held.items()}, derivations)
        if stale:
            found[day] = stale
    return found


def has_parents_of_others(lake: Lake, table: str, since: dt.datetime, run: str) -> bool:
    """Whether another run than `run` brought parents of the table's rows since."""
    parents = {parent for parent, _ in contract(table).references().values()}
    commits = (v for p in parents for v in lake.history("silver", p, _NEWEST))
    return any(v.at >= since and v.run_id not in (None, run) for v in commits)


def written_since(
    lake: Lake, tables: Iterable[Table], moment: dt.datetime
) -> dict[dt.date, set[Table]]:
    """Gaming day → those of the tables that rows of it were written to since. Reads logs, no
    data."""
    found: dict[dt.date, set[Table]] = {}
    for table in tables:
        for day in paths_by_day(since(lake.data_files(*table), moment)):
            found.setdefault(day, set()).add(table)
    return found


def following(tables: Collection[Table], derivations: Derivations) -> set[str]:
    """All that is derived of these tables, in one step or several, as "layer.table"."""
    found = set(tables)
    for table, inputs in derivations.items():
        if found & set(inputs):
            found.add(table)
    return {".".join(table) for table in found - set(tables)}


def found_parents(lake: Lake, settings: Settings) -> dict[dt.date, list[str]]:
    """Gaming day → tables with rows that were kept out because what they refer to was unknown,
    and is known by now: a profile came later, or days were made in another order."""
    found: dict[dt.date, list[str]] = {}
    for table, c in settings.tables("source").items():
        parents = {n: p for n, p in c.references().items() if settings.has(p[0])}
        for day in _days_found(lake, settings, table, parents):
            found.setdefault(day, []).append(table)
    return found


def _days_found(
    lake: Lake, settings: Settings, table: str, references: Mapping[str, tuple[str, str]]
) -> set[dt.date]:
    """Rejects are read once, and of their parents no more than the rows that they name."""
    if not references:
        return set()
    rules = pl.col("_rules").list
    named = [pl.when(rules.contains(f"{c}|orphan")).then(c).alias(c) for c in references]
    kept_out = (
        lake.scan("quarantine", table)
        .select("gaming_day", *named)
        .filter(pl.any_horizontal(pl.col(c).is_not_null() for c in references))
        .collect()
    )
    found: set[dt.date] = set()
    for column, (parent, key) in references.items():
        orphans = kept_out.select("gaming_day", column).drop_nulls()
        if len(orphans):
            written = _as_known(settings, table, orphans[column])
            wanted = pl.col(key).is_in(written.unique().implode())
            known = lake.scan("silver", parent, columns=[key]).filter(wanted).collect()
            found |= set(orphans.filter(written.is_in(known[key].implode()))["gaming_day"])
    return found


def _as_known(settings: Settings, table: str, named: pl.Series) -> pl.Series:
    """What rejects name of a parent, as its silver has it."""
    field = token_references(table).get(named.name)
    return named if field is None else tokens(named, load_key(settings), field)


def _stale(held: Mapping[Table, str], derivations: Derivations) -> list[str]:
    due: dict[Table, str] = {}
    stale = []
    for table, inputs in derivations.items():
        due[table] = mark({i: due[i] for i in inputs}) if inputs else held[table]
        if due[table] != held[table]:
            stale.append(".".join(table))
    return stale
