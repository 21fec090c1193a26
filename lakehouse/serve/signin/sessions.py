"""Sessions: who is signed in, on the server alone. A browser has 256 random bits, and the server
their hash; a restart signs everybody out."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from lakehouse.serve.signin.users import User

MOST = 10
"""Of one user at a time; one more ends the one that was used longest ago."""


@dataclass
class Session:
    """One browser of one user, as the user was when it began; or all of a user for whom a proxy
    vouches, anew with each request."""

    key: str
    user: User
    address: str
    began: float
    seen: float
    is_vouched: bool = False


class Sessions:
    """All of one server. `idle` and `whole`: seconds after which one ends, unused and at all.
    `now`: seconds since 1970."""

    def __init__(self, idle: float, whole: float, now: Callable[[], float]) -> None:
        self._idle, self._whole, self._now = idle, whole, now
        self._open: dict[str, Session] = {}

    def begin(self, user: User, address: str) -> str:
        """The secret for the browser, which is kept nowhere here."""
        secret = secrets.token_urlsafe(32)
        self._add(_hash(secret), user, address)
        return secret

    def vouched(self, user: User, address: str) -> tuple[Session, bool]:
        """The session of a user whom a proxy vouches for, and whether it is new: because there
        was none, or because the roles are others."""
        key = _hash(f"proxy\n{user.name}")
        found = self._open.get(key)
        if found is not None and self.is_live(found) and found.user == user:
            return found, False
        self._add(key, user, address, is_vouched=True)
        return self._open[key], True

    def find(self, secret: str) -> Session | None:
        found = self._open.get(_hash(secret))
        return found if found is not None and self.is_live(found) else None

    def is_live(self, session: Session) -> bool:
        """Whether it has not ended; one whose time has come ends here."""
        if self._open.get(session.key) is not session:
            return False
        now = self._now()
        if now - session.seen < self._idle and now - session.began < self._whole:
            return True
        self.end(session)
        return False

    def use(self, session: Session) -> None:
        """Its user did something."""
        session.seen = self._now()

    def end(self, session: Session) -> None:
        if self._open.get(session.key) is session:
            del self._open[session.key]

    def of(self, user: str) -> list[Session]:
        """Those of a user, the one that was used last first."""
        found = [s for s in list(self._open.values()) if s.user.name == user and self.is_live(s)]
        return sorted(found, key=lambda s: s.seen, reverse=True)

    def _add(self, key: str, user: User, address: str, *, is_vouched: bool = False) -> None:
        for spare in self.of(user.name)[MOST - 1 :]:
            self.end(spare)
        now = self._now()
        self._open[key] = Session(key, user, address, now, now, is_vouched)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
