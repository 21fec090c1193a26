"""The doorman: who somebody is, by a session, by a name and a password, or by word of a proxy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from lakehouse.errors import BadInput
from lakehouse.serve.signin.journal import SignInLog
from lakehouse.serve.signin.lockout import Lockout
from lakehouse.serve.signin.roles import Role, roles, viewer
from lakehouse.serve.signin.sessions import Session, Sessions
from lakehouse.serve.signin.site import Site
from lakehouse.serve.signin.users import User, Users, folded
from lakehouse.serve.signin.viewing import Visit
from lakehouse.serve.signin.wanted import PageSettings

_LONGEST_NAME = 254


class Wait(Exception):  # noqa: N818 - an answer, not an error of ours
    """Too many failures: not before so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Doorman:
    """Knows the users, roles and sessions of one server. `folder`: of the lake's private state;
    `now`: the present moment in UTC. Raises BadInput for roles or groups that cannot be."""

    def __init__(self, page: PageSettings, folder: Path, now: Callable[[], dt.datetime]) -> None:
        def seconds() -> float:
            return now().timestamp()

        self.page, self.site = page, Site.of(page)
        self.roles = roles_of(page)
        self.users = Users(folder)
        self.log = SignInLog(folder, now)
        self.sessions = Sessions(60 * page.idle_minutes, 3600 * page.hours, seconds)
        self._lockout = Lockout(seconds)

    @property
    def cookie(self) -> str:
        return "__Host-lakehouse" if self.site.is_secure else "lakehouse"

    def visit(self, scope: Scope) -> Visit | None:
        """Whose request it is; null of nobody."""
        session = self._vouched(scope) or self._signed_in(scope)
        if session is None:
            return None
        who = viewer(session.user.name, session.user.roles, self.roles)
        return Visit(who, session, lambda: self.is_live(session))

    def is_live(self, session: Session) -> bool:
        """Whether a session still opens what it opened: its time has not come, and its user is
        as the user was."""
        if not self.sessions.is_live(session):
            return False
        if session.is_vouched or self.users.find(session.user.name) == session.user:
            return True
        self.sessions.end(session)
        return False

    def sign_in(self, name: str, password: str, address: str) -> User | None:
        """The user, or null: no such user, or not that password; one does not learn which.
        Raises Wait."""
        self._refuse_hasty(name, address)
        found = self.users.who(name, password)
        if found is None:
            self.log.write(self._known(name), address, "sign-in failed")
            return None
        self._lockout.succeeded(found.name, address)
        self.log.write(found.name, address, "signed in")
        return found

    def change_password(self, user: User, old: str, new: str, address: str) -> User:
        """Ends all sessions of the user. Raises BadInput for an old password that is another, or
        a new one that is not taken; Wait."""
        self._refuse_hasty(user.name, address)
        if self.users.who(user.name, old) is None:
            self.log.write(user.name, address, "sign-in failed", "changing the password")
            raise BadInput("the password that you have now is another")
        self._lockout.succeeded(user.name, address)
        changed = self.users.set_password(user.name, new)
        self.log.write(user.name, address, "password changed")
        return changed

    def end_others(self, session: Session, password: str, address: str) -> None:
        """Ends all sessions of a user but this one. Raises BadInput, Wait."""
        self._refuse_hasty(session.user.name, address)
        if self.users.who(session.user.name, password) is None:
            self.log.write(session.user.name, address, "sign-in failed", "ending sessions")
            raise BadInput("the password is another")
        self._lockout.succeeded(session.user.name, address)
        for other in self.sessions.of(session.user.name):
            if other is not session:
                self.sessions.end(other)
        self.log.write(session.user.name, address, "sessions ended", "all others")

    def _refuse_hasty(self, name: str, address: str) -> None:
        wait = self._lockout.take(folded(name)[:_LONGEST_NAME], address)
        if wait > 0:
            self.log.write(self._known(name), address, "locked")
            raise Wait(wait)

    def _known(self, name: str) -> str:
        found = self.users.find(name)
        return found.name if found else "-"

    def _signed_in(self, scope: Scope) -> Session | None:
        cookies = cookie_parser(Headers(scope=scope).get("cookie", ""))
        secret = cookies.get(self.cookie)
        found = self.sessions.find(secret) if secret else None
        return found if found is not None and self.is_live(found) else None

    def _vouched(self, scope: Scope) -> Session | None:
        """By word of a proxy of ours; of anybody else's nothing is believed."""
        name = self.page.user_header
        said = Headers(scope=scope).getlist(name) if name else []
        if not said:
            return None
        address = self.site.sender(scope)
        if not self.site.is_proxied(scope):
            self.log.write("-", address, "header refused", f"{name} by no proxy of ours")
            return None
        if len(said) > 1 or not said[0].strip().isprintable() or len(said[0]) > _LONGEST_NAME:
            self.log.write("-", address, "header refused", f"{name} says more than a name")
            return None
        if not said[0].strip():
            return None
        user = User(said[0].strip(), self._held(scope), hash="", made="")
        session, is_new = self.sessions.vouched(user, address)
        if is_new:
            self.log.write(user.name, address, "signed in", f"by {name}: {', '.join(user.roles)}")
        return session

    def _held(self, scope: Scope) -> tuple[str, ...]:
        told = Headers(scope=scope).getlist(self.page.groups_header or "")
        groups = {g.strip() for line in told for g in line.split(",")}
        return tuple(sorted({r for g, r in self.page.groups.items() if g in groups}))


def roles_of(page: PageSettings) -> Mapping[str, Role]:
    """The roles in force. Raises BadInput, for a group too whose role there is not."""
    known = roles(page.roles)
    for group, role in page.groups.items():
        if role not in known:
            raise BadInput(
                f"setting 'page.groups': {group!r} is given the role {role!r}; roles: "
                f"{', '.join(known)}"
            )
    return known
