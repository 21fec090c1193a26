"""Saved queries: `queries/<name>.sql`, each with its title, its reader and its parameters.

A file begins with comment lines: `-- title: …`, `-- for: …` and any number of
`-- param <name> = <default>: <meaning>`.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from importlib.resources import files

from lakehouse.errors import BadInput

_HEAD = re.compile(r"-- (title|for): (.+)")
_PARAMETER = re.compile(r"-- param (\w+) = (.+?): (.+)")


@dataclass(frozen=True)
class Saved:
    """One saved query. `parameters`: name → (default, meaning)."""

    name: str
    title: str
    reader: str
    parameters: dict[str, tuple[str, str]]
    sql: str

    def bound(self, given: dict[str, str]) -> dict[str, str]:
        """Values for its parameters. Raises BadInput for a name it does not have."""
        unknown = sorted(set(given) - set(self.parameters))
        if unknown:
            allowed = ", ".join(self.parameters) or "none"
            raise BadInput(
                f"query {self.name!r} has no parameter {unknown[0]!r}; it has: {allowed}"
            )
        return {name: given.get(name, default) for name, (default, _) in self.parameters.items()}


def saved_queries() -> dict[str, Saved]:
    """All saved queries by name."""
    folder = files("lakehouse.serve.sql") / "queries"
    found = (f for f in folder.iterdir() if f.name.endswith(".sql"))
    return {s.name: s for s in sorted((_read(f.name, f.read_text()) for f in found), key=_order)}


def saved_query(name: str) -> Saved:
    """Raises BadInput with the nearest names."""
    every = saved_queries()
    if name not in every:
        close = difflib.get_close_matches(name, every, n=3, cutoff=0.4)
        hint = f"; nearest: {', '.join(close)}" if close else "; see --list"
        raise BadInput(f"no saved query {name!r}{hint}")
    return every[name]


def _read(file: str, text: str) -> Saved:
    head = dict(_HEAD.findall(text))
    parameters = {name: (default, said) for name, default, said in _PARAMETER.findall(text)}
    sql = "\n".join(line for line in text.splitlines() if not line.startswith("-- "))
    return Saved(file.removesuffix(".sql"), head["title"], head["for"], parameters, sql)


def _order(saved: Saved) -> tuple[str, str]:
    return saved.reader, saved.name
