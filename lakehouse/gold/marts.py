"""The registry of marts. Each is declared once, at its function; the asset, its dependencies,
the order, the cases of the law, the dictionary and the benchmarks follow from the declaration.

    @mart(silver("financial_txn"), silver("gaming_wins", around=1))
    def multiple_transaction_log(financial_txn, gaming_wins, *, days, ...): ...

The function's name is the table's, and its positional parameters are the tables that it reads.
Its other parameters are what it asks for: `days` (the first and the last), `wanted` (those among
them that the lake has), `law`, `timezone`, `as_of`, or a setting by its name.
"""

from __future__ import annotations

import datetime as dt
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from lakehouse.contracts import Contract, contract
from lakehouse.regulation.gaming_day import Days, each_day
from lakehouse.regulation.law import Law, load
from lakehouse.settings import Settings

EVERY = 36_500
"""Days: further than any lake reaches."""
ASKED = frozenset({"days", "wanted", "law", "timezone", "as_of"})
"""What a mart may ask for beside its inputs and settings."""

SOURCES = ("silver", "truth")
"""Layers whose tables no mart makes."""
Reach = int | Callable[[Law], int]
"""Gaming days, or how many follow from the law of the profile."""
Frames = Callable[..., pl.LazyFrame]

_declared: dict[str, Mart] = {}


@dataclass(frozen=True)
class Input:
    """A table that a mart reads: for a gaming day, the rows of that day and of the days `back`
    and `ahead` of it."""

    layer: str
    table: str
    back: Reach = 0
    ahead: Reach = 0
    only_if: str | None = None
    """A setting without which the table is not read; the function is given None then."""
    is_lookup: bool = False
    """Says more of the rows of other inputs, and makes no rows of its own."""

    def window(self, days: Days, law: Law) -> Days:
        """The gaming days that are read for a mart's `days`."""
        back, ahead = reach(self.back, law), reach(self.ahead, law)
        return (
            dt.date.min if back >= EVERY else days[0] - dt.timedelta(days=back),
            dt.date.max if ahead >= EVERY else days[1] + dt.timedelta(days=ahead),
        )


def silver(
    table: str,
    *,
    around: Reach = 0,
    back: Reach = 0,
    ahead: Reach = 0,
    only_if: str | None = None,
) -> Input:
    """A silver table, of the mart's days and so many more."""
    return Input("silver", table, back or around, ahead or around, only_if)


def gold(table: str, *, around: Reach = 0, back: Reach = 0, ahead: Reach = 0) -> Input:
    """Another mart, of the mart's days and so many more."""
    return Input("gold", table, back or around, ahead or around)


def truth(table: str, *, back: Reach = 0) -> Input:
    """What the simulator planted: for the scoring of detectors, and for nothing else."""
    return Input("truth", table, back)


def lookup(table: str) -> Input:
    """A silver table with history that is looked up, as a patron's profile is: what held on a
    day, or, where nothing did yet, what was known first."""
    return Input("silver", table, back=EVERY, ahead=EVERY, is_lookup=True)


