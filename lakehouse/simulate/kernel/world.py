"""What a producer knows of the simulated casino: its settings, its clock, and the facts that
domains tell one another, so that none of them has to import another."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

import polars as pl

from lakehouse.regulation.law import Law
from lakehouse.simulate.kernel.cash import Cash
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.kernel.counter import I64, U64
from lakehouse.simulate.kernel.player_totals import PlayerTotals
from lakehouse.simulate.kernel.scenario import Scenario


class World(Protocol):
    """One simulated casino. Days are counted from its start, players by number; each fact is
    the same whoever asks for it, and in whatever order."""

    config: WorldConfig
    law: Law
    block: int
    """Days that are made together."""
    near: int
    """Days around the one in work of which plan and cash are remembered."""

    def utc(self, day: int, second: I64) -> I64:
        """Microseconds since the epoch of seconds since 06:00."""

    def blocks(self, days: tuple[dt.date, dt.date]) -> list[range]:
        """The days from the first to the last in runs that are made together."""

    def scenarios(self, day: int) -> list[Scenario]:
        """What is planted on the day, in order of number."""

    def cash(self, day: int) -> Cash:
        """What changed hands at the cage, before it is written down."""

    def wins(self, day: int) -> pl.DataFrame:
        """Hand-paid wins: one row per win that may be reportable."""

    def named(self, day: int) -> I64:
        """Sorted players who did anything on the day."""

    def totals(self, day: int, who: I64) -> PlayerTotals:
        """What each of `who` has done in all through the day."""

    def filed(self, day: int) -> I64:
        """Sorted players whom a record of the compliance office names that day."""

    def obliged(self, day: int) -> I64:
        """Sorted players on whose rows of the day a currency report rests."""

    def reports(self, day: int) -> U64:
        """By position in the day's `cash`, the currency report filed on the row; 0: none."""
