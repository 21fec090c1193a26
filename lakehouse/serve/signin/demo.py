"""Users to try the page with: one for each role, of the demo alone."""

from __future__ import annotations

import secrets

from lakehouse.serve.signin.roles import Role
from lakehouse.serve.signin.users import Users

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""That nobody takes for another."""


def demo_users(users: Users, roles: dict[str, Role], made: str) -> str | None:
    """Makes a user of each role's name, all with one password, which is kept nowhere: the
    password. A second time they get another, as nobody may know the first. Null where there are
    users who are not the demo's: it adds none to theirs."""
    there = users.all()
    if any(not u.is_demo for u in there):
        return None
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(4))
    password = "-".join(groups)
    for user in there:
        users.remove(user.name)
    for name in roles:
        users.add(name, [name], password, made, is_demo=True)
    return password
