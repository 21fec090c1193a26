"""Loads dated rules from the profile files beside this module."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from typing import Any, Literal

from lakehouse.errors import BadInput, LawError

Operator = Literal[">", ">="]


@dataclass(frozen=True)
class Period:
    """One rule while it is in force, from `effective_from` to `effective_to` inclusive."""

    rule: str
    effective_from: dt.date
    effective_to: dt.date | None
    citation: str
    amount: Decimal | None = None
    operator: Operator | None = None
    basis: str | None = None
    clock: str | None = None
    rate: Decimal | None = None
    times_wager: int | None = None
    due_days: int | None = None
    retain_years: int | None = None
    params: Mapping[str, Any] | None = None

    def covers(self, day: dt.date) -> bool:
        return self.effective_from <= day and (
            self.effective_to is None or day <= self.effective_to
        )

    def exceeded_by(self, amount: Decimal) -> bool:
        """Whether an amount in dollars is over (or at, as the law says) the threshold."""
        if self.amount is None or self.operator is None:
            raise LawError(f"rule {self.rule!r} has no amount and operator")
        return amount > self.amount if self.operator == ">" else amount >= self.amount


@dataclass(frozen=True)
class Law:
    """A jurisdiction profile: rule name → its periods in order, without gaps or overlaps."""

    profile: str
    rules: Mapping[str, tuple[Period, ...]]

    def on(self, rule: str, day: dt.date) -> Period:
        """The period of `rule` in force on `day`. Raises LawError where there is none."""
        for period in self.periods(rule):
            if period.covers(day):
                return period
        raise LawError(f"profile {self.profile!r} has no {rule!r} in force on {day}")

    def periods(self, rule: str) -> tuple[Period, ...]:
        if rule not in self.rules:
            known = ", ".join(sorted(self.rules))
            raise LawError(f"profile {self.profile!r} has no rule {rule!r}; it has: {known}")
        return self.rules[rule]


def profiles() -> list[str]:
    files = resources.files("lakehouse.regulation").iterdir()
    names = (f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml"))
    return sorted(n for n in names if n != "games")  # rates of games are data, not a profile


@functools.cache
def load(profile: str) -> Law:
    """The named profile. Raises BadInput for an unknown one, LawError for a bad file."""
    if profile not in profiles():
        raise BadInput(f"unknown profile {profile!r}; known: {', '.join(profiles())}")
    return parse(
        profile, (resources.files("lakehouse.regulation") / f"{profile}.toml").read_text("utf-8")
    )


def parse(profile: str, toml: str) -> Law:
    """Law from TOML text: one `[[rule]]` table per rule and period."""
    try:
        entries = tomllib.loads(toml, parse_float=Decimal)["rule"]
        found = [_period(e) for e in entries]
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise LawError(f"profile {profile!r} cannot be read: {error}") from error
    names = dict.fromkeys(p.rule for p in found)
    return Law(profile, {n: _contiguous(n, [p for p in found if p.rule == n]) for n in names})


def _period(entry: dict[str, Any]) -> Period:
    given = dict(entry)
    given["rule"] = given.pop("name")
    for field in ("amount", "rate"):
        if field in given:
            given[field] = Decimal(str(given[field]))
    return Period(**({"effective_to": None} | given))


def _contiguous(name: str, periods: list[Period]) -> tuple[Period, ...]:
    ordered = sorted(periods, key=lambda p: p.effective_from)
    for before, after in itertools.pairwise(ordered):
        if before.effective_to is None or before.effective_to >= after.effective_from:
            raise LawError(f"rule {name!r}: periods overlap at {after.effective_from}")
        if before.effective_to + dt.timedelta(days=1) != after.effective_from:
            raise LawError(
                f"rule {name!r}: no period between {before.effective_to} and {after.effective_from}"
            )
    return tuple(ordered)
