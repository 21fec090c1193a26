"""Findings: where what must hold between tables does not, and what settles it.

A truth is a pure function of LazyFrames that returns findings, one row per breach (shape
`FINDINGS`). A day's findings come from that day's rows alone, so that days may be checked one
by one or together. Inputs are named `layer.table`, in the order of the function's parameters.
A truth of the books sums entries on two sides; the same entries, of the rows that are kept out
of silver, tell which of them explain a finding.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

from lakehouse.gold.money import dollars
from lakehouse.quality.attribution import KEPT, explained, put_back
from lakehouse.texts import formatted

FINDINGS = pl.Schema(
    {
        "gaming_day": pl.Date(),
        "subject": pl.String(),
        "expected": pl.Decimal(18, 2),
        "found": pl.Decimal(18, 2),
        "since": pl.Datetime("us", "UTC"),
        "until": pl.Datetime("us", "UTC"),
        "may_exceed": pl.Boolean(),
    }
)
"""Without `since` and `until` a finding is of the whole gaming day. `may_exceed`: more found
than expected would be no breach."""
EXPLAINED = pl.Schema(dict(FINDINGS) | {n: pl.List(pl.String()) for n in ("rows", "rules")})
"""Findings with the rows kept out of silver that settle each one to the cent, and the rules
that kept them out. Without rows a finding is unexplained."""

Frames = Callable[..., pl.LazyFrame]


@dataclass(frozen=True)
class Truth:
    """`blocking`: a breach is a fault of the pipeline and stops what comes after. Where it is
    not, a breach that no row kept out explains is news about the casino or its records.

    `sides` say in words what is expected and what is found. `entries` are both sides of the
    books, a row for each row of the inputs; `hidden_by` is the column without which the subject
    of a row is unknown. `of_patrons`: its subjects are people or lead to them."""

    name: str
    inputs: tuple[str, ...]
    function: Frames
    blocking: bool
    description: str
    sides: tuple[str, str]
    entries: Frames | None = None
    hidden_by: str = ""
    of_patrons: bool = False
    allowed: pl.Expr | None = None
    """Dollars by which the sides may differ and nothing be wrong, where no row kept out is why."""

    @property
    def tables(self) -> list[tuple[str, str]]:
        """Layer and name of each input."""
        return [(layer, table) for layer, table in (name.split(".") for name in self.inputs)]


TRUTHS: dict[str, Truth] = {}


def judged(truth: Truth, scan: Callable[[str, str], pl.LazyFrame]) -> pl.DataFrame:
    """Findings of a truth in the shape `EXPLAINED`. `scan` opens a table by layer and name,
    for the days that are judged; quarantine is asked for only where there is a finding."""
    found = truth.function(*(scan(layer, table) for layer, table in truth.tables)).collect()
    if truth.entries is None or found.is_empty():
        nothing = pl.lit([], EXPLAINED["rows"])
        return found.with_columns(rows=nothing, rules=nothing)
    kept_out = [put_back(table, scan("quarantine", table)) for _, table in truth.tables]
    known = explained(found, truth.entries(*kept_out), truth.hidden_by)
    if truth.allowed is None:
        return known
    apart = (pl.col("expected") - pl.col("found")).abs().cast(pl.Float64)
    return known.filter((pl.col("rows").list.len() > 0) | (apart > truth.allowed))


PATRONS = "patrons, named to those with the grant"


def openly(truth: Truth, found: pl.DataFrame) -> pl.DataFrame:
    """Findings as everybody may see them. That a day's books differ is a fact of the cage; whom
    nothing explains is where a review begins, so that of patrons only the days are told of
    unexplained ones, not how many or who (31 U.S.C. 5318(g)(2))."""
    if not truth.of_patrons:
        return found
    is_explained = pl.col("rows").list.len() > 0
    days = found.filter(~is_explained).select(pl.col("gaming_day").unique())
    nothing = pl.lit([], EXPLAINED["rows"])
    told = days.with_columns(subject=pl.lit(PATRONS), rows=nothing, rules=nothing)
    return pl.concat([found.filter(is_explained), told], how="diagonal").sort(
        "gaming_day", "subject", "expected", "found"
    )


def summed_up(truth: Truth, found: pl.DataFrame) -> dict[dt.date, dict[str, Any]]:
    """By gaming day of a truth's findings in the shape `EXPLAINED`: how many are `unexplained`
    and how many `explained`, `explained_by` the rules with their findings, and the `first` one,
    an unexplained one where there is any."""
    known = pl.col("rows").list.len() > 0
    days = (
        found.with_columns(words=_in_words(truth.sides), is_explained=known)
        .sort("gaming_day", "is_explained", maintain_order=True)
        .group_by("gaming_day", maintain_order=True)
        .agg(
            unexplained=(~pl.col("is_explained")).sum(),
            explained=pl.col("is_explained").sum(),
            explained_by=pl.col("rules").explode().drop_nulls().value_counts(),
            first=pl.col("words").first(),
        )
    )
    named = days.with_columns(
        pl.col("explained_by")
        .list.eval(formatted("{} {}", pl.element().struct["rules"], pl.element().struct["count"]))
        .list.sort()
        .list.join(", ")
    )
    return {row.pop("gaming_day"): row for row in named.iter_rows(named=True)}


def _in_words(sides: tuple[str, str]) -> pl.Expr:
    cause = formatted(
        ", explained by {} ({})", pl.col("rows").list.join(", "), pl.col("rules").list.join(", ")
    )
    explained = pl.when(pl.col("rows").list.len() > 0).then(cause).otherwise(pl.lit(""))
    both = f"{{}}: {sides[0]} {{}}, {sides[1]} {{}}{{}}"
    return pl.coalesce(formatted(both, "subject", "expected", "found", explained), "subject")


def truth(
    *inputs: str,
    sides: tuple[str, str],
    blocking: bool = False,
    entries: Frames | None = None,
    hidden_by: str = "",
    of_patrons: bool = False,
    allowed: pl.Expr | None = None,
) -> Callable[[Frames], Frames]:
    """Declares the decorated function as the truth of its name; its docstring says it in words."""

    def register(function: Frames) -> Frames:
        name = function.__name__
        text = " ".join((function.__doc__ or "").split())
        TRUTHS[name] = Truth(
            name, inputs, function, blocking, text, sides, entries, hidden_by, of_patrons, allowed
        )
        return function

    return register


def findings(breaches: pl.LazyFrame, **more: pl.Expr) -> pl.LazyFrame:
    """Breaches in cents, in the shape of findings and a settled order."""
    given = {"since": pl.lit(None), "until": pl.lit(None), "may_exceed": pl.lit(value=False)}
    sides = (dollars("expected"), dollars("found"))
    shaped = breaches.select("gaming_day", "subject", *sides, **(given | more)).cast(FINDINGS)
    return shaped.sort("gaming_day", "subject", "expected", "found")


def entries_of(rows: pl.LazyFrame, subject: str | pl.Expr, **sides: pl.Expr) -> pl.LazyFrame:
    """One entry a row: cents on one side or on both."""
    both = {"expected": pl.lit(0), "found": pl.lit(0)} | sides
    money = {side: amount.fill_null(0).cast(pl.Int64) for side, amount in both.items()}
    text = pl.col(subject) if isinstance(subject, str) else subject
    return rows.select("gaming_day", KEPT, subject=text.cast(pl.String), **money)


def summed(entries: pl.LazyFrame) -> pl.LazyFrame:
    """Both sides by gaming day and subject."""
    return entries.group_by("gaming_day", "subject").agg(pl.col("expected", "found").sum())


def unequal(entries: pl.LazyFrame) -> pl.LazyFrame:
    """Keeps the subjects whose two sides differ, as findings."""
    return findings(summed(entries).filter(pl.col("expected") != pl.col("found")))


def short(entries: pl.LazyFrame) -> pl.LazyFrame:
    """Findings where less is found than expected."""
    less = summed(entries).filter(pl.col("found") < pl.col("expected"))
    return findings(less, may_exceed=pl.lit(value=True))
