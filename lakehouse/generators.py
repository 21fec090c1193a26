"""The generators of casino data, one a table, all looking at one simulated world.

    from lakehouse.generators import SlotMachineGenerator

    slots = SlotMachineGenerator(num_machines=500, seed=42)
    df = slots.generate(10_000)
    slots.to_parquet(df, "slot_events.parquet")

Two generators with one seed and window describe one world: tables that nobody asked for keep
their default volume, so the visits and the players are the same. Whoever asks for more than
that gets a larger world.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import polars as pl

from lakehouse.errors import BadInput
from lakehouse.privacy import TokenKey
from lakehouse.simulate.export import leaving, leaving_schema
from lakehouse.simulate.kernel.config import NO_FAULTS, WINDOW, Faults, WorldConfig

if TYPE_CHECKING:
    from lakehouse.simulate.world import World

__all__ = [
    "ClickstreamGenerator",
    "ComplianceGenerator",
    "FinancialGenerator",
    "OnlineAccountGenerator",
    "PlayerEventGenerator",
    "PlayerGenerator",
    "ProductGenerator",
    "PurchaseGenerator",
    "SecurityGenerator",
    "ServerMetricGenerator",
    "ShopActionGenerator",
    "ShopOrderGenerator",
    "SlotMachineGenerator",
    "TableGameGenerator",
]

Day = dt.date | dt.datetime
Record = dict[str, Any]
START = dt.date(2025, 1, 1)


class _Generator:
    """Rows of one bronze table over a window of gaming days.

    `start_date` to `end_date`: gaming days, the end not included; of a datetime its date
    counts. Without them, 30 days from 2025-01-01. `faults`: whether defects, misconduct and
    filing faults are planted. Raises BadInput for a window, count or seed that is not allowed.

    Names and the like are masked and numbers hashed (HMAC-SHA-256, 64 hex digits), unless
    `include_pii`. `key_file`: the key of the hashes, as of a lake. Without it the key follows
    from the seed, so that one seed gives one frame; who knows the seed can make it again, and
    the people too.
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
        include_pii: bool = False,
        key_file: str | Path | None = None,
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
        self.include_pii = include_pii
        given = TokenKey.of(_secret(seed)) if key_file is None else TokenKey.load(Path(key_file))
        self._key = None if include_pii else given
        self._records: Iterator[Record] | None = None

    @property
    def schema(self) -> pl.Schema:
        """Columns and types of the bronze table, and second names of columns after them."""
        return leaving_schema(self.table)

    def generate(self, n: int) -> pl.DataFrame:
        """Exactly `n` rows, spread over the window."""
        return pl.concat([self.schema.to_frame(), *self._frames(_count(n))])

    def generate_batches(self, n: int, batch_size: int = 10_000) -> Iterator[pl.DataFrame]:
        """The rows of `generate(n)` in frames of `batch_size` (the last may be shorter), made
        as they are asked for, so that memory does not grow with `n`."""
        from lakehouse.simulate.produce import batches

        if batch_size < 1:
            raise BadInput(f"batch_size {batch_size}: at least 1 is allowed")
        return batches(self._frames(_count(n)), batch_size)

    def generate_batch(self, n: int) -> list[Record]:
        """The rows of `generate(n)` as records: column → value."""
        return self.generate(n).to_dicts()

    def generate_record(self) -> Record:
        """One record, on each call the next of the window at its default volume. Raises
        BadInput once there are no more."""
        if self._records is None:
            usual = self._usual()
            self._records = (row for frame in usual for row in frame.iter_rows(named=True))
        found = next(self._records, None)
        if found is None:
            raise BadInput(
                f"no more records of {self.table} in {self.config.days} days from "
                f"{self.config.start}; ask for a longer window"
            )
        return found

    def to_parquet(self, df: pl.DataFrame, path: str | Path) -> None:
        """Writes the frame to one file of mode 0600, which is complete or absent."""
        from lakehouse.outputs import replacing

        with replacing(Path(path), private=True) as beside:
            df.write_parquet(beside, compression="zstd")

    def to_json(self, df: pl.DataFrame, path: str | Path, *, lines: bool = True) -> None:
        """Writes the frame to one file of mode 0600: an object a line, or one list. Decimals
        are numbers with all their digits."""
        from lakehouse.outputs import replacing
        from lakehouse.simulate.kernel.files import json_lines

        content = json_lines(df)
        if not lines:
            content = b"[" + b",\n".join(content.splitlines()) + b"]\n"
        with replacing(Path(path), private=True) as beside:
            beside.write_bytes(content)

    def _world(self, n: int) -> World:
        from lakehouse.simulate.world import World

        return World(replace(self.config, rows={self.table: n}))

    def _frames(self, n: int) -> Iterator[pl.DataFrame]:
        return self._of_world(self._world(n))

    def _usual(self) -> Iterator[pl.DataFrame]:
        return self._frames(self.config.total(self.table))

    def _of_world(self, world: World) -> Iterator[pl.DataFrame]:
        from lakehouse.simulate.produce import table_frames

        return (rows for _, rows in table_frames(world, [self.table], change=self._leaving))

    def _leaving(self, table: str, frame: pl.DataFrame) -> pl.DataFrame:
        return leaving(table, frame, self._key)


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


def _count(n: int) -> int:
    if n < 0:
        raise BadInput(f"n {n}: 0 or more rows are allowed")
    return n


def _secret(seed: int) -> bytes:
    from hashlib import sha256

    return sha256(f"lakehouse generators, seed {seed}".encode()).digest()


