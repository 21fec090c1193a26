"""Damaged tables: which file, of which gaming day, and what is wrong with it.

Polars, DuckDB and Delta each fail over a bad file in words of their own, and mostly without its
name: "Invalid snappy data", a panic. What went wrong is found by looking at the files.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar
from urllib.parse import unquote

import polars as pl

from lakehouse.errors import Damaged, LakehouseError, StorageError
from lakehouse.paths import is_url
from lakehouse.regulation.gaming_day import Days
from lakehouse.storage.listing import of_days
from lakehouse.storage.shapes import partition_columns

if TYPE_CHECKING:
    from lakehouse.storage.lake import Lake

_LOG = "_delta_log"
_COMMIT = re.compile(r"[0-9]{20}\.json")
T = TypeVar("T")


class Read(NamedTuple):
    """A table that is read: all of it, or some gaming days."""

    layer: str
    table: str
    days: Days | None = None


Looked = dict[Read, Damaged | None]
"""What was found of the files of reads, for one who reads them many times over."""


@contextmanager
def sound(lake: Lake, reads: Iterable[Read], looked: Looked | None = None) -> Iterator[None]:
    """Raises Damaged for a file of these reads that is missing or cut short, before anybody
    reads it; and, where reading fails within, for the file that cannot be read. Reads that were
    `looked` at are not looked at again, the others put there."""
    reads, known = list(reads), {} if looked is None else looked
    for read in reads:
        if read not in known:
            known[read] = next(_of_other_size(lake, read), None)
        _refuse(known[read])
    try:
        yield
    except (Exception, pl.exceptions.PanicException) as error:
        if not isinstance(error, LakehouseError) or type(error) is StorageError:
            _refuse(find_damage(lake, reads))
        raise


def as_far_as_sound(
    portions: Iterable[Days], make: Callable[[Days], T]
) -> Iterator[tuple[Days, T | Damaged]]:
    """What `make` makes of each portion of days, in order and in as few ranges as damaged files
    leave; of a day that cannot be made, the damage in its way. Raises Damaged at the end where
    no day can be made."""
    waiting = deque(portions)
    is_any, first = False, None
    while waiting:
        piece = waiting.popleft()
        try:
            result = make(piece)
        except Damaged as damage:
            if piece[0] == piece[1]:
                first = first or damage
                yield piece, damage
            else:
                waiting.extendleft(reversed(_around(piece, damage.day)))
            continue
        is_any = True
        yield piece, result
        del result  # not in memory beside the next one
    if first is not None and not is_any:
        raise first


def _around(days: Days, day: dt.date | None) -> list[Days]:
    """The range without the damaged day, and the day; two halves where it is not of the range."""
    one, (first, last) = dt.timedelta(days=1), days
    if day is None or not first <= day <= last:
        middle = first + (last - first) // 2
        return [(first, middle), (middle + one, last)]
    pieces = [(first, day - one), (day, day), (day + one, last)]
    return [(a, b) for a, b in pieces if a <= b]


def find_damage(lake: Lake, reads: Iterable[Read]) -> Damaged | None:
    """The first damage among the files of these reads. Reads whole files: for use when reading
    has failed."""
    reads = list(reads)
    for look in (_of_other_size, _undecodable):
        for read in reads:
            try:
                found = next(look(lake, read), None)
            except Damaged as log:
                return log
            if found is not None:
                return found
    return None


def damaged_log(lake: Lake, layer: str, table: str) -> Damaged | None:
    """What is wrong with a local table's Delta log: a commit that is empty or cut short, or one
    that is missing between others. An empty one Delta reads as a commit of nothing."""
    commits = _commits(lake, layer, table)
    numbers = [int(c.stem) for c in commits]
    for commit in commits:
        if not _is_whole(commit):
            return _log_damage(layer, table, f"{commit.name} is empty or cut short")
    for before, after in itertools.pairwise(numbers):
        if after != before + 1:
            return _log_damage(layer, table, f"{before + 1:020}.json is missing")
    return None


def refuse_empty_commits(lake: Lake, layer: str, table: str) -> None:
    """Raises Damaged for a local log with a commit of no bytes: its rows would be gone and
    nothing said."""
    for commit in _commits(lake, layer, table):
        with suppress(FileNotFoundError):  # a log is cut while others read it
            if commit.stat().st_size == 0:
                raise _log_damage(layer, table, f"{commit.name} is empty")


def _log_damage(layer: str, table: str, said: str) -> Damaged:
    return Damaged(
        f"{layer}.{table}: its Delta log is damaged, {_LOG}/{said}; restore it from a copy"
    )


def _commits(lake: Lake, layer: str, table: str) -> list[Path]:
    if is_url(lake.root):
        return []
    log = Path(lake.uri(layer, table)) / _LOG
    entries = log.iterdir() if log.is_dir() else ()
    return sorted(entry for entry in entries if _COMMIT.fullmatch(entry.name))


def _is_whole(commit: Path) -> bool:
    try:
        lines = commit.read_text(encoding="utf-8").splitlines()
        return bool([json.loads(line) for line in lines if line.strip()])
    except ValueError:
        return False


def _files(lake: Lake, read: Read) -> Iterator[tuple[Path, dt.date | None, int]]:
    """Data files of a local table: path, gaming day (none for a table in one piece), bytes."""
    if is_url(lake.root):
        return
    files = lake.data_files(read.layer, read.table)
    if partition_columns(read.layer, read.table) and read.days is not None:
        files = of_days(files, read.days)
    folder = Path(lake.uri(read.layer, read.table))
    for file in files:
        yield folder / unquote(file.path), file.day, file.bytes


def _of_other_size(lake: Lake, read: Read) -> Iterator[Damaged]:
    for path, day, size in _files(lake, read):
        try:
            found = path.stat().st_size
        except FileNotFoundError:
            yield _damage(read, day, path, "is missing")
            continue
        if found != size:
            yield _damage(read, day, path, f"has {found:,} bytes of {size:,}")


def _undecodable(lake: Lake, read: Read) -> Iterator[Damaged]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    unreadable = (pa.ArrowException, OSError, pl.exceptions.PolarsError)
    for path, day, _ in _files(lake, read):
        try:
            pq.ParquetFile(path).read()
            pl.read_parquet(path, hive_partitioning=False)
        except (*unreadable, pl.exceptions.PanicException):
            yield _damage(read, day, path, "cannot be decoded")


def _damage(read: Read, day: dt.date | None, path: Path, said: str) -> Damaged:
    of = f" of {day}" if day else ""
    again = f", or make {read.layer}.{read.table}{of} again" if day else ""
    return Damaged(
        f"{read.layer}.{read.table}{of}: file {path.name} {said}; restore it from a copy{again}",
        day=day,
    )


def _refuse(damage: Damaged | None) -> None:
    if damage is not None:
        raise damage
