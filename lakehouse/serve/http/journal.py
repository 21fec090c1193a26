"""Which requests with a key were taken: what makes a retry safe, after a kill too.

A claim is on the disk before its events are in the log, and says where the log ended then. One
that was never answered is looked for in the log from there on.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lakehouse.private_files import close_folder

KEPT_SECONDS = 24 * 3_600
"""How long a key is remembered."""
_PRUNED_EVERY = 3_600
_TABLE = """
create table if not exists claims (
    sender text, topic text, key text, digest blob, ends text, taken text, at integer,
    primary key (sender, topic, key)
) without rowid
"""
Range = tuple[int, int]
"""The first offset, and the one after the last."""


@dataclass(frozen=True)
class Claim:
    """A request by the key that its sender gave it, and the SHA-256 of its body."""

    sender: str
    topic: str
    key: str
    digest: bytes

    @property
    def place(self) -> tuple[str, str, str]:
        return self.sender, self.topic, self.key


@dataclass(frozen=True)
class Known:
    """A claim that was made before. `ends`: where the partitions ended then; `taken`: partition →
    where its events are, None of one that was never answered."""

    digest: bytes
    ends: dict[int, int]
    taken: dict[int, Range] | None


class Journal:
    """Claims in a file. For one thread; what was taken is on the disk with the next claim, and
    else is found in the log."""

    def __init__(self, path: Path) -> None:
        close_folder(path.parent)
        self._file = sqlite3.connect(path)
        path.chmod(0o600)
        self._file.execute("pragma journal_mode = wal")
        self._file.execute("pragma synchronous = full")
        self._file.execute(_TABLE)
        self._pruned = 0

    def known(self, claim: Claim) -> Known | None:
        row = self._file.execute(
            "select digest, ends, taken from claims where (sender, topic, key) = (?, ?, ?)",
            claim.place,
        ).fetchone()
        if row is None:
            return None
        ends = {int(p): end for p, end in json.loads(row[1]).items()}
        return Known(row[0], ends, None if row[2] is None else _ranges(row[2]))

    def claim(self, claims: Sequence[Claim], ends: dict[int, int], now: int) -> None:
        """On the disk on return, with all that was taken before."""
        told = json.dumps(ends)
        rows = [(*c.place, c.digest, told, now) for c in claims]
        try:
            self._file.executemany("insert into claims values (?, ?, ?, ?, ?, null, ?)", rows)
            if now - self._pruned >= _PRUNED_EVERY:
                self._file.execute("delete from claims where at < ?", (now - KEPT_SECONDS,))
                self._pruned = now
            self._file.commit()
        except sqlite3.Error:
            self._file.rollback()  # what was taken meanwhile is found in the log
            raise

    def took(self, claim: Claim, taken: dict[int, Range]) -> None:
        self._file.execute(
            "update claims set taken = ? where (sender, topic, key) = (?, ?, ?)",
            (json.dumps(taken), *claim.place),
        )

    def ranges(self, topic: str) -> dict[int, list[Range]]:
        """Where the events of all claims of a topic are, by partition."""
        found: dict[int, list[Range]] = {}
        rows = self._file.execute(
            "select taken from claims where topic = ? and taken is not null", (topic,)
        )
        for (taken,) in rows:
            for p, whole in _ranges(taken).items():
                found.setdefault(p, []).append(whole)
        return found

    def close(self) -> None:
        self._file.commit()
        self._file.close()


def _ranges(taken: str) -> dict[int, Range]:
    return {int(p): (begin, end) for p, (begin, end) in json.loads(taken).items()}
