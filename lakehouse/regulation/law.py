"""Loads dated rules from the profile files beside this module."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from typing import Any, Literal, get_args

import polars as pl

from lakehouse.errors import BadInput, LawError

Operator = Literal[">", ">="]
MONEY = pl.Decimal(18, 2)


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

    def over(self, rule: str, amount: pl.Expr, day: pl.Expr) -> pl.Expr:
        """Whether an amount is over the threshold that `rule` has on a day; false outside
        its periods."""
        held = pl.lit(value=False)
        for period in self.periods(rule):
            held = held | (_in_force(period, day) & _beyond(period, amount))
        return held

    def dated(self, rule: str, of: Callable[[Period], Any], day: pl.Expr) -> pl.Expr:
        """A value of the period of `rule` in force on a day; null outside its periods."""
        value = pl.lit(None)
        for period in self.periods(rule):
            value = pl.when(_in_force(period, day)).then(pl.lit(of(period))).otherwise(value)
        return value

    def param(self, rule: str, name: str, day: dt.date) -> Any:
        """A named parameter of the period in force. Raises LawError where it is not stated."""
        params = self.on(rule, day).params or {}
        if name not in params:
            raise LawError(f"profile {self.profile!r}: rule {rule!r} has no {name!r} on {day}")
        return params[name]

    def periods(self, rule: str) -> tuple[Period, ...]:
        if rule not in self.rules:
            known = ", ".join(sorted(self.rules))
            raise LawError(f"profile {self.profile!r} has no rule {rule!r}; it has: {known}")
        return self.rules[rule]


def _in_force(period: Period, day: pl.Expr) -> pl.Expr:
    last = period.effective_to or dt.date.max
    return day.is_between(pl.lit(period.effective_from), pl.lit(last))


def _beyond(period: Period, amount: pl.Expr) -> pl.Expr:
    if period.amount is None or period.operator is None:
        raise LawError(f"rule {period.rule!r} has no amount and operator")
    limit = pl.lit(period.amount, dtype=MONEY)
    return amount > limit if period.operator == ">" else amount >= limit


def profiles() -> list[str]:
    files = resources.files("lakehouse.regulation").iterdir()
    names = (f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml"))
    return sorted(n for n in names if n != "games")  # rates of games are data, not a profile


@functools.cache
def load(profile: str) -> Law:
    """The named profile. Raises BadInput for an unknown one, LawError for a bad file, or one
    that lacks a rule which another profile states."""
    if profile not in profiles():
        raise BadInput(f"unknown profile {profile!r}; known: {', '.join(profiles())}")
    stated = {rule for other in profiles() for rule in _read(other).rules}
    law = _read(profile)
    if lacking := sorted(stated - law.rules.keys()):
        raise LawError(f"profile {profile!r} lacks rules: {', '.join(lacking)}")
    return law


@functools.cache
def _read(profile: str) -> Law:
    text = (resources.files("lakehouse.regulation") / f"{profile}.toml").read_text("utf-8")
    return parse(profile, text)


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
    operator = given.get("operator")
    if operator is not None and operator not in get_args(Operator):
        raise LawError(f"rule {given['rule']!r}: operator {operator!r}; allowed: > and >=")
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
