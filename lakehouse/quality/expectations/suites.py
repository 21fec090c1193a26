"""Suites that users bring: what the folder holds, read without Great Expectations.

A file is named `<layer>.<table>.json` or `.py`, or `<layer>.<table>.<label>.json` where a table
has several.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lakehouse.contracts import contract, contracts
from lakehouse.errors import BadInput
from lakehouse.storage import stored_schema

LAYERS = ("bronze", "silver", "gold")
SEVERITIES = ("critical", "warning", "info")
_NAME = re.compile(r"(?P<layer>\w+)\.(?P<table>\w+)(\.(?P<label>[\w-]+))?\.(json|py)")
_GONE = {"catch_exceptions", "include_config", "parse_strings_as_datetimes", "result_format"}
"""Arguments of 0.x that say nothing of the data."""
_ASKS_FOR_COLUMNS = ("expect_column_to_exist", "expect_table_column")
"""Expectations that fail, as they should, where a column is not there."""


@dataclass(frozen=True)
class Suite:
    """A file of expectations on one table."""

    file: Path
    layer: str
    table: str
    label: str = ""

    @property
    def name(self) -> str:
        return ".".join(filter(None, (self.layer, self.table, self.label)))

    @property
    def check(self) -> str:
        """The name of its asset check."""
        label = re.sub(r"\W", "_", self.label)
        return f"expectations_{label}" if label else "expectations"

    @property
    def is_python(self) -> bool:
        return self.file.suffix == ".py"


@dataclass(frozen=True)
class Refused:
    """A file that is no suite, and why, in one line."""

    file: Path
    said: str


@dataclass(frozen=True)
class Written:
    """One expectation as it was written. `problem`: why it cannot run, in a line that names the
    file and the expectation."""

    type: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)
    severity: str = "critical"
    problem: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it is about."""
        named = [self.kwargs.get(k) for k in ("column", "column_A", "column_B")]
        listed = self.kwargs.get("column_list")
        many = listed if isinstance(listed, list | tuple) else []
        return tuple(str(c) for c in (*named, *many) if c is not None)


def found(folder: Path) -> tuple[list[Suite], list[Refused]]:
    """The suites of a folder and what it holds that is none, in order of name. Nothing where
    there is no folder. Files that are neither JSON nor Python, or begin with an underscore or a
    dot, are let be."""
    suites: dict[tuple[str, str, str], Suite] = {}
    refused = []
    for file in _files(folder):
        try:
            suite = _named(file)
            taken = suites.setdefault((suite.layer, suite.table, suite.check), suite)
            if taken is not suite:
                raise BadInput(f"{file}: {taken.file.name} is the suite of that name")
        except BadInput as error:
            refused.append(Refused(file, str(error)))
    return list(suites.values()), refused


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    suffixes = (".json", ".py", ".yaml", ".yml")
    files = (f for f in folder.iterdir() if f.suffix in suffixes and f.name[0] not in "._")
    return sorted(files)


def _named(file: Path) -> Suite:
    match = _NAME.fullmatch(file.name)
    if match is None:
        raise BadInput(f"{file}: name it <layer>.<table>.json or .py, such as silver.compliance.py")
    layer, table = match["layer"], match["table"]
    if layer not in LAYERS:
        raise BadInput(f"{file}: no suites for layer {layer!r}; layers: {', '.join(LAYERS)}")
    if table not in contracts():
        raise BadInput(f"{file}: there is no table {table!r}; tables: {', '.join(_tables(layer))}")
    if table not in _tables(layer):
        raise BadInput(
            f"{file}: {layer} has no table {table!r} that takes suites; tables: "
            f"{', '.join(_tables(layer))}"
        )
    return Suite(file, layer, table, match["label"] or "")


def _tables(layer: str) -> list[str]:
    """Tables of a layer with gaming days. None that is restricted: what a suite says of its
    rows would tell that there is a case (31 U.S.C. 5318(g)(2))."""
    home = "gold" if layer == "gold" else "source"
    return sorted(
        n
        for n, c in contracts(home).items()  # type: ignore[arg-type]  # one of two literals
        if not c.is_restricted and "gaming_day" in stored_schema(layer, n)
    )


def static_problem(suite: Suite) -> str:
    """What can be said against a file without running it: one line, or nothing."""
    try:
        if suite.is_python:
            ast.parse(_text(suite.file), str(suite.file))
            return ""
        return "; ".join(w.problem for w in read_json(suite) if w.problem)
    except SyntaxError as error:
        return f"{suite.file}: line {error.lineno}: {error.msg}"
    except BadInput as error:
        return str(error)


