"""Whether every stored row of a table keeps its contract: one check a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from functools import partial

from lakehouse.contracts import PROVENANCE, contract, contracts
from lakehouse.gold.marts import marts
from lakehouse.quality.conformance import broken_rules, failing_rows, stored_rules
from lakehouse.quality.registry import declares
from lakehouse.quality.results import KEYS_SHOWN, Check, Family, Judgement
from lakehouse.quality.rule_sql import failing
from lakehouse.quality.rule_words import explained
from lakehouse.quality.stored_days import rows_held
from lakehouse.regulation.gaming_day import each_day
from lakehouse.settings import Settings
from lakehouse.storage import Days, Lake, portions

CONTRACT = "contract"
_NAMED = 3
"""Rules that one sentence names."""


@declares
def contract_checks(settings: Settings, now: dt.datetime) -> Iterator[Check]:  # noqa: ARG001
    for layer, table in judged_tables():
        is_bronze = layer == "bronze"
        yield Check(
            CONTRACT,
            (layer, table),
            Family.SCHEMA if is_bronze else Family.ROWS,
            "error",
            "Rows without a day or an origin cannot be taken back or made again."
            if is_bronze
            else "Rows that break a rule were to be kept out: what is computed of them is wrong.",
            "Every row tells its gaming day, source, batch and when it came in."
            if is_bronze
            else "Every stored row keeps every rule.",
            partial(judge, layer, table),
            blocking=True,
            at_once=True,
        )


def judged_tables() -> Iterator[tuple[str, str]]:
    """The tables that a gaming day is made of: (layer, table)."""
    for layer in ("bronze", "silver"):
        yield from ((layer, table) for table in contracts("source"))
    yield from (("truth", "plants"), ("restricted", "identity_vault"))
    yield from ((mart.layer, name) for name, mart in marts().items())


def judge(layer: str, table: str, lake: Lake, days: Days) -> dict[dt.date, Judgement]:
    """Every day is judged; one without rows has none that breaks a rule."""
    found: dict[dt.date, dict[str, int]] = {}
    held = rows_held(lake, layer, table)
    for piece in portions(lake, days, (layer, table)):
        if not any(piece[0] <= day <= piece[1] for day in held):
            continue
        broken = broken_rules(layer, table, lake.scan(layer, table, days=piece))
        for day, rule, rows in broken.iter_rows():
            found.setdefault(day, {})[rule] = rows
    return {
        day: _broken(lake, layer, table, day, found[day], held.get(day, 0))
        if day in found
        else _kept(held.get(day, 0))
        for day in each_day(days)
    }


def _kept(rows: int) -> Judgement:
    said = f"All {rows:,} rows keep every rule." if rows else "There are no rows."
    return Judgement(
        True, said, 0.0, 0.0, failing_rows=0, checked_rows=rows, more={"rows_by_rule": {}}
    )


def _broken(
    lake: Lake, layer: str, table: str, day: dt.date, by_rule: Mapping[str, int], held: int
) -> Judgement:
    rows = lake.scan(layer, table, days=(day, day))
    wrong = failing_rows(layer, table, rows, list(by_rule))
    rules = stored_rules(layer, table)
    return Judgement(
        False,
        f"{wrong.height:,} of {held:,} rows break a rule: {_in_words(table, by_rule)}.",
        wrong.height / held if held else None,
        0.0,
        failing_rows=wrong.height,
        checked_rows=held,
        keys=tuple(wrong["key"].drop_nulls().sort().head(KEYS_SHOWN)),
        # Bronze is not shown in SQL: rows are kept there with whatever they came with.
        sql=None
        if layer == "bronze"
        else failing(layer, table, day, {n: rules[n] for n in by_rule}),
        more={"rows_by_rule": dict(by_rule)},
    )


def _in_words(table: str, by_rule: Mapping[str, int]) -> str:
    most = sorted(by_rule, key=lambda rule: (-by_rule[rule], rule))
    said = [f"{_rule(table, rule)} ({by_rule[rule]:,})" for rule in most[:_NAMED]]
    more = [f"and {len(most) - _NAMED} more rules"] if len(most) > _NAMED else []
    return "; ".join([*said, *more])


def _rule(table: str, rule: str) -> str:
    c = contract(table)
    column, _, kind = rule.partition("|")
    if kind == "nullability" and column in (*PROVENANCE, "gaming_day"):
        return f"{column} is empty"
    if rule == "primary_key":
        return f"another row of the day has the same {', '.join(c.key)}"
    words = explained(c, rule)
    return words.broken_by if words else rule
