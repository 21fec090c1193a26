"""Profiles: dated thresholds and weights of the rules of fraud, a TOML file each."""

from __future__ import annotations

import functools
from importlib import resources

import polars as pl

from lakehouse.contracts.shop.fraud import PROFILES
from lakehouse.errors import BadInput
from lakehouse.regulation.gaming_day import Days
from lakehouse.regulation.law import Law, parse


@functools.cache
def profile(name: str) -> Law:
    """The named profile. Raises BadInput for an unknown one."""
    if name not in PROFILES:
        raise BadInput(f"unknown profile {name!r} of fraud; known: {', '.join(PROFILES)}")
    text = (resources.files("lakehouse.detection.fraud") / f"{name}.toml").read_text("utf-8")
    return parse(name, text)


def limit(law: Law, rule: str, name: str, days: Days) -> pl.Expr:
    """The number of that name in force on each row's gaming day, of rows of `days`: one for all
    where it is the same."""
    for period in law.periods(rule):
        if period.covers(days[0]) and period.covers(days[1]):
            return pl.lit(float((period.params or {})[name]))
    return law.dated(rule, lambda p: float((p.params or {})[name]), pl.col("gaming_day"))
