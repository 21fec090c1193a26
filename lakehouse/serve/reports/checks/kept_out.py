"""Rows that were kept out of silver, by the rule that they broke; none of restricted tables."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

import polars as pl

from lakehouse.contracts import contract
from lakehouse.quality.rule_words import explained
from lakehouse.storage import Days, Lake


@dataclass(frozen=True)
class Reason:
    """A rule, in words, with the rows that broke it. A row may break more than one."""

    rule: str
    words: str
    mend: str
    rows: int
    days: int
    newest: dt.date


@dataclass(frozen=True)
class KeptOut:
    """A table: rows in quarantine, of all that came in, by reason and by day."""

    table: str
    rows: int
    came_in: int
    reasons: list[Reason]
    by_day: dict[dt.date, int]


def kept_out(lake: Lake, days: Days) -> list[KeptOut]:
    """Tables of which rows of these days are in quarantine, the most rows first."""
    found = [
        _of(lake, table, days)
        for layer, table in lake.stored("quarantine")
        if contract(table).is_countable
    ]
    return sorted((k for k in found if k.rows), key=lambda k: (-k.rows, k.table))


def by_day(tables: list[KeptOut]) -> Counter[dt.date]:
    total: Counter[dt.date] = Counter()
    for table in tables:
        total.update(table.by_day)
    return total


def _of(lake: Lake, table: str, days: Days) -> KeptOut:
    scanned = lake.scan("quarantine", table, days=days, columns=["gaming_day", "_stage", "_rules"])
    rows = scanned.collect()
    broken = (
        rows.explode("_rules", keep_nulls=True)
        .group_by(rule="_rules")
        .agg(rows=pl.len(), days=pl.col("gaming_day").n_unique(), newest=pl.col("gaming_day").max())
        .sort("rows", "rule", descending=[True, False], nulls_last=True)
    )
    bronze = lake.partitions("bronze", table).filter(pl.col("gaming_day").is_between(*days))
    never_in = rows.filter(pl.col("_stage") != "silver").height
    return KeptOut(
        table,
        rows.height,
        int(bronze["rows"].sum()) + never_in,
        [_reason(table, **row) for row in broken.iter_rows(named=True)],
        dict(rows.group_by("gaming_day").len().iter_rows()),
    )


def _reason(table: str, rule: str | None, **counts: int) -> Reason:
    said = explained(contract(table), rule) if rule else None
    words = said.broken_by if said else rule or "no rule is named"
    return Reason(rule or "", words, said.mend if said else "", **counts)  # type: ignore[arg-type]
