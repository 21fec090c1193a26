"""One process at a time, as long as it lives: the kernel lets go of a dead one's lock."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from lakehouse.errors import LakehouseError

Tell = Callable[[str], None]
PAUSE = 0.05
TOLD_AFTER = 1.0
"""Seconds; whoever waits for less need not be told."""


@contextmanager
def locked(
    path: Path, what: str, *, wait_seconds: float, tell: Tell | None = None
) -> Iterator[None]:
    """Holds the lock at `path`. Whoever finds it taken waits, and tells after a second for
    which process and since when. Raises LakehouseError after `wait_seconds`."""
    with open(path, "a+", encoding="utf-8", opener=_opened) as lock:
        _take(lock, what, wait_seconds, tell)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _opened(path: str, flags: int) -> int:
    """No link is followed: who put it there would choose what is written to."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _take(lock: TextIO, what: str, wait_seconds: float, tell: Tell | None) -> None:
    began, told = time.monotonic(), False
    while not _taken(lock):
        waited = time.monotonic() - began
        if waited >= wait_seconds:
            raise LakehouseError(
                f"{_holder(lock, what)}: gave up after {wait_seconds:g} s (setting wait_seconds)"
            )
        if tell is not None and waited > TOLD_AFTER and not told:
            tell(f"waiting for {_holder(lock, what)}; Ctrl-C gives up")
            told = True
        time.sleep(PAUSE)


def _taken(lock: TextIO) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(lock: TextIO, what: str) -> str:
    lock.seek(0)
    since = time.strftime("%H:%M:%S", time.localtime(os.fstat(lock.fileno()).st_mtime))
    return f"{what} by process {lock.read() or 'unknown'} since {since}"
