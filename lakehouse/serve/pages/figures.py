"""Figures: `figures/<page>/<name>.sql`, each a query with what it is called and how it is drawn.

A file begins with comment lines: `-- title: …`, `-- draw: …`, and of these what it needs:
`-- note: …` (what the reader should know), `-- empty: …` (what it means that there are no rows),
`-- x: column`, `-- y: column, column`, `-- wide`,
`-- with: name` or `-- without: name` (shown where the page's address has that name, or has it not),
and any number of `-- param <name> = <default>: <meaning>`. `$day`, `$first`, `$last` and parameters
are filled in from the page's address.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal, cast, get_args

from lakehouse.errors import BadInput

Draw = Literal["tiles", "lines", "bars", "table", "heat", "facts", "floor"]
_HEAD = re.compile(r"^-- (title|draw|note|empty|x|y|with|without): (.+)$", re.MULTILINE)
_PARAMETER = re.compile(r"^-- param (\w+) = ?(.*?): (.+)$", re.MULTILINE)
_WIDE = re.compile(r"^-- wide$", re.MULTILINE)
_ORDER = re.compile(r"^\w-")


@dataclass(frozen=True)
class Figure:
    """One query of a page. `parameters`: of each its name, default and meaning."""

    page: str
    name: str
    title: str
    draw: Draw
    sql: str
    note: str = ""
    x: str = ""
    y: tuple[str, ...] = ()
    is_wide: bool = False
    parameters: tuple[tuple[str, str, str], ...] = ()
    only_with: str = ""
    only_without: str = ""
    empty: str = ""

    @property
    def address(self) -> str:
        return f"{self.page}/{self.name}"

    def is_shown(self, given: Mapping[str, str]) -> bool:
        """Whether it belongs on its page at an address with these names."""
        if self.only_with and not given.get(self.only_with):
            return False
        return not given.get(self.only_without)

    def bound(self, given: Mapping[str, str]) -> dict[str, str]:
        """The values that its query asks for, each as given or by default."""
        defaults = {name: default for name, default, _ in self.parameters}
        needed = {self.only_with: ""} if self.only_with else {}
        known = {**needed, **defaults, **{name: value for name, value in given.items() if value}}
        return {name: known[name] for name in _asked(self.sql) if name in known}


@functools.cache
def figures_of(page: str) -> tuple[Figure, ...]:
    """The figures of a page, in the order of their files' numbers. Raises BadInput."""
    folder = files(__package__).joinpath("figures", page)
    if not folder.is_dir():
        raise BadInput(f"no page {page!r}")
    found = [f for f in folder.iterdir() if f.name.endswith(".sql")]
    return tuple(_read(page, f) for f in sorted(found, key=lambda f: f.name))


def figure(address: str) -> Figure:
    """Raises BadInput for a figure that there is not."""
    page, _, name = address.partition("/")
    found = {f.name: f for f in figures_of(page)}
    if name not in found:
        raise BadInput(f"no figure {address!r}; page {page} has: {', '.join(found)}")
    return found[name]


def query_of(name: str) -> str:
    """The query of `queries/<name>.sql`: it says what a card says that is made without SQL."""
    return files(__package__).joinpath("queries", f"{name}.sql").read_text(encoding="utf-8").strip()


def pages_with_figures() -> list[str]:
    return sorted(f.name for f in files(__package__).joinpath("figures").iterdir() if f.is_dir())


def _read(page: str, file: Traversable) -> Figure:
    text = file.read_text(encoding="utf-8")
    head = dict(_HEAD.findall(text))
    if head.get("draw") not in get_args(Draw):
        raise BadInput(f"{page}/{file.name}: draw is one of {', '.join(get_args(Draw))}")
    sql = "\n".join(line for line in text.splitlines() if not line.startswith("-- "))
    return Figure(
        page,
        _ORDER.sub("", file.name).removesuffix(".sql"),
        head["title"],
        cast(Draw, head["draw"]),
        sql.strip(),
        head.get("note", ""),
        head.get("x", ""),
        tuple(n.strip() for n in head.get("y", "").split(",") if n.strip()),
        bool(_WIDE.search(text)),
        tuple(_PARAMETER.findall(text)),
        head.get("with", ""),
        head.get("without", ""),
        head.get("empty", ""),
    )


def _asked(sql: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"\$(\w+)", sql)))
