"""The registry of producers. Each is declared once, at the function that makes a gaming day of
its table; what the simulator fills, and so what is landed instead, follows.

    @producer("gaming_wins")
    def gaming_wins(world, day): ...

A producer gives a day's rows in bronze shape, or as numbers that its `dress` makes bronze rows
of, several days or a stretch of a day at a time.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import polars as pl

from lakehouse.contracts import doors
from lakehouse.simulate.kernel.arrays import join, narrow, take, wide
from lakehouse.simulate.kernel.config import ROWS, WorldConfig
from lakehouse.simulate.kernel.counter import I64
from lakehouse.simulate.kernel.memory import Remembered, by_day, near
from lakehouse.simulate.kernel.world import World

STRETCH_ROWS = 50_000
"""Rows that are made at a time: memory follows them and not the day."""
PACKAGE = "lakehouse.simulate"

Make = TypeVar("Make", bound=Callable[..., Any])
Label = Callable[[World, int], pl.DataFrame]
Evidence = Callable[[World, int], Mapping[str, pl.Series]]
Stretches = Callable[[World, int], Sequence[range]]

_declared: dict[str, Producer] = {}
_labels: dict[str, tuple[str, Label]] = {}


@dataclass(frozen=True)
class Producer:
    """How a source table's rows are made, and what may go wrong with them."""

    table: str
    make: Callable[..., Any]
    dress: Callable[[WorldConfig, Any], pl.DataFrame] | None
    stretches: Stretches | None
    clashing: str | None
    """Column in which the second row of a key differs. Without one every row has a consequence,
    and gets only what silver heals."""
    needed: Callable[[World, int], I64] | None
    """Players of a day whose rows must not be lost."""
    needed_rows: pl.Expr | None
    """Bronze rows that must not be lost, whosever they are."""
    evidence: Evidence | None = None
    """Of a day, column → values in rows on which what was planted rests: they are not touched."""
    untimed: bool = False
    """Whether the source sends rows without a time."""

    def cut(self, world: World, day: int) -> Sequence[range]:
        """The positions of the day's rows that are made together. All, where days are small."""
        if self.stretches is not None:
            return self.stretches(world, day)
        rows = world.config.quota(self.table, day) if self.table in ROWS else 0
        if world.block > 1 or 0 < rows <= STRETCH_ROWS:
            return (range(rows),)
        return self._cuts(world, day)

    def numbers(self, world: World, day: int, stretch: int) -> Any:
        """A stretch of a day, before `dressed`."""
        if self.stretches is not None:
            return self.make(world, day, stretch)
        if world.block > 1:
            return self.make(world, day)
        whole, parts = self._remembered(world, day), self.cut(world, day)
        if len(parts) == 1:
            return whole
        at = parts[stretch]
        if stretch == len(parts) - 1:
            self._remembered.let_go(world)
        if isinstance(whole, pl.DataFrame):
            return whole[at.start : at.stop]
        return take(whole, slice(at.start, at.stop))

    def dressed(self, config: WorldConfig, parts: Sequence[Any]) -> pl.DataFrame:
        """Days or stretches as bronze rows, one after another."""
        whole = join(parts)
        return whole if self.dress is None else self.dress(config, wide(whole))

    @functools.cached_property
    def _remembered(self) -> Remembered[Any]:
        # One large day at a time, until its last stretch is taken.
        return by_day(1)(self._kept)

    @functools.cached_property
    def _cuts(self) -> Callable[[World, int], list[range]]:
        return by_day(near)(self._even)

    def _even(self, world: World, day: int) -> list[range]:
        rows = len(self._remembered(world, day))
        count = max(1, -(-rows // STRETCH_ROWS))
        return [range(k * rows // count, (k + 1) * rows // count) for k in range(count)]

    def _kept(self, world: World, day: int) -> Any:
        made = self.make(world, day)
        return made if self.dress is None else narrow(made)


def producer(
    table: str,
    *,
    dress: Callable[[WorldConfig, Any], pl.DataFrame] | None = None,
    stretches: Stretches | None = None,
    clashing: str | None = None,
    needed: Callable[[World, int], I64] | None = None,
    needed_rows: pl.Expr | None = None,
    evidence: Evidence | None = None,
    untimed: bool = False,
) -> Callable[[Make], Make]:
    """Declares the decorated function as the one that makes a day of `table`: of a world and
    a day, or, where the table has `stretches` of its own, of these and a stretch's number."""

    def declare(make: Make) -> Make:
        _declared[table] = Producer(
            table, make, dress, stretches, clashing, needed, needed_rows, evidence, untimed
        )
        return make

    return declare


def label(table: str) -> Callable[[Label], Label]:
    """Declares the decorated function as one that tells what was planted on a day (the shape
    of truth/plants) in `table` and those of its domain, beside the defects of rows."""

    def declare(function: Label) -> Label:
        _labels[function.__name__] = (table, function)
        return function

    return declare


@functools.cache
def producers() -> dict[str, Producer]:
    """All producers by table, in the order of the contracts."""
    _find()
    return {t: _declared[t] for t in doors() if t in _declared}


@functools.cache
def labels() -> tuple[tuple[str, Label], ...]:
    """(table, function) of all that tell what was planted, in order of name."""
    _find()
    return tuple(_labels[name] for name in sorted(_labels))


@functools.cache
def _find() -> None:
    package = importlib.import_module(PACKAGE)
    for folder in pkgutil.iter_modules(package.__path__, f"{PACKAGE}."):
        if folder.ispkg:
            found = importlib.import_module(folder.name)
            for module in pkgutil.walk_packages(found.__path__, f"{folder.name}."):
                importlib.import_module(module.name)