@dataclass(frozen=True)
class Mart:
    """One table of gold or of the restricted zone, and how it is made."""

    name: str
    function: Frames
    inputs: tuple[Input, ...]
    settles: Reach = 0
    """Gaming days until what is known later no longer changes what is said of a day."""
    days_in_hand: int = EVERY
    """Gaming days whose rows are made together, of a mart that has many for each."""
    has_every_day: bool = False
    """Whether it has rows of a day of which its inputs have none."""

    @property
    def contract(self) -> Contract:
        return contract(self.name)

    @property
    def layer(self) -> str:
        return self.contract.layer

    @property
    def group(self) -> str:
        """What it belongs to: the part of the house that its contract stands with."""
        *_, part, _ = self.contract.schema.__module__.split(".")
        return "restricted" if self.layer == "restricted" else part

    def reads(self, settings: Settings) -> tuple[Input, ...]:
        """The inputs that these settings call for, of the parts of the house that there are."""
        return tuple(
            i
            for i in self.inputs
            if settings.has(i.table) and (i.only_if is None or getattr(settings, i.only_if))
        )

    def sources(self) -> frozenset[str]:
        """Silver tables without any of which the mart has no rows."""
        found: set[str] = set()
        for given in self.inputs:
            if given.layer == "silver" and not given.is_lookup:
                found.add(given.table)
            elif given.table in marts():
                found |= marts()[given.table].sources()
        return frozenset(found)

    def rows(
        self,
        frames: Mapping[str, pl.LazyFrame],
        *,
        settings: Settings,
        days: Days,
        as_of: dt.datetime,
        wanted: Sequence[dt.date] | None = None,
    ) -> pl.LazyFrame:
        """The mart's rows of `days`, or of those `wanted` among them, out of its inputs by
        table, as known at `as_of`."""
        every = each_day(days)
        known = {
            "days": days,
            "wanted": every if wanted is None else wanted,
            "law": load(settings.profile),
            "timezone": settings.timezone,
            "as_of": as_of,
        }
        asked = [n for n in _asked(self.function) if n in ASKED or n in Settings.model_fields]
        given = {n: known[n] if n in known else getattr(settings, n) for n in asked}
        unread = {i.table: None for i in self.inputs if i.table not in frames}
        made = self.function(**frames, **unread, **given)
        if wanted is None or len(wanted) == len(every):
            return made
        return made.filter(pl.col("gaming_day").is_in(wanted))


def mart(
    *inputs: Input, settles: Reach = 0, days_in_hand: int = EVERY, has_every_day: bool = False
) -> Callable[[Frames], Frames]:
    """Declares the decorated function as the mart of its name."""

    def declare(function: Frames) -> Frames:
        _refuse_misdeclared(function, inputs)
        name = function.__name__
        _declared[name] = Mart(name, function, inputs, settles, days_in_hand, has_every_day)
        return function

    return declare


def marts_of(settings: Settings) -> dict[str, Mart]:
    """The marts of the parts of the house that the lake has."""
    return {name: mart for name, mart in marts().items() if settings.has(name)}


@functools.cache
def marts() -> dict[str, Mart]:
    """All marts by name, each after those that it reads."""
    package = importlib.import_module("lakehouse.gold")
    for module in pkgutil.walk_packages(package.__path__, "lakehouse.gold."):
        importlib.import_module(module.name)
    ordered: dict[str, Mart] = {}

    def place(name: str) -> None:
        for given in _declared[name].inputs:
            if given.layer not in SOURCES:
                place(given.table)
        ordered.setdefault(name, _declared[name])

    for name in sorted(_declared):
        place(name)
    return ordered


def reach(days: Reach, law: Law) -> int:
    """Gaming days, by the law where they depend on it."""
    return days if isinstance(days, int) else days(law)


def _asked(function: Frames) -> dict[str, bool]:
    """What a mart asks for by name, and whether it must be given."""
    kinds = inspect.signature(function).parameters.values()
    return {p.name: p.default is p.empty for p in kinds if p.kind is p.KEYWORD_ONLY}


def _refuse_misdeclared(function: Frames, inputs: tuple[Input, ...]) -> None:
    mine = contract(function.__name__)
    parameters = inspect.signature(function).parameters.values()
    tables = [i.table for i in inputs]
    named = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    if not set(named) <= set(tables) or not (takes_any or set(tables) <= set(named)):
        raise TypeError(f"mart {function.__name__}: inputs {tables}, parameters {named}")
    hidden = [t for t in tables if contract(t).is_restricted]
    if hidden and not mine.is_restricted:
        raise TypeError(f"mart {function.__name__} is open to all, and reads restricted {hidden}")
    asked = _asked(function).items()
    unknown = [n for n, must in asked if must and n not in ASKED | Settings.model_fields.keys()]
    if unknown:
        raise TypeError(f"mart {function.__name__} asks for {unknown}, which is no setting")
