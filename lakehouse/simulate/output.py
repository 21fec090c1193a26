"""A world's tables into files, one each."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import itertools
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from lakehouse.errors import StorageError
from lakehouse.outputs import replacing
from lakehouse.privacy.keys import TokenKey
from lakehouse.regulation.gaming_day import gaming_day_of
from lakehouse.simulate.kernel.config import PEOPLE, WorldConfig

if TYPE_CHECKING:
    import polars as pl

    from lakehouse.simulate.faults.lines import Dirt
    from lakehouse.simulate.kernel.files import FrameFile, TextFile

Advance = Callable[[int], None]
FOREIGN = ("clickstream", "csv")
"""A table and format whose files are those of the system before this one."""


@dataclass(frozen=True)
class Target:
    """A file to fill with a table's rows."""

    table: str
    path: Path
    most: int
    """Rows at the most; of tables with exact counts, their number; of people, people."""
    truth: Path | None = None
    """Of a file of dirty lines: where it is told what was done to them."""


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
    filled = {t.table: Filled() for t in work.targets}
    most = {t.table: t.most for t in work.targets}
    with ExitStack() as stack:
        outlets = {t.table: _outlet(work, t) for t in work.targets}
        for outlet in outlets.values():
            stack.callback(outlet.abandon)
        for table, frame in _frames(work, most):
            whole = table == PEOPLE and work.history
            kept = frame if whole else frame.head(most[table] - filled[table].rows)
            filled[table].rows += kept.height
            filled[table].available += frame.height
            if "report_type" in kept.columns:
                filled[table].kinds.update(kept["report_type"].drop_nulls().to_list())
            if kept.height:
                outlets[table].write(kept)
                advance(kept.height)
            # One that is written is not to be held while the next is made.
            del frame, kept
        for outlet in outlets.values():
            outlet.finish()
    return filled


@dataclass(frozen=True)
class _Outlet:
    """Where bronze rows of a table go."""

    table: str
    format: str
    file: FrameFile

    def write(self, rows: pl.DataFrame) -> None:
        self.file.write(_written(self.table, rows, self.format))

    def finish(self) -> None:
        self.file.finish()

    def abandon(self) -> None:
        self.file.abandon()


@dataclass(frozen=True)
class _DirtyOutlet:
    """Where bronze rows go as lines that are struck, and the truth about these."""

    table: str
    format: str
    file: TextFile
    truth: TextFile
    dirt: Dirt

    def write(self, rows: pl.DataFrame) -> None:
        clean = self.file.text(_written(self.table, rows, self.format))
        lines, truth = self.dirt.spoil(rows, clean)
        self.file.put(lines)
        self.truth.write(truth)

    def finish(self) -> None:
        self.file.finish()
        self.truth.finish()

    abandon = finish


def _outlet(work: Work, target: Target) -> _Outlet | _DirtyOutlet:
    from lakehouse.simulate.faults.lines import TRUTH, Dirt
    from lakehouse.simulate.kernel.files import TextFile, frame_file

    table, schema = target.table, _schema(target.table, work.format)
    if target.truth is None:
        return _Outlet(table, work.format, frame_file(target.path, work.format, schema))
    file, truth = TextFile(target.path, work.format, schema), TextFile(target.truth, "csv", TRUTH)
    dirt = Dirt(work.config, table, work.format == "csv", schema.names())
    return _DirtyOutlet(table, work.format, file, truth, dirt)


def new_clickstream(folder: Path, records: int, at: dt.datetime, timezone: str) -> Path:
    """Writes a new clickstream_<time>.csv of the gaming day of `at`, whole and for its owner
    alone; of files of one second each has another name. Raises StorageError."""
    config = WorldConfig(
        seed=int(at.timestamp() * 1e6),
        start=gaming_day_of(at, timezone),
        days=1,
        rows={FOREIGN[0]: records},
    )
    path = _reserved(folder, at.astimezone(ZoneInfo(timezone)))
    try:
        with replacing(path, private=True) as beside:
            fill(Work(config, (Target(FOREIGN[0], beside, records),), FOREIGN[1], None), _ignore)
    except BaseException:
        path.unlink()
        raise
    return path


def _ignore(_: int) -> None:
    return None


def _reserved(folder: Path, at: dt.datetime) -> Path:
    """An empty file of a name that nothing had."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for k in itertools.count():
            path = folder / f"clickstream_{at + dt.timedelta(seconds=k):%Y%m%d_%H%M%S}.csv"
            with contextlib.suppress(FileExistsError):
                os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
                return path
    except OSError as error:
        raise StorageError(f"cannot write to {folder}: {error.strerror or error}") from error
    raise AssertionError("seconds do not end")


def file_name(table: str, format_: str, first: dt.date) -> str:
    """What the file of a table is called, of a world that begins on `first`."""
    from lakehouse.simulate.online.clickstream_file import file_name

    return file_name(first) if (table, format_) == FOREIGN else f"bronze_{table}.{format_}"


def _schema(table: str, format_: str) -> pl.Schema:
    from lakehouse.simulate.export import leaving_schema

    stored = leaving_schema(table)
    return _written(table, stored.to_frame(), format_).schema


def _written(table: str, rows: pl.DataFrame, format_: str) -> pl.DataFrame:
    from lakehouse.simulate.online.clickstream_file import as_written

    return as_written(rows) if (table, format_) == FOREIGN else rows


def _frames(work: Work, most: Mapping[str, int]) -> Iterator[tuple[str, pl.DataFrame]]:
    from lakehouse.simulate.export import leaving
    from lakehouse.simulate.produce import people_frames, table_frames
    from lakehouse.simulate.world import World

    world, change = World(work.config), functools.partial(leaving, key=work.key)
    others = [t for t in most if t != PEOPLE]
    # One maker keeps both cores busy: Polars compresses meanwhile, and two would share one GIL.
    yield from table_frames(world, others, threads=1, change=change)
    if PEOPLE in most:
        yield from people_frames(world, most[PEOPLE], history=work.history, change=change)
