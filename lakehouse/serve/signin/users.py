"""The users of a lake's page: their roles, and hashes of their passwords, in a private file."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lakehouse.errors import BadInput
from lakehouse.locks import locked
from lakehouse.private_files import PrivateJson, close_folder
from lakehouse.serve.signin.passwords import accept, hashed, matches

FILE = "users.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_WAIT_SECONDS = 10


@dataclass(frozen=True)
class User:
    """Somebody who may sign in. A session is of a user as that user was when it began: it ends
    with any change, and `turn` is what an operator changes to end them."""

    name: str
    roles: tuple[str, ...]
    hash: str
    made: str
    turn: int = 0
    is_demo: bool = False


class Users:
    """What `lakehouse users` writes, and a server reads anew when it has changed."""

    def __init__(self, folder: Path) -> None:
        self._kept = PrivateJson(folder / FILE, "users", _parsed)
        self._folder = folder

    def all(self) -> list[User]:
        """In order of name."""
        return sorted(self._kept.read().values(), key=lambda u: u.name)

    def find(self, name: str) -> User | None:
        return self._kept.read().get(folded(name))

    def require(self, name: str) -> User:
        """Raises BadInput where there is no such user."""
        return _known(self._kept.read(), name)

    def who(self, name: str, password: str) -> User | None:
        """The user of that name and password. It takes as long where there is no such user."""
        found = self.find(name)
        return found if matches(password, found.hash if found else None) else None

    def add(
        self, name: str, roles: Collection[str], password: str, made: str, *, is_demo: bool = False
    ) -> None:
        """Raises BadInput for a name that is taken, and for a password that is not taken."""
        if not _NAME.fullmatch(name):
            raise BadInput(
                f"user {name[:80]!r}: small letters, digits, '.', '_' and '-', at most 63"
            )
        accept(password, name)
        added = User(name, tuple(sorted(set(roles))), hashed(password), made, is_demo=is_demo)
        with self._changing() as users:
            if name in users:
                raise BadInput(f"there is a user {name!r} already")
            users[name] = added

    def remove(self, name: str) -> None:
        with self._changing() as users:
            del users[_known(users, name).name]

    def set_password(self, name: str, password: str) -> User:
        """Ends every session of the user; as they are now on return."""
        accept(password, name)
        return self._change(name, hash=hashed(password), is_demo=False)

    def set_roles(self, name: str, roles: Collection[str]) -> User:
        return self._change(name, roles=tuple(sorted(set(roles))))

    def sign_out(self, name: str) -> User:
        """Ends every session of the user."""
        return self._change(name)

    def _change(self, name: str, **to: Any) -> User:
        with self._changing() as users:
            found = _known(users, name)
            users[found.name] = replace(found, turn=found.turn + 1, **to)
            return users[found.name]

    @contextmanager
    def _changing(self) -> Iterator[dict[str, User]]:
        """The users, to be changed by one at a time, and written after."""
        close_folder(self._folder)
        lock = self._folder / "users.lock"
        with locked(lock, "users are changed", wait_seconds=_WAIT_SECONDS):
            users = dict(self._kept.read())
            yield users
            self._kept.write([asdict(u) for u in users.values()])


def folded(name: str) -> str:
    """A name as it is kept, of one as it was typed."""
    return name.strip().casefold()


def _known(users: dict[str, User], name: str) -> User:
    found = users.get(folded(name))
    if found is None:
        raise BadInput(f"no user {name[:80]!r}; users: {', '.join(sorted(users)) or 'none'}")
    return found


def _parsed(told: list[dict[str, Any]]) -> dict[str, User]:
    found = [User(**u | {"roles": tuple(u["roles"])}) for u in told]
    return {u.name: u for u in found}
