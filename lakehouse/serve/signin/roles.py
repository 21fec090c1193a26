"""Roles as data: which pages a role opens, and what its holders may do there."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from lakehouse.errors import BadInput
from lakehouse.serve.pages.viewer import Viewer

PAGES = (
    *("today", "floor", "players", "compliance", "protection", "fraud"),
    *("online", "platform", "shop", "data", "sql", "monitor"),
)
"""Every page that a role can name, whether this lake has it or not."""
GRANTS = ("alerts", "names", "sql", "quarantine", "sar")
ALONE = Viewer("this machine", frozenset(PAGES), frozenset(GRANTS) - {"names", "sar"})
"""Whoever sits at a machine where nobody signs in: who that is nobody knows, so that neither the
names of players nor cases of suspicion are shown."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_KEYS = {"about": str, "pages": list, "grants": list}


@dataclass(frozen=True)
class Role:
    """What its holders see and may do."""

    name: str
    about: str
    pages: frozenset[str]
    grants: frozenset[str]


def roles(path: Path | None = None) -> dict[str, Role]:
    """Roles by name, of a file or else of those that come with the program. Raises BadInput."""
    where = f"roles in {path}" if path else "roles"
    try:
        source = path or files(__package__).joinpath("roles.toml")
        told = tomllib.loads(source.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"{where} cannot be read: {error}") from error
    if not told:
        raise BadInput(f"{where}: there is none")
    return {name: _role(where, name, about) for name, about in told.items()}


def viewer(name: str, held: Iterable[str], known: Mapping[str, Role]) -> Viewer:
    """Somebody with these roles: what they open adds up. A role that is no more opens nothing."""
    found = [known[r] for r in held if r in known]
    return Viewer(
        name,
        frozenset[str]().union(*(r.pages for r in found)),
        frozenset[str]().union(*(r.grants for r in found)),
    )


def _role(where: str, name: str, told: object) -> Role:
    here = f"{where}: role {name!r}"
    if not _NAME.fullmatch(name):
        raise BadInput(f"{here}: small letters, digits, '_' and '-', at most 32")
    if not isinstance(told, dict):
        raise BadInput(f"{here}: write it as a table, [{name}]")
    for key, value in told.items():
        if key not in _KEYS:
            raise BadInput(f"{here}: no key {key!r}; keys: {', '.join(_KEYS)}")
        if not isinstance(value, _KEYS[key]):
            raise BadInput(f"{here}: {key} = {value!r} is no {_KEYS[key].__name__}")
    pages = _known(here, "page", told.get("pages", []), PAGES)
    grants = _known(here, "grant", told.get("grants", []), GRANTS)
    return Role(name, told.get("about", ""), pages, grants)


def _known(here: str, what: str, told: list[object], known: Collection[str]) -> frozenset[str]:
    for each in told:
        if each not in known:
            raise BadInput(f"{here}: no {what} {each!r}; {what}s: {', '.join(known)}")
    return frozenset(str(each) for each in told)