def read_json(suite: Suite) -> list[Written]:
    """The expectations of a JSON suite, of GX 1.x or 0.x, each with what stands against it.
    Raises BadInput naming the file where it is no suite at all."""
    try:
        told = json.loads(_text(suite.file))
    except json.JSONDecodeError as error:
        raise BadInput(f"{suite.file}: no JSON: line {error.lineno}: {error.msg}") from error
    listed = told.get("expectations") if isinstance(told, dict) else None
    if not isinstance(listed, list):
        raise BadInput(f"{suite.file}: no suite: it has no list of expectations")
    return [_written(suite, number, one) for number, one in enumerate(listed, 1)]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{file}: cannot be read: {error}") from error


def _written(suite: Suite, number: int, one: object) -> Written:
    where = f"{suite.file}: expectation {number}"
    if not isinstance(one, dict):
        return Written("", problem=f"{where}: is no object with type and kwargs")
    kind = one.get("type", one.get("expectation_type"))
    kwargs = one.get("kwargs") or {}
    if not isinstance(kind, str) or not isinstance(kwargs, dict):
        return Written(str(kind or ""), problem=f"{where}: needs a type and kwargs")
    kept = {k: v for k, v in kwargs.items() if k not in _GONE}
    meta = one.get("meta")
    severity = one.get("severity") or "critical"
    made = Written(kind, kept, meta if isinstance(meta, dict) else {}, str(severity))
    return checked(suite, number, made, known=known_types())


def checked(
    suite: Suite, number: int, written: Written, *, known: Iterable[str] | None = None
) -> Written:
    """With what stands against it: its type, where `known` are all there are, its columns, its
    severity."""
    said = _against(suite, written, frozenset(known or ()))
    if not said:
        return written
    problem = f"{suite.file}: expectation {number} ({written.type}): {said}"
    return Written(written.type, written.kwargs, written.meta, written.severity, problem)


def _against(suite: Suite, written: Written, known: frozenset[str]) -> str:
    if known and written.type not in known:
        return "Great Expectations has none of that type"
    if written.severity not in SEVERITIES:
        return f"severity {written.severity!r}; allowed: {', '.join(SEVERITIES)}"
    if written.type.startswith(_ASKS_FOR_COLUMNS):
        return ""
    there = sources_of(suite)
    unknown = [c for c in written.columns if c not in there]
    return f"{suite.layer}.{suite.table} has no column {unknown[0]!r}" if unknown else ""


def sources_of(suite: Suite) -> dict[str, str]:
    """What a suite may call a column → the stored column: its own name, and what the POC's
    suites and others' files call it."""
    stored = {n: n for n in stored_schema(suite.layer, suite.table)}
    second = dict(contract(suite.table).second_names)
    return stored | {n: c for n, c in second.items() if c in stored and n not in stored}


@functools.cache
def known_types() -> frozenset[str]:
    """The expectations of the Great Expectations that is installed, without its import (5 s):
    one file each. Empty where it is not installed."""
    spec = importlib.util.find_spec("great_expectations")
    if spec is None or spec.origin is None:
        return frozenset()
    core = Path(spec.origin).parent / "expectations" / "core"
    return frozenset(f.stem for f in core.glob("*.py") if f.stem.startswith(("expect_", "unexp")))


def names_in(value: object) -> Iterator[str]:
    """Every word in a value of any shape."""
    if isinstance(value, str):
        yield from re.findall(r"\w+", value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from names_in(key)
            yield from names_in(inner)
    elif isinstance(value, list | tuple | set):
        for inner in value:
            yield from names_in(inner)
    elif hasattr(value, "dict"):
        yield from names_in(value.dict())


def named_columns(suite: Suite, written: Iterable[Written]) -> dict[str, str]:
    """Name → stored column of what these expectations need read: whatever their arguments name,
    row conditions too; all of it for those on the table's shape, and for a user's own kind,
    which may look at anything."""
    all_of_it = sources_of(suite)
    needed: set[str] = set()
    for one in written:
        whole = one.type.startswith("expect_table_column") or one.type not in known_types()
        words = set(names_in(dict(one.kwargs)))
        needed |= set(stored_schema(suite.layer, suite.table)) if whole else set()
        needed |= words & all_of_it.keys()
    return {name: column for name, column in all_of_it.items() if name in needed}
