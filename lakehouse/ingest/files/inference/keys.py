"""Columns that tell a row from every other together, where none does alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import polars as pl

from lakehouse.contracts import Contract
from lakehouse.ingest.files.inference.assignment import Chosen
from lakehouse.ingest.files.inference.looks import Look, spoken

_MOST = 12
"""Columns that are tried with each other."""
_BY_CHANCE = 0.05
_NUMBERED = r"\d"


def with_composite_key(looks: list[Look], chosen: list[Chosen], c: Contract) -> list[Chosen]:
    """The choices, with a key of two or three columns in place of the row's place. Rows that no
    two columns tell apart by more than chance keep their place."""
    key = c.key[0]
    parts = [k for k in looks if _may_tell(k, chosen, c)][:_MOST]
    if not any(x.ours == key and x.rule.get("value") == "row_key()" for x in chosen):
        return chosen
    found = _together(parts, 2) or _together(parts, 3)
    if found is None:
        return chosen
    made = _key(key, *found)
    return [made if x.ours == key else x for x in chosen]


def _may_tell(look: Look, chosen: list[Chosen], c: Contract) -> bool:
    """Numbers, codes and days that are always there; what is an amount or a count tells how much,
    and not which."""
    taken = [c.columns[x.ours].dtype for x in chosen if look.name in x.theirs]
    is_measure = any(t.is_numeric() for t in taken)
    is_amount = look.is_fractional and not any(t.is_temporal() for t in taken)
    is_there = not look.is_empty and look.texts.null_count() == 0
    named = is_there and look.share(_NUMBERED) > 0.9 and not look.is_prose
    return named and not is_measure and not is_amount


def _together(parts: Sequence[Look], size: int) -> tuple[tuple[Look, ...], float] | None:
    """The columns of which it is least by chance that no two rows are alike in all, and how many
    pairs of rows would be, were the columns nothing to each other."""
    tried = [(c, _pairs_by_chance(c)) for c in combinations(parts, size)]
    beyond = [t for t in tried if len(tried) * math.exp(-t[1]) < _BY_CHANCE and _tells(t[0])]
    return max(beyond, key=lambda t: t[1], default=None)


def _pairs_by_chance(columns: Sequence[Look]) -> float:
    rows = len(columns[0].texts)
    shares = (float((k.texts.value_counts()["count"] / rows).pow(2).sum()) for k in columns)
    return rows * (rows - 1) / 2 * math.prod(shares)


def _tells(columns: Sequence[Look]) -> bool:
    return not pl.DataFrame([k.texts for k in columns]).is_duplicated().any()


def _key(ours: str, columns: Sequence[Look], alike: float) -> Chosen:
    names = [k.name for k in columns]
    said = ", ".join(map(repr, names[:-1])) + f" and {names[-1]!r}"
    rows = len(columns[0].texts)
    why = (
        f"no column comes once; {said} together do in all {rows:,} rows of the sample, where "
        f"chance would have {alike:,.0f} pairs of rows alike",
    )
    value = f"key({', '.join(map(spoken, names))})"
    return Chosen(ours, tuple(names), {"value": value}, 0.85, why)
