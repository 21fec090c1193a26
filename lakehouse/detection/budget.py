"""Scores from which a family's alerts stay within so many a day, set on days that are over.

Scores compare alerts of one rule alone, so that each rule of the family keeps the same share of its
own. What is CRITICAL is told whatever the budget.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, replace

import polars as pl

from lakehouse.contracts.alert_shape import FAMILIES
from lakehouse.detection.registry import LEAST, rules, thresholds
from lakehouse.errors import BadInput
from lakehouse.regulation.gaming_day import Days
from lakehouse.regulation.law import Period

_STEP = 1e-6
"""Of scores: they have six digits."""


@dataclass(frozen=True)
class Proposal:
    """A score from which a rule's alerts are told, and how many of a window's that are."""

    rule: str
    least: float
    alerts: int
    told: int


def proposals(alerts: pl.DataFrame, family: str, days: Days, per_day: float) -> list[Proposal]:
    """One a rule of the family with an alert in `days`. `alerts`: gold.anomalies of at least these
    days. Raises BadInput for a family without rules to set, a budget that is no number above 0, or
    days without an alert of the family."""
    if family not in FAMILIES or family == "cash" or not _of(family):
        known = sorted({r.family for r in rules().values()} - {"cash"})
        raise BadInput(f"--family {family!r}: allowed are {', '.join(known)}")
    if not (per_day > 0 and math.isfinite(per_day)):
        raise BadInput(f"--per-day {per_day}: a number above 0")
    inside = pl.col("gaming_day").is_between(*days) & (pl.col("family") == family)
    found = alerts.filter(inside)
    if found.is_empty():
        raise BadInput(f"no alert of family {family!r} from {days[0]} to {days[1]}")
    allowed = per_day * ((days[1] - days[0]).days + 1)
    share = min(1.0, allowed / found.height)
    scores = {r: found.filter(rule=r)["score"].sort(descending=True).to_list() for r in _of(family)}
    return [_proposal(rule, mine, share) for rule, mine in scores.items() if mine]


def _of(family: str) -> list[str]:
    return [name for name, rule in rules().items() if rule.family == family]


def _proposal(rule: str, scores: list[float], share: float) -> Proposal:
    """`scores`: highest first. Of equal scores all are kept, or none."""
    kept = math.floor(share * len(scores) + _STEP)
    if kept == len(scores):
        least = _params(rule).get(LEAST, 0.0)
    elif kept and scores[kept - 1] > scores[kept]:
        least = scores[kept - 1]
    else:
        least = round(scores[kept] + _STEP, 6)
    least = min(least, _params(rule)["critical"])
    return Proposal(rule, least, len(scores), sum(s >= least for s in scores))


def _params(rule: str) -> dict[str, float]:
    return {k: float(v) for k, v in (thresholds().periods(rule)[-1].params or {}).items()}


def as_toml(found: list[Proposal], days: Days, per_day: float) -> str:
    """The newest period of each rule as it ends with `days`, and the one that begins after them: in
    thresholds.toml the two stand in the place of the first. Raises BadInput where a rule's newest
    period begins after `days`."""
    said = f"{per_day:g} alerts of the family a day, set on {days[0]} to {days[1]}"
    return "\n".join(_period(p) for proposal in found for p in _periods(proposal, days[1], said))


def _periods(proposal: Proposal, last: dt.date, said: str) -> tuple[Period, Period]:
    newest = thresholds().periods(proposal.rule)[-1]
    if newest.effective_from > last:
        raise BadInput(
            f"rule {proposal.rule!r} has thresholds from {newest.effective_from} on; --to {last} "
            "is before"
        )
    params = {**(newest.params or {}), LEAST: proposal.least}
    told = f"{newest.citation}. {LEAST}: {said}; {proposal.told} of {proposal.alerts} there"
    after = replace(
        newest, effective_from=last + dt.timedelta(days=1), params=params, citation=told
    )
    return replace(newest, effective_to=last), after


def _period(period: Period) -> str:
    params = ", ".join(f"{name} = {value}" for name, value in (period.params or {}).items())
    ends = f"effective_to = {period.effective_to}\n" if period.effective_to else ""
    cited = (period.citation or "").replace("\\", "\\\\").replace('"', '\\"')
    return (
        f'[[rule]]\nname = "{period.rule}"\neffective_from = {period.effective_from}\n{ends}'
        f'params = {{ {params} }}\ncitation = "{cited}"\n'
    )
