"""How many columns `lakehouse land --infer` gets right: `python -m benchmarks.inference `.

The files of tests/inference and what each is, worked out by hand.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lakehouse.ingest.files.expressions import compiled
from lakehouse.ingest.files.inference import infer
from lakehouse.settings import Settings

ROOT = Path(__file__).parents[1]
FILES = ROOT / "tests/inference"
HELD_OUT = FILES / "held_out"
DOCUMENT = ROOT / "docs/inference.md"
ZONE = "America/Los_Angeles"
FLOOR = tuple(Settings(domains=("floor",)).tables("source"))
"""The tables of a house that is nothing but a casino floor."""


@dataclass(frozen=True)
class Tally:
    """Of one file. `faults`: what is wrong or missed, in words."""

    file: str
    right: int
    wrong: int
    missed: int
    settings: tuple[int, int, int]
    faults: tuple[str, ...]

    @property
    def asked(self) -> int:
        return self.right + self.wrong + self.missed


def judged(folder: Path, tables: Collection[str] | None = None) -> list[Tally]:
    """Of a house with all tables, or with the FLOOR alone: there another one may be the right
    one."""
    expected = tomllib.loads((folder / "expected.toml").read_text("utf-8"))
    return [
        _judged(folder / name, said.get("floor", said) if tables == FLOOR else said, tables)
        for name, said in expected.items()
    ]


def _judged(path: Path, said: dict[str, Any], tables: Collection[str] | None) -> Tally:
    table = said["table"] if said.get("given") else None
    proposal = infer(path, table, timezone=ZONE, tables=tables)
    given = tomllib.loads(proposal.toml)
    if given["table"] != said["table"]:
        asked = len(said["columns"])
        fault = f"table {given['table']}, not {said['table']}"
        return Tally(path.name, 0, asked, 0, (0, 0, len(said["settings"])), (fault,))
    found = {n: _sources(n, rule) for n, rule in given.get("columns", {}).items()}
    found |= {
        x.ours: x.theirs
        for x in proposal.chosen
        if not x.aside and x.ours not in found and x.theirs
    }
    wanted = {n: _several(v) for n, v in said["columns"].items()}
    right = [n for n in wanted if sorted(found.get(n, ())) == sorted(wanted[n])]
    wrong = [n for n, theirs in found.items() if theirs and n not in right]
    missed = [n for n in wanted if n not in right and n not in wrong]
    faults = [f"{n} from {', '.join(found[n])}" for n in wrong] + [f"{n} missed" for n in missed]
    settings, more = _settings(given, said["settings"])
    return Tally(path.name, len(right), len(wrong), len(missed), settings, (*faults, *more))


def _several(given: str | list[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _sources(ours: str, rule: dict[str, Any]) -> tuple[str, ...]:
    if "constant" in rule or rule.get("empty"):
        return ()
    if "value" in rule:
        return tuple(sorted(compiled(rule["value"]).fields))
    return (rule.get("from", ours),)


def _settings(
    given: dict[str, Any], wanted: dict[str, Any]
) -> tuple[tuple[int, int, int], list[str]]:
    found = {n: _entry(given, n) for n in wanted}
    right = [n for n, v in wanted.items() if found[n] == v]
    missed = [n for n in wanted if found[n] is None]
    wrong = [n for n in wanted if n not in right and n not in missed]
    faults = [f"{n} = {found[n]!r}" for n in wrong] + [f"{n} missed" for n in missed]
    return (len(right), len(wrong), len(missed)), faults


def _entry(given: dict[str, Any], name: str) -> Any:
    column, _, entry = name.rpartition(".")
    return given.get("columns", {}).get(column, {}).get(entry) if column else given.get(entry)


def table_of(tallies: Iterable[Tally]) -> str:
    """As Markdown, with a row of sums."""
    rows = list(tallies)
    lines = ["| file | right | wrong | missed | settings right | wrong | missed | what |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for t in [*rows, *([total(rows)] if len(rows) > 1 else [])]:
        numbers = (t.right, t.wrong, t.missed, *t.settings)
        lines.append(f"| {t.file} | {' | '.join(map(str, numbers))} | {'; '.join(t.faults)} |")
    sums = total(rows)
    shares = (f"{n / max(1, sums.asked):.0%}" for n in (sums.right, sums.wrong, sums.missed))
    return "\n".join([*lines, f"| | {' | '.join(shares)} | | | | |"])


def total(tallies: list[Tally]) -> Tally:
    settings = tuple(sum(t.settings[i] for t in tallies) for i in range(3))
    counts = (sum(t.right for t in tallies), sum(t.wrong for t in tallies))
    missed = sum(t.missed for t in tallies)
    return Tally("**all**", *counts, missed, (settings[0], settings[1], settings[2]), ())


def document(text: str) -> str:
    """The text with its tables made anew; they stand between <!-- NAME --> and <!-- end -->."""
    houses = (("made", FILES, None), ("held_out", HELD_OUT, None), ("floor", FILES, FLOOR))
    for name, folder, tables in houses:
        before, _, rest = text.partition(f"<!-- {name} -->")
        after = rest.partition("<!-- end -->")[2]
        tallies = judged(folder, tables)
        table = table_of(tallies if tables is None else [total(tallies)])
        text = f"{before}<!-- {name} -->\n{table}\n<!-- end -->{after}"
    return text


def main(*asked: str) -> None:
    text = document(DOCUMENT.read_text("utf-8"))
    if "--write" in asked:
        DOCUMENT.write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
