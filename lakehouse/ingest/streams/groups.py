"""Groups of readers of the log: what each has done, and who of the living has which partition."""

from __future__ import annotations

import fcntl
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

_DONE = "positions.json"
_MEMBERS = "members"


class Group:
    """The place of a group in a topic's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def positions(self) -> dict[int, int]:
        """Partition → offset before which all is done."""
        try:
            told = json.loads((self.folder / _DONE).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return {int(partition): int(offset) for partition, offset in told.items()}

    def commit(self, partition: int, offset: int) -> None:
        """Replaces what is known of a partition; others keep theirs, whoever writes."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(self.folder / ".lock"):
            told = self.positions() | {partition: offset}
            new = self.folder / f"{_DONE}.new"
            new.write_text(json.dumps(told), encoding="utf-8")
            new.replace(self.folder / _DONE)


class Member:
    """A living reader. It holds the lock of a file of its own, and of each partition that it has:
    the kernel lets go of them when it dies, and the others take over on their next call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._members = folder / _MEMBERS
        self._members.mkdir(parents=True, exist_ok=True)
        self._held: dict[int, TextIO] = {}
        self.name, self._alive = _joined(self._members)

    def share(self, partitions: int) -> frozenset[int]:
        """The partitions that the member has from now on: every n-th of n living members, as far
        as those who had them have let go."""
        living = self._living()
        turn = living.index(self.name)
        wanted = set(range(turn, partitions, len(living)))
        for gone in self._held.keys() - wanted:
            self._held.pop(gone).close()
        for partition in sorted(wanted - self._held.keys()):
            lock = (self._folder / f"partition-{partition}.lock").open("a", encoding="utf-8")
            if _taken(lock):
                self._held[partition] = lock
            else:
                lock.close()
        return frozenset(self._held)

    def close(self) -> None:
        for lock in self._held.values():
            lock.close()
        self._held = {}
        (self._members / self.name).unlink(missing_ok=True)
        self._alive.close()

    def _living(self) -> list[str]:
        """Names of all who hold their lock, oldest first; files of the dead go."""
        found = []
        for path in sorted(self._members.iterdir()):
            if path.name == self.name or _is_held(path):
                found.append(path.name)
            else:
                path.unlink(missing_ok=True)
        return found


def _joined(folder: Path) -> tuple[str, TextIO]:
    """A file of one's own with its lock: another may take it for a dead one's in between."""
    while True:
        name = f"{len(list(folder.iterdir())):06}-{uuid.uuid4().hex}"
        lock = (folder / name).open("x", encoding="utf-8")
        if _taken(lock) and _is_still(folder / name, lock):
            return name, lock
        lock.close()


def _is_still(path: Path, file: TextIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _is_held(path: Path) -> bool:
    try:
        with path.open("r", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _taken(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """The kernel lets go of a dead one's lock."""
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
