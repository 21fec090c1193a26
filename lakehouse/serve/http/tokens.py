"""Who may send what: tokens, of which only hashes are kept, in a file of the owner's alone."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lakehouse.errors import BadInput
from lakehouse.private_files import PrivateJson

LIVE, GENERATE = "live", "generate"
"""Scopes beside the topics': to read views, and to make files."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_PREFIX = "lh_"


@dataclass(frozen=True)
class Token:
    """A name, what it opens, and the SHA-256 of its secret. The secret has 256 random bits, so
    that nobody can try them."""

    name: str
    scopes: tuple[str, ...]
    hash: str
    made: str


class Tokens:
    """The tokens of a lake's way in, read anew when their file has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._kept = PrivateJson(path, "tokens", _parsed)

    def all(self) -> list[Token]:
        """In order of name."""
        return sorted(self._kept.read().values(), key=lambda t: t.name)

    def find(self, secret: str) -> Token | None:
        """The token of a secret."""
        given = _hash(secret)
        found = self._kept.read().get(given)
        return found if found and hmac.compare_digest(found.hash, given) else None

    def add(self, name: str, scopes: Collection[str], secret: str, made: str) -> str:
        """Keeps a new token; what its holder sends, which is shown nowhere else."""
        if not _NAME.fullmatch(name):
            raise BadInput(f"token {name[:80]!r}: letters, digits, '.', '_' and '-', at most 63")
        if not scopes:
            raise BadInput(f"token {name!r} would open nothing: name --topics, --live, --generate")
        known = self.all()
        if any(t.name == name for t in known):
            raise BadInput(f"there is a token {name!r} already; revoke it first")
        whole = _PREFIX + secret
        made_now = Token(name, tuple(sorted(scopes)), _hash(whole), made)
        self._kept.write([asdict(t) for t in (*known, made_now)])
        return whole

    def revoke(self, name: str) -> None:
        """Raises BadInput where there is none."""
        known = self.all()
        if all(t.name != name for t in known):
            raise BadInput(f"no token {name!r}; there are: {', '.join(t.name for t in known)}")
        self._kept.write([asdict(t) for t in known if t.name != name])


def _parsed(told: list[dict[str, Any]]) -> dict[str, Token]:
    found = [Token(**t | {"scopes": tuple(t["scopes"])}) for t in told]
    return {t.hash: t for t in found}


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass
class Bucket:
    """What one sender may still send: it fills by so many a second, and may be overdrawn once."""

    level: float
    at: float


class Limits:
    """Events a second by sender."""

    def __init__(self, events_per_second: float, clock: Callable[[], float]) -> None:
        self._rate = events_per_second
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}

    def wait(self, sender: str) -> float:
        """Seconds after which the sender may send again; 0: now."""
        bucket = self._filled(sender)
        return max(0.0, -bucket.level / self._rate)

    def take(self, sender: str, events: int) -> None:
        self._filled(sender).level -= events

    def _filled(self, sender: str) -> Bucket:
        now = self._clock()
        bucket = self._buckets.setdefault(sender, Bucket(self._rate, now))
        bucket.level = min(self._rate, bucket.level + (now - bucket.at) * self._rate)
        bucket.at = now
        return bucket
