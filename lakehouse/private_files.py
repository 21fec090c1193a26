"""Files and folders of their owner alone, reached without following a link.

The one place that writes below the landing zone, makes private folders of a lake and keys. Modes
hold whatever the umask is; a link put in the way is refused or replaced, never followed.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

from lakehouse.errors import LakehouseError

T = TypeVar("T")

FILE, FOLDER = 0o600, 0o700
_OTHERS = 0o007
INTO = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
"""How a folder is opened on the way to what is in it: needs no right to list it."""
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC

_number = itertools.count()


def close_folder(path: Path) -> None:
    """Makes the folder for its owner alone, those above it as usual. One that is there is shut
    where everybody may enter; whom an owner let in by group stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = not path.exists()
    path.mkdir(mode=FOLDER, exist_ok=True)
    if made or path.stat().st_mode & _OTHERS:
        path.chmod(FOLDER)


def shut(folder: Path) -> None:
    """Takes a folder, where it is one, from everybody but its owner: from a group too."""
    if folder.is_dir() and not folder.is_symlink():
        folder.chmod(FOLDER)


@contextlib.contextmanager
def entered(folder: Path, *, make: bool = False) -> Iterator[int]:
    """A descriptor of an absolute folder, reached one name at a time, so that no name of it can
    be a link or become one meanwhile. With `make`, missing ones are made for the owner alone."""
    at = os.open("/", INTO)
    try:
        for name in folder.parts[1:]:
            inner = _inner(at, name, make=make)
            os.close(at)
            at = inner
        yield at
    finally:
        os.close(at)


def _inner(at: int, name: str, *, make: bool) -> int:
    try:
        return os.open(name, INTO, dir_fd=at)
    except FileNotFoundError:
        if not make:
            raise
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, FOLDER, dir_fd=at)
        os.chmod(name, FOLDER, dir_fd=at)
    return os.open(name, INTO, dir_fd=at)


def open_file(path: Path) -> BinaryIO:
    """A regular file to read. Raises OSError; for a link, or a path through one, of `is_link`."""
    with entered(path.parent) as folder:
        file = os.open(path.name, _READ, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "is no regular file")
    return os.fdopen(file, "rb")


def is_link(error: OSError) -> bool:
    return error.errno in (errno.ELOOP, errno.ENOTDIR)


@contextlib.contextmanager
def new_part(folder: int) -> Iterator[tuple[str, BinaryIO]]:
    """A new file, by a name that nobody reads, until it is renamed; gone where writing fails."""
    name = f".{os.getpid()}-{next(_number)}.part"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
    file = os.open(name, _NEW | os.O_EXCL, FILE, dir_fd=folder)
    try:
        with os.fdopen(file, "wb") as taken:
            os.fchmod(taken.fileno(), FILE)
            yield name, taken
            taken.flush()
            os.fsync(taken.fileno())
    except BaseException:
        os.unlink(name, dir_fd=folder)
        raise


def put(folder: int, name: str, content: bytes) -> None:
    """Writes a whole file, whole or not at all, in place of any file or link of that name."""
    with new_part(folder) as (part, taken):
        taken.write(content)
    os.replace(part, name, src_dir_fd=folder, dst_dir_fd=folder)


def move(path: Path, folder: int, name: str) -> None:
    """Moves a file, a folder or a link itself into `folder`, where a file of ours becomes its
    owner's alone; one of somebody else is as open as the folder."""
    with entered(path.parent) as source:
        os.rename(path.name, name, src_dir_fd=source, dst_dir_fd=folder)
    if stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
        with contextlib.suppress(PermissionError):
            file = os.open(name, _READ, dir_fd=folder)
            try:
                os.fchmod(file, FILE)
            finally:
                os.close(file)


class PrivateJson(Generic[T]):
    """A file of the owner's alone, in JSON, read anew when it has changed. `parse` makes of it
    what its readers take, and of [] what they take of no file."""

    def __init__(self, path: Path, what: str, parse: Callable[[Any], T]) -> None:
        self.path = path
        self._what, self._parse = what, parse
        self._stamp: tuple[int, int, int] | None = None
        self._known = parse([])

    def read(self) -> T:
        """Raises LakehouseError where it cannot be read."""
        try:
            about = self.path.stat()
            stamp = (about.st_mtime_ns, about.st_ino, about.st_size)
            if stamp != self._stamp:
                with open_file(self.path.parent.resolve() / self.path.name) as file:
                    self._known, self._stamp = self._parse(json.load(file)), stamp
        except FileNotFoundError:
            self._known, self._stamp = self._parse([]), None
        except (OSError, ValueError, TypeError, KeyError) as error:
            why = "is a link" if isinstance(error, OSError) and is_link(error) else str(error)
            raise LakehouseError(
                f"the {self._what} in {self.path} cannot be read: {why}"
            ) from error
        return self._known

    def write(self, told: Any) -> None:
        """Whole or not at all."""
        content = json.dumps(told, indent=1).encode()
        with entered(self.path.parent.resolve(), make=True) as folder:
            put(folder, self.path.name, content)
