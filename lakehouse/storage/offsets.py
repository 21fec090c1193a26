"""Rows together with the offsets that they came from: each counts once, whoever brings it again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl
from deltalake import DeltaTable

from lakehouse.errors import ContractError, Gap
from lakehouse.storage.commits import Transactions

_PLACE = r"^(?:.*:)?(?<id>[^:]+)@(?<offset>\d+)$"
"""`topic:clickstream/0@17` is offset 17 of clickstream/0."""


@dataclass
class Reach:
    """How far a batch brings a table. `begin` and `offsets`: id → its first offset, and the one
    after its last. `place`: the column that says where a row is from."""

    subject: str
    offsets: Mapping[str, int]
    begin: Mapping[str, int]
    place: str
    rows: pl.DataFrame
    reached: Callable[[DeltaTable], Mapping[str, int]]
    """The offsets that a version of the table has reached."""

    def moved(self, delta: DeltaTable) -> Transactions:
        """Those ids that the batch brings further than the table has come."""
        done = self.reached(delta)
        return [(name, after) for name, after in self.offsets.items() if after > done.get(name, 0)]

    def new(self, delta: DeltaTable) -> pl.DataFrame | None:
        """The rows that the table does not have; None where all ids have reached as far. Raises
        Gap, ContractError."""
        done = self.reached(delta)
        for name, first in self.begin.items():
            if first > done.get(name, first):
                raise Gap(
                    f"{self.subject} has reached offset {done[name]} of {name}, and what is "
                    f"brought begins at {first}: go on from {done[name]}"
                )
        if not self.moved(delta):
            return None
        if all(self.begin.get(name, -1) == at for name, at in done.items()) and self.begin:
            return self.rows
        return self._beyond(done)

    def _beyond(self, done: Mapping[str, int]) -> pl.DataFrame:
        said = self.rows.select(pl.col(self.place).str.extract_groups(_PLACE)).unnest(self.place)
        strange = set(said["id"].unique()) - set(self.offsets)
        if strange:
            names = ", ".join(sorted(str(name) for name in strange)[:3])
            raise ContractError(f"{self.subject}: {self.place} has rows of {names}, not asked for")
        at = pl.col("id").replace_strict(dict(done), default=0, return_dtype=pl.Int64)
        return self.rows.filter(said.select(pl.col("offset").cast(pl.Int64) >= at).to_series())
