"""The way into review cases: a key, a purpose, and a row of audit before anything is read.

The key that is in force is named in the audit log itself, so that a lake at any root knows it,
and a lost or leaked one is replaced by a new entry.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.compliance import access_log
from lakehouse.errors import BadInput
from lakehouse.privacy.keys import RESTRICTED, TokenKey, create_key, key_place, rotate_key

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from lakehouse.storage import Lake

_ISSUED = "restricted key issued: "


def restricted_key_path(settings: Settings) -> Path:
    """The setting, or in the lake's folder of keys."""
    return key_place(settings, RESTRICTED, settings.restricted_key_file)


def issue_key(settings: Settings, lake: Lake, *, who: str, at: dt.datetime) -> Path:
    """Makes the first key file and names it in the audit log as the one in force. Raises BadInput
    where one is in force: whoever has no key must not be able to make one."""
    if _in_force(lake) is not None:
        raise BadInput("a restricted key is in force; `lakehouse access rotate` replaces it")
    path = restricted_key_path(settings)
    key = create_key(path, root=settings.root)
    access_log.record(lake, who, "issue the key of the restricted zone", _ISSUED + key.key_id, at)
    return path


def replace_key(settings: Settings, lake: Lake, *, who: str, at: dt.datetime) -> Path:
    """Puts a new key in force, for whoever holds the old one."""
    unlock(settings, lake)
    path = restricted_key_path(settings)
    _, key = rotate_key(path, root=settings.root)
    access_log.record(lake, who, "replace the key of the restricted zone", _ISSUED + key.key_id, at)
    return path


def unlock(settings: Settings, lake: Lake) -> None:
    """Raises BadInput unless the key file is there, is its owner's alone, and holds the key in
    force."""
    path = restricted_key_path(settings)
    if not path.exists():
        raise BadInput(
            f"what is restricted needs the key file {path}; `lakehouse access init` makes the first"
        )
    key = TokenKey.load(path, root=settings.root)
    if key.key_id != _in_force(lake):
        raise BadInput(f"key file {path} is not the key in force for {settings.root}")


def enter(
    settings: Settings, lake: Lake, *, who: str, purpose: str, what: str, at: dt.datetime
) -> None:
    """Opens the zone to one access, which is in the audit log before it happens. Raises BadInput
    without the key in force, or for a purpose that says nothing."""
    unlock(settings, lake)
    access_log.record(lake, who, purpose, what, at)


def unlock_where_locked(settings: Settings, lake: Lake) -> None:
    """As `unlock`, once a key was issued; before that the folders' modes alone guard the zone."""
    if _in_force(lake) is not None:
        unlock(settings, lake)


def _in_force(lake: Lake) -> str | None:
    queries = access_log.read(lake)["query"].to_list()
    issued = [q.removeprefix(_ISSUED) for q in queries if q.startswith(_ISSUED)]
    return issued[-1] if issued else None
