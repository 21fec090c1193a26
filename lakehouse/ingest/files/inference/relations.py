"""What columns of numbers and times say of each other: which of them follow from others."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations, permutations

import numpy as np
import polars as pl

from lakehouse.ingest.files.inference.forms import Habits, numbers
from lakehouse.ingest.files.inference.looks import Look

_ROWS = 4
_FEW = 3
_HOLDS = 0.95
_MOST = 12
"""Columns of numbers that are tried with each other."""


@dataclass(frozen=True)
class Relations:
    """Columns of the file, by what others say of them. `balances`: balance → the amount that it
    follows from. `products`: result → its factors. `payouts`: total → what was staked and won
    beyond. `sides`: two columns of which each row has one. `odds`: what a stake is multiplied by
    to give stake and profit."""

    balances: dict[str, str] = field(default_factory=dict)
    products: dict[str, tuple[str, str]] = field(default_factory=dict)
    payouts: dict[str, tuple[str, str]] = field(default_factory=dict)
    sides: tuple[tuple[str, str], ...] = ()
    odds: frozenset[str] = frozenset()


def related(looks: list[Look], habits: Habits) -> Relations:
    """Relations that hold in nearly all of the rows, and in four at least."""
    found = {}
    for look in looks:
        values = numbers(look, habits)
        if values is not None and not look.is_unique_whole:
            found[look.name] = values
    few = dict(list(found.items())[:_MOST])
    return Relations(_balances(few), _products(few), _payouts(few), _sides(looks, few), _odds(few))


def _holds(left: np.ndarray, right: np.ndarray) -> bool:
    both = np.isfinite(left) & np.isfinite(right)
    if both.sum() < _ROWS:
        return False
    close = np.abs(left[both] - right[both]) <= 0.0051
    return bool(close.mean() >= _HOLDS and np.unique(left[both]).size > 2)


def ends(moments: dict[str, pl.Series]) -> tuple[str, str]:
    """The column that is never after another in its row, and the one that is never before;
    nothing, where rows do not tell."""

    def is_outer(name: str, *, late: bool) -> bool:
        others = [x for n, x in moments.items() if n != name]
        gaps = [((moments[name] - x) if late else (x - moments[name])).drop_nulls() for x in others]
        seconds = [g.dt.total_seconds() for g in gaps]
        return all(len(s) >= _FEW and (s >= 0).all() and (s > 0).any() for s in seconds)

    if len(moments) < 2:
        return "", ""
    first = [n for n in moments if is_outer(n, late=False)]
    last = [n for n in moments if is_outer(n, late=True)]
    return (first[0] if first else "", last[0] if last else "")


def _balances(given: dict[str, pl.Series]) -> dict[str, str]:
    """Down the file or up it, with the sign of the amount or against it."""
    found: dict[str, str] = {}
    for balance, amount in permutations(given, 2):
        b, a = given[balance].to_numpy(), given[amount].to_numpy()
        steps = b[1:] - b[:-1]
        if any(_holds(np.abs(steps), np.abs(x)) for x in (a[1:], a[:-1])):
            found.setdefault(balance, amount)
    return found


def _products(given: dict[str, pl.Series]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for left, right in combinations(given, 2):
        a, b = given[left].to_numpy(), given[right].to_numpy()
        if np.nanstd(a) == 0 or np.nanstd(b) == 0:
            continue
        for total in given:
            if total in (left, right) or not _holds(given[total].to_numpy(), a * b):
                continue
            found.setdefault(total, (left, right))
    return found


def _payouts(given: dict[str, pl.Series]) -> dict[str, tuple[str, str]]:
    """Total = staked + won beyond. What was staked is never negative; the other may be."""
    found: dict[str, tuple[str, str]] = {}
    for stake, profit in permutations(given, 2):
        s, p = given[stake].to_numpy(), given[profit].to_numpy()
        if np.nanmin(s) < 0 or not (np.nanmin(p) < 0):
            continue
        for total in given:
            if total not in (stake, profit) and _holds(given[total].to_numpy(), s + p):
                found.setdefault(total, (stake, profit))
    return found


def _odds(given: dict[str, pl.Series]) -> frozenset[str]:
    values = {n: x.to_numpy() for n, x in given.items()}
    return frozenset(
        odds
        for stake, profit, odds in permutations(values, 3)
        if np.nanmin(values[stake]) >= 0 and np.nanmin(values[profit]) < 0
        if _holds(values[stake] * values[odds], values[stake] + values[profit])
    )


def _sides(looks: list[Look], given: dict[str, pl.Series]) -> tuple[tuple[str, str], ...]:
    texts = {k.name: k.texts for k in looks if k.name in given}
    pairs = []
    for left, right in combinations(texts, 2):
        has = texts[left].is_not_null().to_numpy(), texts[right].is_not_null().to_numpy()
        if (has[0] ^ has[1]).all() and has[0].any() and has[1].any():
            pairs.append((left, right))
    return tuple(pairs)
