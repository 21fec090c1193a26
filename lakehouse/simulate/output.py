"""A world's tables into files, by one process or two.

One table has most of the rows, the others most of the detail: with enough rows, a second
process makes the others, each file by itself, and nothing has to be passed but how far it has
come.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.errors import LakehouseError, StorageError
from lakehouse.privacy.keys import TokenKey
from lakehouse.simulate.kernel.config import PEOPLE, WorldConfig

if TYPE_CHECKING:
    import polars as pl

WORTH_A_PROCESS = 100_000
"""Rows, of each of the two, from which a second process saves more than its start costs."""
Advance = Callable[[int], None]


@dataclass(frozen=True)
class Target:
    """A file to fill with a table's rows."""

    table: str
    path: Path
    most: int
    """Rows at the most; of tables with exact counts, their number; of people, people."""


@dataclass
class Filled:
    """What was written into one file."""

    rows: int = 0
    available: int = 0
    """Rows that there were before the ceiling."""
    kinds: Counter[str] = field(default_factory=Counter)
    """Filings by form."""


@dataclass(frozen=True)
class Work:
    """Files to fill from one world."""

    config: WorldConfig
    targets: tuple[Target, ...]
    format: str
    """parquet, csv or json."""
    key: TokenKey | None
    """What direct identifiers are masked and hashed with; None: they leave as they are."""
    history: bool = False
    """Whether each person's versions leave, not only the last."""


def fill(work: Work, advance: Advance) -> dict[str, Filled]:
    """Fills each file; `advance` hears of rows as they are written. Raises StorageError where
    a file cannot be written; files are then incomplete."""
    largest = max(work.targets, key=lambda t: t.most)
    apart, rest = [largest], [t for t in work.targets if t != largest]
    if min(sum(t.most for t in part) for part in (apart, rest)) < WORTH_A_PROCESS:
        return _fill(work, work.targets, advance, threads=2)
    parent, child = get_context("spawn").Pipe()
    process = get_context("spawn").Process(
        target=_in_another_process, args=(child, work, tuple(rest)), daemon=True
    )
    process.start()
    child.close()
    try:
        other = _Other(parent, advance)

        def both(rows: int) -> None:
            advance(rows)
            other.listen()

        made = _fill(work, apart, both, threads=1)
        return made | other.result()
    finally:
        process.kill()
        process.join()


class _Other:
    """What the other process says: rows written, in the end its result or its error."""

    def __init__(self, connection: Connection, advance: Advance) -> None:
        self._connection = connection
        self._advance = advance
        self._found: dict[str, Filled] | None = None

    def listen(self) -> None:
        while self._found is None and self._connection.poll():
            self._hear()

    def result(self) -> dict[str, Filled]:
        while self._found is None:
            self._hear()
        return self._found

    def _hear(self) -> None:
        try:
            said = self._connection.recv()
        except EOFError as error:
            raise StorageError("a writing process ended before its files were complete") from error
        if isinstance(said, int):
            self._advance(said)
        elif isinstance(said, LakehouseError):
            raise said
        else:
            self._found = said


def _in_another_process(connection: Connection, work: Work, targets: Sequence[Target]) -> None:
    try:
        connection.send(_fill(work, targets, connection.send, threads=1))
    except LakehouseError as error:
        connection.send(error)


def _fill(
    work: Work, targets: Sequence[Target], advance: Advance, *, threads: int
) -> dict[str, Filled]:
    from lakehouse.simulate.export import leaving_schema
    from lakehouse.simulate.kernel.files import frame_file

    filled = {t.table: Filled() for t in targets}
    most = {t.table: t.most for t in targets}
    with ExitStack() as stack:
        files = {t.table: frame_file(t.path, work.format, leaving_schema(t.table)) for t in targets}
        for file in files.values():
            stack.callback(file.abandon)
        for table, frame in _frames(work, most, threads):
            whole = table == PEOPLE and work.history
            kept = frame if whole else frame.head(most[table] - filled[table].rows)
            filled[table].rows += kept.height
            filled[table].available += frame.height
            if "report_type" in kept.columns:
                filled[table].kinds.update(kept["report_type"].drop_nulls().to_list())
            if kept.height:
                files[table].write(kept)
                advance(kept.height)
        for file in files.values():
            file.finish()
    return filled


def _frames(
    work: Work, most: Mapping[str, int], threads: int
) -> Iterator[tuple[str, pl.DataFrame]]:
    from lakehouse.simulate.export import leaving
    from lakehouse.simulate.produce import people_frames, table_frames
    from lakehouse.simulate.world import World

    world, change = World(work.config), functools.partial(leaving, key=work.key)
    others = [t for t in most if t != PEOPLE]
    yield from table_frames(world, others, threads=threads, change=change)
    if PEOPLE in most:
        yield from people_frames(world, most[PEOPLE], history=work.history, change=change)
