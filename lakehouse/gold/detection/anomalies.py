"""Alerts of all declared rules of detection."""

from __future__ import annotations

import polars as pl

from lakehouse.detection.registry import rules
from lakehouse.gold.marts import Input, mart
from lakehouse.gold.shape import shaped
from lakehouse.regulation.gaming_day import Days


def _inputs() -> tuple[Input, ...]:
    """All tables that rules read, each as far back as the rule that looks furthest."""
    furthest: dict[tuple[str, str], int] = {}
    for rule in rules().values():
        for read in rule.reads:
            table = (read.layer, read.table)
            furthest[table] = max(read.back, furthest.get(table, 0))
    return tuple(Input(*table, back=back) for table, back in sorted(furthest.items()))


@mart(*_inputs(), days_in_hand=31, has_every_day=True)
def anomalies(*, days: Days, **tables: pl.LazyFrame) -> pl.LazyFrame:
    """Mart `anomalies` of `days`: what each rule found, from its own windows."""
    # One after the other: together they hold all that any of them reads.
    found = [rule.alerts(tables, days).collect() for rule in rules().values()]
    return shaped(pl.concat(found).lazy(), "anomalies")
