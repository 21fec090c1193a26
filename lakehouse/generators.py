"""The generators of casino data, one a table, all looking at one simulated world.

    from lakehouse.generators import SlotMachineGenerator

    slots = SlotMachineGenerator(num_machines=500, seed=42)
    df = slots.generate(10_000)
    slots.to_parquet(df, "slot_events.parquet")

Two generators with one seed and window describe one world: tables that nobody asked for keep
their default volume, so the visits and the players are the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from lakehouse.contracts import contract
from lakehouse.errors import BadInput
from lakehouse.simulate.config import NO_FAULTS, WINDOW, Faults, WorldConfig

if TYPE_CHECKING:
    from lakehouse.simulate.world import World

__all__ = [
    "ComplianceGenerator",
    "FinancialGenerator",
    "PlayerGenerator",
    "SecurityGenerator",
    "SlotMachineGenerator",
    "TableGameGenerator",
]

Day = dt.date | dt.datetime
START = dt.date(2025, 1, 1)


class _Generator:
    """Rows of one bronze table over a window of gaming days.

    `start_date` to `end_date`: gaming days, the end not included; of a datetime its date
    counts. Without them, 30 days from 2025-01-01. `faults`: whether defects, misconduct and
    filing faults are planted. Raises BadInput for a window, count or seed that is not allowed.
    """

    table: ClassVar[str]

    def __init__(
        self,
        *,
        seed: int = 42,
        start_date: Day | None = None,
        end_date: Day | None = None,
        num_machines: int | None = None,
        num_tables: int | None = None,
        num_players: int | None = None,
        faults: bool = True,
    ) -> None:
        first, days = window(start_date, end_date)
        self.config = WorldConfig(
            seed=seed,
            start=first,
            days=days,
            machines=num_machines,
            tables=num_tables,
            players=num_players,
            faults=Faults() if faults else NO_FAULTS,
        )

    @property
    def schema(self) -> pl.Schema:
        """Columns and types of the bronze table."""
        return contract(self.table).bronze_schema()

    def generate(self, n: int) -> pl.DataFrame:
        """Exactly `n` rows, spread over the window."""
        frames = list(self._frames(n))
        return pl.concat([contract(self.table).empty(), *frames])

    def generate_batches(self, n: int, batch_size: int = 10_000) -> Iterator[pl.DataFrame]:
        """The rows of `generate(n)` in frames of `batch_size` (the last may be shorter), made
        as they are asked for, so that memory does not grow with `n`."""
        from lakehouse.simulate.produce import batches

        if batch_size < 1:
            raise BadInput(f"batch_size {batch_size}: at least 1 is allowed")
        return batches(self._frames(n), self.table, batch_size)

    def to_parquet(self, df: pl.DataFrame, path: str | Path) -> None:
        """Writes the frame to one file, which is complete or absent."""
        from lakehouse.commands import replacing

        with replacing(Path(path), private=True) as beside:
            df.write_parquet(beside, compression="zstd")

    def _world(self, n: int) -> World:
        from dataclasses import replace

        from lakehouse.simulate.world import World

        if n < 0:
            raise BadInput(f"n {n}: 0 or more rows are allowed")
        return World(replace(self.config, rows={self.table: n}))

    def _frames(self, n: int) -> Iterator[pl.DataFrame]:
        from lakehouse.simulate.produce import table_frames

        return (rows for _, rows in table_frames(self._world(n), [self.table]))


def window(start: Day | None, end: Day | None) -> tuple[dt.date, int]:
    """First gaming day and number of days. Raises BadInput where the end is not after the start."""
    first = _date(start) if start is not None else None
    last = _date(end) if end is not None else None
    if first is None:
        first = last - dt.timedelta(days=WINDOW) if last is not None else START
    days = (last - first).days if last is not None else WINDOW
    if days < 1:
        raise BadInput(f"end_date {last}: it is not included and must be after start_date {first}")
    return first, days


def _date(day: Day) -> dt.date:
    return day.date() if isinstance(day, dt.datetime) else day


class SlotMachineGenerator(_Generator):
    """Slot telemetry: one row per machine event."""

    table = "slot_telemetry"


class TableGameGenerator(_Generator):
    """Table games: ratings, chips, markers, fills and credits."""

    table = "table_games"


class PlayerGenerator(_Generator):
    """Player profiles: one row per player and gaming day of an extract. A player has one row
    a day, so `n` may not exceed players times days."""

    table = "player_profile"


class FinancialGenerator(_Generator):
    """Cage transactions."""

    table = "financial_txn"


class SecurityGenerator(_Generator):
    """Security events."""

    table = "security_events"


class ComplianceGenerator(_Generator):
    """What the compliance office filed. Filings are consequences of the play: `generate(n)`
    gives the first `n` of them, or all where there are fewer."""

    table = "compliance"

    def _frames(self, n: int) -> Iterator[pl.DataFrame]:
        from lakehouse.simulate.produce import table_frames
        from lakehouse.simulate.world import World

        if n < 0:
            raise BadInput(f"n {n}: 0 or more rows are allowed")
        left = n
        for _, rows in table_frames(World(self.config), [self.table]):
            yield rows.head(left)
            left -= min(left, rows.height)
