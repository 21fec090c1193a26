"""The landing zone: <root>/landing/<table>/…, any depth. Complete files are found here; what
cannot be read is moved to landing/_rejected, beside a file that says why."""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import os
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lakehouse import private_files
from lakehouse.contracts import doors, is_closed
from lakehouse.errors import BadInput
from lakehouse.ingest.files.byte_blocks import UnreadableFile
from lakehouse.ingest.files.inspection import refuse_irregular
from lakehouse.ingest.files.mapping_files import FOLDER_MAPPING, MAPPING_SUFFIX
from lakehouse.locks import Tell, locked
from lakehouse.paths import is_url
from lakehouse.settings import WAIT_SECONDS
from lakehouse.storage import Lake

REJECTED = "_rejected"
REASON = ".reason.txt"
DONE = ".done"
LONGEST_NAME = 255 - len(MAPPING_SUFFIX)
"""Bytes of a landed file's name: beside it are a mapping, a .done and a part of a copy."""
LONGEST_PATH = 1000
"""Bytes of a path in the zone."""
DEEPEST = 32
"""Names in such a path."""
_SHOWN = 200

Place = tuple[tuple[str, ...], os.stat_result]
"""The names of a path in the zone, and what it is."""
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

    @property
    def folder(self) -> Path:
        """The folder of its table."""
        return self.path.parents[self.name.count("/") - 1]

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
    """Its own path may be a link; no path below it. Files land on a disk: those of a lake in an
    object store on this machine's. Raises BadInput for one that no settings name a place for."""
    if lake.landing is not None:
        return lake.landing.resolve()
    if is_url(lake.root):
        raise BadInput(f"root {lake.root}: nothing says where its files land: open it by settings")
    return (Path(lake.root) / "landing").resolve()


def find_files(zone: Path, as_of: dt.datetime) -> Found:
    """All files in the zone, as of a moment."""
    found = Found([], [], [])
    if not zone.is_dir():
        return found
    with private_files.entered(zone) as folder:
        for parts, at in _walk(folder, ()):
            path = zone.joinpath(*parts)
            try:
                _refuse_place(parts, at.st_mode)
            except UnreadableFile as error:
                found.refused.append((path, str(error)))
            else:
                file = LandedFile(path, parts[0], "/".join(parts), at.st_size, at.st_mtime_ns)
                (found.ready if _is_complete(file, as_of) else found.waiting).append(file)
    found.ready.sort(key=lambda f: (f.modified_ns, f.name))
    return found


def _walk(folder: int, above: tuple[str, ...]) -> Iterator[Place]:
    """What is no folder, and folders that are not gone into. Links are not followed. Names
    beginning with . or _ are ours."""
    listing = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        with os.scandir(listing) as entries:
            listed = sorted(e.name for e in entries)
    finally:
        os.close(listing)
    for name in listed:
        if name.startswith((".", "_")) or name.casefold().endswith((*_UNFINISHED, DONE)):
            continue
        try:
            at = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            continue
        parts = (*above, name)
        if stat.S_ISDIR(at.st_mode) and _fault(parts) is None:
            yield from _into(folder, parts, at)
        elif name != FOLDER_MAPPING and not name.endswith(MAPPING_SUFFIX):
            yield parts, at


def _into(folder: int, parts: tuple[str, ...], at: os.stat_result) -> Iterator[Place]:
    try:
        inner = os.open(parts[-1], private_files.INTO, dir_fd=folder)
    except OSError:
        yield parts, at
        return
    try:
        yield from _walk(inner, parts)
    except PermissionError:
        yield parts, at
    finally:
        os.close(inner)


def name_fault(name: str) -> str | None:
    """Why a file of this name cannot be read, where it cannot."""
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in name):
        return "has control characters, or no UTF-8, in its name"
    if (length := len(name.encode())) > LONGEST_NAME:
        return f"has a name of {length} bytes; allowed are {LONGEST_NAME}"
    return None


def _fault(parts: tuple[str, ...]) -> str | None:
    """Why a file at this path cannot be read, where it cannot."""
    if fault := next(filter(None, map(name_fault, parts)), None):
        return fault
    if len(parts) > DEEPEST:
        return f"lies {len(parts) - 1} folders deep; allowed are {DEEPEST - 1}"
    length = len("/".join(parts).encode())
    if length > LONGEST_PATH:
        return f"has a path of {length} bytes; allowed are {LONGEST_PATH}"
    return None


def _refuse_place(parts: tuple[str, ...], mode: int) -> None:
    tables = doors()
    if fault := _fault(parts):
        raise UnreadableFile(fault)
    if stat.S_ISDIR(mode):
        raise UnreadableFile("is a folder that cannot be entered")
    refuse_irregular(mode)
    if len(parts) < 2 or parts[0] not in tables:
        raise UnreadableFile(f"lies in no table's folder; there are {', '.join(sorted(tables))}")


def _is_complete(file: LandedFile, as_of: dt.datetime) -> bool:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        done = file.path.with_name(file.path.name + DONE).lstat()
        if stat.S_ISREG(done.st_mode) and done.st_mtime_ns >= file.modified_ns:
            return True
    return file.modified_ns <= (as_of - SETTLE).timestamp() * 1e9


def refused_file(zone: Path, path: Path) -> LandedFile:
    """What is known of a path that is no file to be read, under a name that can be shown."""
    at, name = path.lstat(), "/".join(shown(p) for p in path.relative_to(zone).parts)
    table = name.split("/")[0] if "/" in name else "-"
    return LandedFile(path, table, name, at.st_size, at.st_mtime_ns)


def reject(zone: Path, path: Path, reason: str) -> str:
    """Moves a file out of the way, links themselves and not what they point to; returns the
    reason, and why it is still there where it cannot be moved. The reason is written first, so
    that no file is ever without one."""
    parts = [shown(p) for p in path.relative_to(zone).parts]
    try:
        with private_files.entered(zone.joinpath(REJECTED, *parts[:-1]), make=True) as folder:
            name = _free_name(folder, parts[-1])
            said = f"{'/'.join(parts)} {reason}\n".encode()
            private_files.put(folder, name + REASON, said)
            try:
                private_files.move(path, folder, name)
            except OSError:
                os.unlink(name + REASON, dir_fd=folder)
                raise
    except OSError as error:
        return f"{reason}; it stays where it is: {error.strerror}"
    with contextlib.suppress(OSError), private_files.entered(path.parent) as folder:
        os.unlink(path.name + DONE, dir_fd=folder)
    return reason


def _free_name(folder: int, name: str) -> str:
    """`name`, or the first of 2-name, 3-name and so on that nothing has."""
    tried = itertools.chain([name], (f"{n}-{name}" for n in itertools.count(2)))
    return next(n for n in tried if not _exists(folder, n))


def _exists(folder: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def shown(name: str) -> str:
    """A name as one short line of text, whatever its bytes are."""
    safe = "".join(c if c.isprintable() else f"%{ord(c):02X}" for c in name)
    return safe.encode()[:_SHOWN].decode(errors="ignore")


@contextlib.contextmanager
def alone(
    zone: Path, wait_seconds: float = WAIT_SECONDS, tell: Tell | None = None
) -> Iterator[None]:
    """One at a time: whoever ingests second waits, and then finds the work done."""
    private_files.close_folder(zone)
    for table in filter(is_closed, doors()):
        private_files.shut(zone / table)
    what = f"the landing zone {zone}, taken"
    with locked(zone / ".lock", what, wait_seconds=wait_seconds, tell=tell):
        yield
