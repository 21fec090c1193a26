"""The landing zone: <root>/landing/<table>/…, any depth. Complete files are found here; what
cannot be read is moved to landing/_rejected, beside a file that says why."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lakehouse.contracts import contracts
from lakehouse.errors import BadInput
from lakehouse.ingest.inspection import refuse_irregular
from lakehouse.ingest.mapping import FOLDER_MAPPING, MAPPING_SUFFIX
from lakehouse.ingest.streams import UnreadableFile
from lakehouse.locks import Tell, locked
from lakehouse.settings import WAIT_SECONDS
from lakehouse.storage import Lake

REJECTED = "_rejected"
DONE = ".done"
SETTLE = dt.timedelta(seconds=10)
"""A file nobody has written to for so long is complete; one with a .done beside it, at once."""
_UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload", ".partial", ".swp")


@dataclass(frozen=True)
class LandedFile:
    """A regular file in a table's folder. `name` is relative to the landing zone."""

    path: Path
    table: str
    name: str
    size_bytes: int
    modified_ns: int

    def is_unchanged(self) -> bool:
        try:
            found = self.path.lstat()
        except FileNotFoundError:
            return False
        return (found.st_size, found.st_mtime_ns) == (self.size_bytes, self.modified_ns)


@dataclass(frozen=True)
class Found:
    """What is in the zone: complete files in the order of arrival, those that are still being
    written, and those that cannot be read whatever they hold, with the reason."""

    ready: list[LandedFile]
    waiting: list[LandedFile]
    refused: list[tuple[Path, str]]


def landing_zone(lake: Lake) -> Path:
    """Raises BadInput for a lake whose root is no folder: files land on a disk."""
    if "://" in lake.root:
        raise BadInput(f"root {lake.root}: files can be landed only where the root is a folder")
    return Path(lake.root) / "landing"


def find_files(zone: Path, as_of: dt.datetime) -> Found:
    """All files in the zone, as of a moment."""
    found = Found([], [], [])
    if not zone.is_dir():
        return found
    tables = contracts("source")
    for path in _walk(zone):
        parts = path.relative_to(zone).parts
        try:
            refuse_irregular(path)
            if len(parts) < 2 or parts[0] not in tables:
                raise UnreadableFile(
                    f"lies in no table's folder; there are {', '.join(sorted(tables))}"
                )
        except UnreadableFile as error:
            found.refused.append((path, str(error)))
            continue
        stat = path.stat()
        file = LandedFile(path, parts[0], "/".join(parts), stat.st_size, stat.st_mtime_ns)
        (found.ready if _is_complete(file, as_of) else found.waiting).append(file)
    found.ready.sort(key=lambda f: (f.modified_ns, f.name))
    return found


def _walk(folder: Path) -> Iterator[Path]:
    """Files below `folder`, links not followed. Names beginning with . or _ are ours."""
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda e: e.name)
    for entry in listed:
        name = entry.name
        if name.startswith((".", "_")) or name.casefold().endswith((*_UNFINISHED, DONE)):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))
        elif name != FOLDER_MAPPING and not name.endswith(MAPPING_SUFFIX):
            yield Path(entry.path)


def _is_complete(file: LandedFile, as_of: dt.datetime) -> bool:
    done = file.path.with_name(file.path.name + DONE)
    if done.is_file() and done.stat().st_mtime_ns >= file.modified_ns:
        return True
    return file.modified_ns <= (as_of - SETTLE).timestamp() * 1e9


def reject(zone: Path, path: Path, reason: str) -> Path:
    """Moves a file out of the way, links themselves and not what they point to. The reason is
    written first, so that no file is ever without one."""
    parts = [_printable(p) for p in path.relative_to(zone).parts]
    target = zone.joinpath(REJECTED, *parts)
    for n in range(2, 10_000):
        if not os.path.lexists(target):
            break
        target = zone.joinpath(REJECTED, *parts[:-1], f"{n}-{parts[-1]}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.with_name(target.name + ".reason.txt").write_text(
        f"{'/'.join(parts)} {reason}\n", encoding="utf-8"
    )
    path.rename(target)
    path.with_name(path.name + DONE).unlink(missing_ok=True)
    return target


def _printable(name: str) -> str:
    shown = "".join(c if c.isprintable() else f"%{ord(c):02X}" for c in name)
    return shown.encode(errors="backslashreplace").decode()[:200]


@contextmanager
def alone(
    zone: Path, wait_seconds: float = WAIT_SECONDS, tell: Tell | None = None
) -> Iterator[None]:
    """One at a time: whoever ingests second waits, and then finds the work done."""
    zone.mkdir(parents=True, exist_ok=True)
    what = f"the landing zone {zone}, taken"
    with locked(zone / ".lock", what, wait_seconds=wait_seconds, tell=tell):
        yield
