"""The registry of detection rules. Each is declared once, at its function; the alerts' mart, its
inputs, its windows and the documents follow.

    @rule(Reads("slot_performance", back=30), family="machine", entity="machine", action="...")
    def hold_drift(slot_performance, *, days, limit): ...

The function's name is the rule's, and its positional parameters are the tables that it reads: of a
source, silver. It is given the rows of `days` and of its windows before them, and answers in the
shape `FOUND` for `days`, each day whatever other days are asked for. It may ask for `days`, and for
`limit`: `limit("name")` is the threshold of that name in force on each row's `gaming_day`, from
`thresholds.toml`.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources

import polars as pl

from lakehouse.contracts import contract
from lakehouse.contracts.alert_shape import ENTITIES, EVIDENCE_TYPE, FAMILIES, MOST_EVIDENCE
from lakehouse.regulation.gaming_day import Days
from lakehouse.regulation.law import Law, parse
from lakehouse.texts import formatted

PACKAGE = "lakehouse.detection.rules"
LEAST = "least"
"""The threshold of any rule that may have it: the score from which an alert is told that is not
CRITICAL."""
FOUND = pl.Schema(
    {
        "gaming_day": pl.Date(),
        "entity_id": pl.String(),
        "window_start": pl.Date(),
        "window_end": pl.Date(),
        "score": pl.Float64(),
        "evidence": EVIDENCE_TYPE,
        "said": pl.String(),
    }
)
"""What a rule answers with: a row per entity and gaming day on which it has something to say."""

Limit = Callable[[str], pl.Expr]
Find = Callable[..., pl.LazyFrame]

_declared: dict[str, Rule] = {}


@dataclass(frozen=True)
class Reads:
    """A table that a rule reads: for a gaming day, the rows of that day and of the days `back`
    of it."""

    table: str
    back: int = 0

    @property
    def layer(self) -> str:
        layer = contract(self.table).layer
        return "silver" if layer == "source" else layer


@dataclass(frozen=True)
class Rule:
    """One rule of detection, and what becomes of what it finds."""

    name: str
    function: Find
    reads: tuple[Reads, ...]
    family: str
    entity: str
    action: str

    @property
    def description(self) -> str:
        return " ".join((self.function.__doc__ or "").split())

    def alerts(self, frames: Mapping[str, pl.LazyFrame], days: Days) -> pl.LazyFrame:
        """Alerts of `days` in the shape of `gold.anomalies`, from frames that hold at least the
        rule's windows."""
        mine = {r.table: _within(frames[r.table], r.back, days) for r in self.reads}
        asked = inspect.signature(self.function).parameters.keys()
        known = {"days": days, "limit": self.limit}
        found = self.function(**mine, **{n: v for n, v in known.items() if n in asked})
        return _as_alerts(found.filter(pl.col("gaming_day").is_between(*days)), self)

    def limit(self, name: str) -> pl.Expr:
        """The threshold of that name in force on each row's gaming day."""
        return limit_of(self.name, name)


def rule(*reads: Reads, family: str, entity: str, action: str) -> Callable[[Find], Find]:
    """Declares the decorated function as the rule of its name."""

    def declare(function: Find) -> Find:
        name = function.__name__
        parameters = inspect.signature(function).parameters.values()
        named = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        tables = [r.table for r in reads]
        if sorted(named) != sorted(tables):
            raise TypeError(f"rule {name}: reads {tables}, parameters {named}")
        if family not in FAMILIES or entity not in ENTITIES or name in _declared:
            raise TypeError(f"rule {name}: family {family!r}, entity {entity!r}, or declared twice")
        _declared[name] = Rule(name, function, reads, family, entity, action)
        return function

    return declare


@functools.cache
def rules() -> dict[str, Rule]:
    """All rules by name, in order of their names."""
    package = importlib.import_module(PACKAGE)
    for module in pkgutil.walk_packages(package.__path__, f"{PACKAGE}."):
        importlib.import_module(module.name)
    return {name: _declared[name] for name in sorted(_declared)}


@functools.cache
def thresholds() -> Law:
    """All dated thresholds, from `thresholds.toml`."""
    text = (resources.files("lakehouse.detection") / "thresholds.toml").read_text("utf-8")
    return parse("thresholds", text)


def limit_of(rule: str, name: str) -> pl.Expr:
    """A threshold of a rule in force on each row's gaming day; null before the first."""
    return thresholds().dated(rule, lambda p: float((p.params or {})[name]), pl.col("gaming_day"))


def evidence(
    table: str, *keys: str, day: str = "gaming_day", where: pl.Expr | None = None
) -> pl.Expr:
    """Rows of a table, for an aggregation: a list in order, each once, by its key's values with /
    between them and its gaming day, the column `day`; of those `where`, if it is given."""
    named = pl.concat_str([pl.col(k).cast(pl.String) for k in keys], separator="/")
    one = pl.struct(table_name=pl.lit(table), record_id=named, gaming_day=day)
    return (one if where is None else one.filter(where)).unique().sort().alias("evidence")


def _within(frame: pl.LazyFrame, back: int, days: Days) -> pl.LazyFrame:
    first = pl.lit(days[0]) - pl.duration(days=back)
    return frame.filter(pl.col("gaming_day").is_between(first, pl.lit(days[1])))


def _as_alerts(found: pl.LazyFrame, rule: Rule) -> pl.LazyFrame:
    score = pl.col("score").clip(0, 1).round(6)
    severity = (
        pl.when(score >= rule.limit("critical"))
        .then(pl.lit("CRITICAL"))
        .when(score >= rule.limit("warning"))
        .then(pl.lit("WARNING"))
        .otherwise(pl.lit("INFO"))
    )
    least = thresholds().dated(
        rule.name, lambda p: float((p.params or {}).get(LEAST, 0)), pl.col("gaming_day")
    )
    enough = (score >= least) | (score >= rule.limit("critical"))
    told = (
        found.filter(enough)
        .select(pl.col(c).cast(t) for c, t in FOUND.items())
        .with_columns(
            formatted("{}-{}-{}", pl.lit(rule.name), "gaming_day", "entity_id").alias("alert_id"),
            rule=pl.lit(rule.name),
            family=pl.lit(rule.family),
            entity_type=pl.lit(rule.entity),
            severity=severity,
            score=score,
            evidence_rows=pl.col("evidence").list.len().cast(pl.Int64),
            evidence=pl.col("evidence").list.head(MOST_EVIDENCE),
            suggested_action=pl.lit(rule.action),
        )
    )
    return told.select(contract("anomalies").bronze_schema().names())
