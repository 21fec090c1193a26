"""Sets the profile `tuned` on orders of which it is known whether they were fraud.

Each rule gets the lowest threshold at which four of five of its alerts are true, or the best it
can do, within its budget of false alerts. What it lifts the score to is the share of its alerts
that were true. The profile alerts from the score at which its own budget is spent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from lakehouse.detection.fraud.profiles import profile
from lakehouse.detection.fraud.quality import Bools
from lakehouse.detection.fraud.rules import RULES, Rule, judged_by
from lakehouse.regulation.law import Law, parse

BUDGET = 4
"""False alerts of the profile in 1,000 orders; of a rule, half as many."""
ASKED = 0.8
"""Share of a rule's alerts that are to be true."""
_STEPS = 60
_HALF = 0.7
_LEAST = 5
"""Alerts that a threshold must rest on."""


@dataclass(frozen=True)
class Threshold:
    at: float
    whole: float
    precision: float


def tuned(measures: pl.DataFrame, kinds: pl.Series, said: str, base: str = "streamify") -> str:
    """TOML of the profile. `kinds`: kind of fraud of each order, null for none; `said`: on what it
    was tuned; `base`: the profile whose weights and levels are kept."""
    found = {r.name: _threshold(r, measures, kinds) for r in RULES}
    law = parse("tuned", _toml(found, profile(base), said, 0.0))
    days = measures["gaming_day"].sort()
    score = judged_by(measures, law, (days[0], days[-1]))["score"].to_numpy()
    return _toml(found, profile(base), said, _spent(score, kinds.is_null().to_numpy()))


def _threshold(rule: Rule, measures: pl.DataFrame, kinds: pl.Series) -> Threshold:
    value = measures.select(rule.value.cast(pl.Float64).fill_null(0.0) / rule.unit).to_series()
    asked = kinds.is_not_null() if rule.finds is None else kinds == rule.finds
    hit = asked.fill_null(value=False).to_numpy()
    kept = hit | kinds.is_null().to_numpy()
    return best(value.to_numpy()[kept], hit[kept], rule.integral)


def best(value: NDArray[np.float64], hit: Bools, integral: bool = False) -> Threshold:
    """The lowest threshold of which `ASKED` of the alerts are true, or the truest one."""
    over = value[(value > 0) & hit]
    steps = np.unique(np.quantile(over, np.linspace(0, 1, _STEPS))) if len(over) else [1.0]
    steps = np.unique(np.ceil(steps)) if integral else np.array([float(f"{s:.3g}") for s in steps])
    most = BUDGET / 2 * len(value) / 1_000
    tried = []
    for at in steps:
        alert = value >= at
        alerts, false = int(alert.sum()), int((alert & ~hit).sum())
        if alerts >= _LEAST and false <= most:
            tried.append((min(1 - false / alerts, ASKED), -float(at), 1 - false / alerts))
    at, precision = (-max(tried)[1], max(tried)[2]) if tried else (float(steps[-1]), 0.0)
    strong = over[over >= at]
    whole = float(f"{np.median(strong):.3g}") if len(strong) else at
    return Threshold(at, max(whole, at), round(precision, 2))


def _spent(score: NDArray[np.float64], honest: Bools) -> float:
    """The lowest score from which no more than `BUDGET` in 1,000 orders are false alerts."""
    most = int(BUDGET * len(score) / 1_000)
    false = np.sort(score[honest])[::-1]
    return float(np.ceil(false[most] * 1_000 + 1) / 1_000) if most < len(false) else 0.0


def _toml(found: dict[str, Threshold], base: Law, said: str, low: float) -> str:
    kept = {name: dict(base.periods(name)[-1].params or {}) for name in ("weights", "levels")}
    kept["levels"]["low"] = max(low, 0.001)
    tables = [
        _table(name, params, "As streamify; `low` by the budget") for name, params in kept.items()
    ]
    for name, t in found.items():
        whole = t.whole if t.whole > t.at else t.at + 1
        params = {"at": t.at, "whole": whole, "half": _HALF, "lift": t.precision}
        true = f"{t.precision:.0%} of its alerts were true"
        none = "no threshold kept the budget, so that it counts by its part alone"
        tables.append(_table(name, params, f"{said}: {true if t.precision else none}"))
    return "\n\n".join([_HEAD.format(said=said, budget=BUDGET), *tables]) + "\n"


def _table(name: str, params: dict[str, float], citation: str) -> str:
    shown = ", ".join(f"{k} = {float(v):g}" for k, v in params.items())
    return (
        f'[[rule]]\nname = "{name}"\neffective_from = 2000-01-01\n'
        f'params = {{ {shown} }}\ncitation = "{citation}"'
    )


_HEAD = """# Written by `python -m benchmarks fraud_training`, from {said}:
# lakehouse/detection/fraud/tuning.py says how. Keys are those of streamify.toml; the budget is
# {budget} false alerts in 1,000 orders."""
