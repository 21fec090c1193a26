"""What happened at the door: a line of JSON each, added and never changed, in a private file.

When (UTC), who, from where, what, and more about it. No password, no session, and no name that was
typed unless a user has it: people type passwords into the wrong field.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from lakehouse.errors import LakehouseError
from lakehouse.private_files import close_folder

FILE = "signin.jsonl"
What = Literal[
    "signed in", "sign-in failed", "locked", "signed out", "page refused", "origin refused",
    "header refused", "user added", "user removed", "password changed", "roles changed",
    "sessions ended",
]  # fmt: skip
WHATS: tuple[str, ...] = get_args(What)
_AGAIN = dt.timedelta(minutes=1)
_REPEATED = ("locked", "page refused", "origin refused", "header refused")
"""What anybody can make happen as often as they like: the same is written once a minute."""
_LONGEST = 200
_MOST_KNOWN = 1_000


@dataclass(frozen=True)
class Entry:
    """`who`: a user, or "-" where that is not known. `where`: an address, or the command line."""

    at: str
    who: str
    where: str
    what: str
    about: str = ""


class SignInLog:
    """`now`: the present moment, in UTC."""

    def __init__(self, folder: Path, now: Callable[[], dt.datetime]) -> None:
        self.path = folder / FILE
        self._now = now
        self._told: dict[tuple[str, ...], dt.datetime] = {}

    def write(self, who: str, where: str, what: What, about: str = "") -> None:
        """On the disk on return. Raises LakehouseError where it cannot be: what is not written
        does not happen."""
        now = self._now()
        if what in _REPEATED and self._is_again((who, where, what, about), now):
            return
        entry = Entry(f"{now:%Y-%m-%dT%H:%M:%SZ}", who, where, what, about[:_LONGEST])
        line = json.dumps(asdict(entry)).encode() + b"\n"
        try:
            close_folder(self.path.parent)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.open(self.path, flags, 0o600)
            try:
                os.write(file, line)
                os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            raise LakehouseError(f"{self.path} cannot be written: {error.strerror}") from error

    def read(self, last: int) -> list[Entry]:
        """The newest, oldest first. Raises LakehouseError."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()[-last:]
            return [Entry(**json.loads(line)) for line in lines]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError) as error:
            raise LakehouseError(f"{self.path} cannot be read: {error}") from error

    def _is_again(self, told: tuple[str, ...], now: dt.datetime) -> bool:
        if len(self._told) > _MOST_KNOWN:
            self._told.clear()
        before = self._told.get(told)
        if before is not None and now - before < _AGAIN:
            return True
        self._told[told] = now
        return False
