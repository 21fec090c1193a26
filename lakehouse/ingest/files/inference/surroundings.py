"""What stands around the rows of a file: lines above its header, a total below its last row,
objects and lists that JSON rows stand in."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from lakehouse.ingest.files.delimited import DELIMITERS
from lakehouse.ingest.files.json_lines import Shapes
from lakehouse.ingest.files.json_rows import NUMBER, Run, exploded, json_values

_LOOKED_AT = 60
_STEADY = 0.9
_DEEPEST = 4
_HOLDS_A_VALUE = re.compile(r"\d[\d.,:/ -]*")
_TOTALS = re.compile(
    r"\W*(?:grand total|sub ?total|totals?|summe|gesamt|total général|somme|totale|totales|suma|"
    r"soma|合计|总计|итого|всего|end of (?:file|report)|records? ?:)\W",
    re.IGNORECASE,
)


def around(lines: Sequence[str], last: Sequence[str]) -> dict[str, object]:
    """Entries of a mapping that leave out what is above and below the table; `lines` are the
    first of the file, `last` its last ones."""
    below = _total(last)
    if below is not None:
        cut = [n for n, line in enumerate(lines) if line.startswith(below)]
        below = None if cut[:1] == [0] else below
        lines = lines[: cut[0]] if cut and below else lines
    first = _header(lines)
    mark = _mark(lines[first]) if first else None
    if mark and any(x.startswith(mark) for x in lines[:first]):
        mark = None
    said: dict[str, object] = {"starts_at": mark} if mark else {}
    if first and not mark:
        said["skip_rows"] = first
    return said | ({"ends_at": below} if below else {})


def _total(last: Sequence[str]) -> str | None:
    """How a total begins, with a line or two of notes below it."""
    found = [n for n, line in enumerate(last) if _TOTALS.match(f"{line} ")]
    mark = _mark(last[found[0]]) if found else None
    return mark if mark and not any(x.startswith(mark) for x in last[: found[0]]) else None


def _header(lines: Sequence[str]) -> int:
    """The line of the header, where others stand above it: names alone, and under it rows as
    wide, of which some hold numbers. Else 0."""
    found: list[tuple[int, int]] = []
    for delimiter in DELIMITERS.replace(":", ""):
        rows = [next(csv.reader([line], delimiter=delimiter), []) for line in lines[:_LOOKED_AT]]
        for at, fields in enumerate(rows[:-2]):
            below = rows[at + 1 : at + 30]
            wide = sum(len(r) == len(fields) for r in below) / len(below)
            if len(fields) > 1 and wide >= _STEADY and _names(fields) and _some_value(below):
                found.append((len(fields), -at))
                break
    return -max(found)[1] if found else 0


def _names(fields: Sequence[str]) -> bool:
    return all(f.strip() and not _HOLDS_A_VALUE.fullmatch(f.strip()) for f in fields)


def _some_value(rows: Sequence[Sequence[str]]) -> bool:
    return any(_HOLDS_A_VALUE.fullmatch(f.strip()) for row in rows for f in row)


def _mark(line: str) -> str | None:
    """How the line begins, up to its first delimiter."""
    mark = re.split(f"[{re.escape(DELIMITERS)}]", line, maxsplit=1)[0].rstrip()
    return mark if mark.strip(' \t"') else None


def nesting(blocks: Iterator[bytes], rows: str | None) -> tuple[str | None, list[str], list[str]]:
    """Of JSON: the path of the list whose elements are the rows, where the file is one object
    around it; the paths of values inside objects; the paths of other lists of objects."""
    found = (v for v in json_values(blocks, Shapes(limit=0)) if not isinstance(v, Run))
    objects = [v for _, _, v in islice(found, 1_000) if isinstance(v, dict)]
    lists = sorted({p for o in objects for p in _lists(o)})
    if rows is None and len(objects) == 1 and len(lists) == 1:
        rows = lists[0]
    if rows is not None:
        inside = (e for o in objects for e in exploded(o, rows.split(".")))
        objects = [e for e in islice(inside, 1_000) if isinstance(e, dict)]
    paths = dict.fromkeys(p for o in objects for p in _paths(o))
    inner = [p for p in paths if "." in p and not p.endswith(f".{NUMBER}")]
    return rows, inner, [p for p in lists if p != rows]


def _lists(value: dict[str, Any], deep: int = 1) -> Iterator[str]:
    for name, inner in value.items():
        if isinstance(inner, list) and inner and all(isinstance(e, dict) for e in inner):
            yield name
        elif isinstance(inner, dict) and deep < _DEEPEST:
            yield from (f"{name}.{p}" for p in _lists(inner, deep + 1))


def _paths(value: dict[str, Any], deep: int = 1) -> Iterator[str]:
    for name, inner in value.items():
        if isinstance(inner, dict) and deep < _DEEPEST:
            yield from (f"{name}.{p}" for p in _paths(inner, deep + 1))
        elif not isinstance(inner, list) and "." not in name:
            yield name
