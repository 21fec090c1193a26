"""From bronze to silver, for a range of gaming days of one table.

Assets, the library's own pipeline and the landing zone all go through here, so that there is
one way for a row to get in.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import partial

import polars as pl

from lakehouse.contracts import contract, contracts
from lakehouse.privacy import (
    TokenKey,
    ensure_key,
    load_key,
    needs_key,
    protect,
    token_references,
    tokens,
)
from lakehouse.regulation.gaming_day import each_day
from lakehouse.settings import Settings
from lakehouse.silver import CleanResult, clean
from lakehouse.storage import ROWS_IN_HAND, Commit, Days, Lake, Tokens, portions
from lakehouse.storage.days import rows_by_day

ALONE = "alone"
"""Mark of silver that was made outside a run: no mart has followed."""


def token_key(lake: Lake, settings: Settings) -> TokenKey:
    """The lake's key; made for a lake without tokens. A lake that has tokens must find its
    old key, or the same person would get a second token."""
    begun = any(needs_key(t) and lake.exists("silver", t) for t in contracts("source"))
    return load_key(settings) if begun else ensure_key(settings)


def parents_of(lake: Lake, settings: Settings, table: str) -> dict[str, pl.LazyFrame]:
    """Parent table → its keys in silver, of all days: what decides on orphans. What the lake
    has no tables of decides on none."""
    keys: dict[str, list[str]] = {}
    named = set(contract(table).references().values())
    for parent, key in sorted(n for n in named if settings.has(n[0])):
        keys.setdefault(parent, []).append(key)
    return {p: lake.scan("silver", p, columns=columns) for p, columns in keys.items()}


def clean_days(lake: Lake, settings: Settings, table: str, days: Days) -> CleanResult:
    """Bronze rows of `days`, cleaned and with their personal data protected."""
    rows = lake.scan("bronze", table, days=days)
    judged = settings.orphans.get(table) != "keep"
    parents = parents_of(lake, settings, table) if judged else {}
    if not needs_key(table):
        return clean(table, rows, timezone=settings.timezone, parents=parents)
    key = token_key(lake, settings)
    known_as = {c: partial(tokens, key=key, field=f) for c, f in token_references(table).items()}
    done = clean(table, rows, timezone=settings.timezone, parents=parents, known_as=known_as)
    return replace(done, good=protect(table, done.good, key))


def store_rejects(
    lake: Lake, table: str, result: CleanResult, days: Days, commit: Commit
) -> dict[str, dict[dt.date, int]]:
    """Stores what was quarantined and what was a duplicate; how many rows of each, by day."""
    aside = {
        "quarantined": ("quarantine", result.quarantined, {"_stage": "silver"}),
        "duplicates": ("duplicates", result.duplicates, {}),
    }
    for layer, rows, where in aside.values():
        lake.write_days(layer, table, rows, days, commit=commit, where=where)
    return {name: rows_by_day(rows, days) for name, (_, rows, _) in aside.items()}


def rejects_by_rule(quarantined: pl.DataFrame) -> pl.DataFrame:
    """Grain: gaming day and rule: gaming_day, rule, rows."""
    return (
        quarantined.explode("_rules", keep_nulls=True)
        .group_by("gaming_day", rule="_rules")
        .agg(rows=pl.len().cast(pl.Int64))
        .sort("gaming_day", "rows", "rule", descending=[False, True, False])
    )


def refresh_silver(
    lake: Lake,
    settings: Settings,
    table: str,
    days: Days,
    commit: Commit,
    *,
    marks: Tokens | None = None,
) -> None:
    """Bronze to silver for some days of one table, stored: rejects first, so that a run that
    is cut short leaves rows counted twice rather than lost. Its days count as not derived
    until a run has made them with their marts, unless `marks` says what each is made of."""
    commit = commit.deriving(marks or dict.fromkeys(each_day(days), ALONE))
    for piece in portions(lake, days, ("bronze", table), most=ROWS_IN_HAND):
        result = clean_days(lake, settings, table, piece)
        store_rejects(lake, table, result, piece, commit.of(piece))
        lake.write_days("silver", table, result.good, piece, commit=commit.of(piece))
        del result  # not in memory beside the next one
