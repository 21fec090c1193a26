"""What each gaming day of a table was derived from, told by the commit that derived it.

A mark stands for the state of the inputs. A commit's metadata has the marks of its own days,
and all that were known before it: the log forgets old commits (after 30 days by Delta's rule),
and no day may lose its mark by that. Bronze is derived from nothing: its token is the set of
files that hold a day. Compaction replaces files and changes no row, so what it leaves keeps
the token of what it found.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any
from weakref import finalize

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from lakehouse.storage.listing import listed_files, paths_by_day

Tokens = dict[dt.date, str]
"""Gaming day → what it holds, as a short text that is another one when the day changes."""

KEY = "derived"
_LOOKS = (1, 8, None)
"""Commits that are looked at, then how many more; marks are nearly always in the last one."""
_REARRANGING = ("OPTIMIZE", "VACUUM START", "VACUUM END")


def digest(*parts: str) -> str:
    """48 bits: two states of one day out of a million are told apart."""
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=6).hexdigest()


def tokens(delta: DeltaTable, layer: str, table: str) -> Tokens:
    """What the table holds by gaming day: of bronze the state of its files, of any other table
    the marks of what it was derived from. Days that hold nothing are not in it."""
    if layer != "bronze":
        return {d: mark for d, mark in recorded(delta).items() if mark}
    return held(delta, layer, table)


def held(delta: DeltaTable, layer: str, table: str) -> Tokens:
    """Tokens of the files of each day; where a compaction came last, of those that it found."""
    found = _before_rearranging(delta)
    same = {d: said.split("=") for d, said in recorded(found).items() if "=" in said}
    return {
        day: same[day][1] if day in same and same[day][0] == state else state
        for day, state in _files(found, layer, table).items()
    }


def recorded(delta: DeltaTable) -> Tokens:
    """All marks that commits of the table tell, the newest of each day."""
    newest: dict[str, Any] | None = None
    later: list[dict[str, str]] = []
    for entry in _history(delta):
        if entry.get(KEY):
            said = json.loads(entry[KEY])
            newest = newest or said
            later.append(said["own"])
        if newest is not None and entry["version"] - 1 <= newest["base"]:
            break
    if newest is None:
        return {}
    marks = dict(newest["all"])
    for own in reversed(later):
        marks |= own
    return {dt.date.fromisoformat(day): mark for day, mark in marks.items()}


def known_to(delta: DeltaTable, layer: str, table: str) -> Tokens:
    """The marks that the next commit on this table has to tell of what was before it."""
    known = recorded(delta)
    if layer == "bronze" and _before_rearranging(delta) is not delta:
        now, names = _files(delta, layer, table), held(delta, layer, table)
        known = {d: f"{now[d]}={name}" for d, name in names.items() if now.get(d) != name}
    return known


def told_by(delta: DeltaTable, known: Mapping[dt.date, str], own: Mapping[dt.date, str]) -> str:
    """Metadata of the next commit on this table. Every commit has it, so that nobody need
    look far back."""
    said = {"base": delta.version(), "all": _text(known), "own": _text(own)}
    return json.dumps(said, separators=(",", ":"))


def is_rearranged(delta: DeltaTable) -> bool:
    """Whether the last commit changed no row, so that the version before it is still asked for."""
    return delta.history(1)[0]["operation"] in _REARRANGING


def _text(marks: Mapping[dt.date, str]) -> dict[str, str]:
    return {day.isoformat(): mark for day, mark in sorted(marks.items())}


def _before_rearranging(delta: DeltaTable) -> DeltaTable:
    """The newest version whose successors only rearranged its rows. Where the log has forgotten
    it, this one: its days then count as changed."""
    version = delta.version()
    for entry in _history(delta):
        if entry["operation"] not in _REARRANGING:
            break
        version = entry["version"] - 1
    if version == delta.version():
        return delta
    try:
        return DeltaTable(delta.table_uri, version=version, storage_options=delta._storage_options)
    except TableNotFoundError:
        return delta


def _history(delta: DeltaTable) -> Iterator[dict[str, Any]]:
    """Commits, newest first; more of the log is read where the newest are not enough."""
    told = 0
    for most in _LOOKS:
        read = _newest(delta, most)
        yield from read[told:]
        told = len(read)
        if most is None or told < most:
            return


def _newest(delta: DeltaTable, most: int | None) -> list[dict[str, Any]]:
    """Of an object store each commit is a request: what was read is kept with the table."""
    version, asked, read = _LOOKED_AT.get(id(delta), (None, 0, []))
    if version == delta.version() and most is not None and asked >= most:
        return read
    read = delta.history(most)
    if most is not None:
        if version is None:
            finalize(delta, _LOOKED_AT.pop, id(delta), None)
        _LOOKED_AT[id(delta)] = delta.version(), most, read
    return read


_LOOKED_AT: dict[int, tuple[int, int, list[dict[str, Any]]]] = {}
"""Open table, by its identity while it is there → its version, and its newest commits: how many
were asked for, and those that there are."""


def _files(delta: DeltaTable, layer: str, table: str) -> Tokens:
    held = paths_by_day(listed_files(delta, layer, table))
    return {day: digest(*paths) for day, paths in held.items()}
