"""Reads files of cases: one case, or a list of them."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse.contracts import doors
from lakehouse.errors import BadInput

SETTINGS = (
    "carded_bill_in_knowledge",
    "multiple_transaction_log_over",
    "calendar_year_forms",
    "impossible_travel_kmh",
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One case as it stands in its file; rows are partial, decimals are text."""

    id: str
    profile: str
    as_of: dt.datetime
    settings: dict[str, Any]
    tables: dict[str, list[Row]]
    expect: dict[str, Any]


def read_cases(file: Path) -> tuple[list[Case], bool]:
    """The cases of a file, and whether it holds a list. Raises BadInput naming the fault."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        found = json.loads(text, parse_float=str, parse_constant=_refused)
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise BadInput(f"cannot read cases of {file}: {error}") from error
    listed = isinstance(found, list)
    return [_case(c, file) for c in (found if listed else [found])], listed


def _refused(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _case(given: Any, file: Path) -> Case:
    if not isinstance(given, dict) or not isinstance(given.get("id"), str):
        raise BadInput(f"{file}: a case is an object with an id; got {str(given)[:60]!r}")
    name = f"{file}: case {given['id']!r}"
    settings, tables = given.get("settings") or {}, given.get("tables") or {}
    expect = given.get("expect") or {}
    for part, value in (("settings", settings), ("tables", tables), ("expect", expect)):
        if not isinstance(value, dict):
            raise BadInput(f"{name}: {part} must be an object")
    _known(name, "setting", settings, SETTINGS)
    _known(name, "table", tables, tuple(doors()))
    for table, rows in tables.items():
        if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
            raise BadInput(f"{name}: table {table!r} must be a list of objects")
    profile = given.get("profile", "us-federal")
    return Case(given["id"], profile, _moment(name, given), settings, tables, expect)


def _known(name: str, kind: str, given: dict[str, Any], allowed: tuple[str, ...]) -> None:
    unknown = sorted(set(given) - set(allowed))
    if unknown:
        raise BadInput(f"{name}: unknown {kind} {unknown[0]!r}; allowed: {', '.join(allowed)}")


def _moment(name: str, given: dict[str, Any]) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(str(given["as_of"]))
    except (KeyError, ValueError) as error:
        raise BadInput(f"{name}: as_of must be a timestamp with an offset: {error}") from error
    if moment.tzinfo is None:
        raise BadInput(f"{name}: as_of {given['as_of']!r} has no offset from UTC")
    return moment.astimezone(dt.UTC)
