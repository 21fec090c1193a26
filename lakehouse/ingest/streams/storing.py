"""A micro-batch into bronze and quarantine: each event once, whoever brings it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from lakehouse.ingest.files.ledger import CODE_VERSION
from lakehouse.ingest.streams.events import Events
from lakehouse.ingest.streams.topics import Batch
from lakehouse.storage import Commit, Lake

Place = tuple[str, int]
"""Topic and partition."""


def name_of(place: Place) -> str:
    """The id of the place's offsets in a table."""
    return f"{place[0]}/{place[1]}"


@dataclass(frozen=True)
class Read:
    """Messages of a partition and what they hold. `begin`: the offset that was asked for; None
    where events before it were lost and that is accepted."""

    batch: Batch
    events: Events
    begin: int | None

    @property
    def place(self) -> Place:
        return self.batch.topic, self.batch.partition


def store(
    lake: Lake, table: str, reads: Sequence[Read], worker: str, to_note: Mapping[str, int]
) -> None:
    """Adds what was read of some partitions of a table's topic, rejects first: what is cut short
    in between is read again, and rejects that are there are left out. `to_note`: what is noted
    of the topic with it.

    Raises Gap where the lake has not come as far as the reading began, StorageError.
    """
    offsets = {name_of(r.place): r.batch.next_offset for r in reads}
    rejects = pl.concat([r.events.rejects for r in reads])
    if rejects.height:
        by = Commit(worker, f"quarantine/{table}", CODE_VERSION)
        lake.append_offsets("quarantine", table, rejects, offsets, commit=by)
    lake.append_offsets(
        "bronze",
        table,
        pl.concat([r.events.rows for r in reads]),
        {**offsets, **to_note},
        begin={name_of(r.place): r.begin for r in reads if r.begin is not None},
        commit=Commit(worker, f"bronze/{table}", CODE_VERSION),
    )


def reached(lake: Lake, table: str, places: Sequence[Place]) -> Mapping[Place, int]:
    """Partition → the offset after the last event that the lake has."""
    known = lake.reached("bronze", table, [name_of(p) for p in places])
    return {p: known[name_of(p)] for p in places if name_of(p) in known}