class SlotMachineGenerator(_Generator):
    """Slot telemetry: one row per machine event."""

    table = "slot_telemetry"


class TableGameGenerator(_Generator):
    """Table games: ratings, chips, markers, fills and credits."""

    table = "table_games"


class PlayerEventGenerator(_Generator):
    """The game platform's player events: what players did in a session, level by level."""

    table = "player_events"


class PlayerGenerator(_Generator):
    """Player profiles: one row per player, as the window closes. `n` may not exceed
    `num_players`."""

    table = "player_profile"

    def generate_with_history(
        self, n: int, history_days: int | None = None
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """(`generate(n)`, versions of these players): a row per player as on the first of the
        last `history_days` gaming days (default: the window), on each day that changed the
        profile, and as the window closes."""
        from lakehouse.simulate.produce import people_frames

        days = self.config.days
        kept = days if history_days is None else history_days
        if not 1 <= kept <= days:
            raise BadInput(f"history_days {kept}: 1 to the window's {days} are allowed")
        found = people_frames(
            self._world(_count(n)), n, history=True, since=days - kept, change=self._leaving
        )
        versions = pl.concat([self.schema.to_frame(), *(rows for _, rows in found)])
        return self.generate(n), versions

    def _world(self, n: int) -> World:
        from lakehouse.simulate.world import World

        return World(self.config.with_people(n))

    def _frames(self, n: int) -> Iterator[pl.DataFrame]:
        from lakehouse.simulate.produce import people_frames

        return (rows for _, rows in people_frames(self._world(n), n, change=self._leaving))

    def _usual(self) -> Iterator[pl.DataFrame]:
        return self._frames(self.config.player_count)


class FinancialGenerator(_Generator):
    """Generates cage transactions."""

    table = "financial_txn"


class SecurityGenerator(_Generator):
    """Generates security events."""

    table = "security_events"


class ClickstreamGenerator(_Generator):
    """The online casino: games opened, rounds staked and settled, games left."""

    table = "clickstream"


class OnlineAccountGenerator(_Generator):
    """Online accounts, as the account system extracts them at the end of a gaming day."""

    table = "online_accounts"


class ShopActionGenerator(_Generator):
    """What visitors of the web shop did."""

    table = "shop_actions"


class _ConsequenceGenerator(_Generator):
    """Rows that the play leads to. `generate(n)` gives the first `n` of the default world, or,
    where that has fewer, of one so much larger that there are `n`. Raises BadInput where no play
    leads to so many, such as in one day."""

    most_scale: ClassVar[float] = 1_000.0

    def _frames(self, n: int) -> Iterator[pl.DataFrame]:
        left = n
        for rows in self._of_world(self._large_enough(n)):
            yield rows.head(left)
            left -= min(left, rows.height)

    def _usual(self) -> Iterator[pl.DataFrame]:
        from lakehouse.simulate.world import World

        return self._of_world(World(self.config))

    def _large_enough(self, n: int) -> World:
        from lakehouse.simulate.world import World

        config, made = self.config, 0
        for _ in range(TRIES):
            world = World(config)
            made = self._made(world, n)
            if made >= n:
                return world
            larger = config.scale * max(2.0, 1.2 * n / max(made, 1))
            config = replace(config, scale=min(larger, self.most_scale))
        raise BadInput(
            f"n {n}: the play of {config.days} days from {config.start} leads to {made} rows "
            f"of {self.table} at the most; ask for fewer, or for a longer window"
        )

    def _made(self, world: World, enough: int) -> int:
        """How many the window has, counted up to `enough`."""
        from lakehouse.simulate.produce import table_frames

        return _counted((rows.height for _, rows in table_frames(world, [self.table])), enough)


class ComplianceGenerator(_ConsequenceGenerator):
    """What the compliance office filed. Filings are consequences of the play: `generate(n)`
    gives the first `n` of the default world, or, where that has fewer, of one so much larger
    that there are `n`. Raises BadInput where no play leads to so many, such as in one day."""

    table = "compliance"
    most_scale = 100.0

    def generate_structuring_pattern(
        self, player_id: str, num_transactions: int = 5, target_total: Decimal | float = 25_000
    ) -> list[Record]:
        """Cage transactions in currency by which a player brings `target_total` dollars in
        without a report: each below the limit in force, one a gaming day while there are days.
        Raises BadInput where that cannot be."""
        from lakehouse.simulate.floor.structuring import structured

        rows = structured(self.config, player_id, num_transactions, Decimal(str(target_total)))
        return self._leaving("financial_txn", rows).to_dicts()

    def _made(self, world: World, enough: int) -> int:
        from lakehouse.simulate.compliance.filings import filed_on

        filed = (filed_on(world, day).height for day in range(world.config.days))
        return _counted(filed, enough)


class PurchaseGenerator(_ConsequenceGenerator):
    """The game platform's purchases, from within sessions."""

    table = "purchases"


class ProductGenerator(_ConsequenceGenerator):
    """The web shop's catalogue: one row per product and gaming day."""

    table = "products"


class ShopOrderGenerator(_ConsequenceGenerator):
    """The web shop's payments, refused attempts and refunds."""

    table = "shop_orders"


class ServerMetricGenerator(_ConsequenceGenerator):
    """The game platform's server metrics: one row per server and minute."""

    table = "server_metrics"


TRIES = 4


def _counted(rows: Iterable[int], enough: int) -> int:
    """The sum, counted up to `enough`."""
    made = 0
    for some in rows:
        made += some
        if made >= enough:
            break
    return made
