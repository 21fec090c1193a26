"""A proposal as TOML: each entry with how sure it is and by what, and what is left open."""

from __future__ import annotations

import json
from collections.abc import Mapping as Dictionary
from typing import Any

import dataframely as dy
import polars as pl

from lakehouse.contracts import PROVENANCE, Contract
from lakehouse.ingest.files.inference.assignment import Chosen
from lakehouse.ingest.files.inference.scores import LIKELY, SURE

_SHOWN = 30
_WORKED_OUT = {"gaming_day", *PROVENANCE}


def head_lines(entries: Dictionary[str, Any]) -> list[str]:
    return [f"{k} = {written(v)}" for k, v in entries.items()]


def block(x: Chosen) -> str:
    """One of our columns; as a comment, where it is set aside."""
    rule = dict(x.rule)
    if rule.get("from") == x.ours:
        del rule["from"]
    lines = [f"[columns.{x.ours}]", *(f"{k} = {written(v)}" for k, v in rule.items())]
    if x.foreign:
        told = ", ".join(f'{written(code)} = "?"' for code in x.foreign[:_SHOWN])
        lines.append(f"# codes = {{ {told} }}")
    lines = lines[1:] if x.aside and not rule else lines
    if x.aside:
        lines = [f"# {line.removeprefix('# ')}" for line in lines]
    elif len(lines) == 1:
        lines = []
    said = [f"# {_title(x)}", *(f"# {m}" for m in x.more)]
    return "\n".join([*said, *lines]) + "\n"


def _title(x: Chosen) -> str:
    sure = "sure" if x.score >= SURE else "likely" if x.score >= LIKELY else "a guess"
    if x.doubt and sure == "sure":
        sure = "likely"
    origin = " and ".join(repr(t) for t in x.theirs)
    why = "; ".join(dict.fromkeys(x.why))
    told = f"{x.ours}: {sure} ({x.score:.2f})" + (f", from {origin}" if origin else "")
    told += f": {why}" if why else ""
    told += f"; {x.doubt}" if x.doubt else ""
    if x.foreign:
        count = len(x.foreign)
        told += (
            f"; say what {count} {'code means' if count == 1 else 'codes mean'}, or silver rejects"
        )
    return _flat(f"SET ASIDE, {x.aside}; {told}" if x.aside else told)


def stub(c: Contract, name: str) -> str:
    """A required column that the file lacks: what it means, and how to say it."""
    column = c.columns[name]
    meaning = _flat(c.descriptions().get(name, ""))
    return "\n".join(
        (
            f"# {name} is required and nothing in the file is it: {meaning} {kind_of(column)}",
            f"# [columns.{name}]",
            f'# from = "…"      # or constant = {example(column)}',
            "",
        )
    )


def required(c: Contract) -> list[str]:
    return [n for n, col in c.columns.items() if not col.nullable and n not in _WORKED_OUT]


def kind_of(column: dy.Column) -> str:
    dtype = column.dtype
    if isinstance(column, dy.Enum):
        return "One of " + ", ".join(column.categories) + "."
    if isinstance(dtype, pl.Datetime):
        return "A moment."
    if dtype == pl.Date:
        return "A day."
    if dtype == pl.Boolean:
        return "true or false."
    if isinstance(dtype, pl.Decimal):
        return "A fraction." if (column.metadata or {}).get("unit") == "fraction" else "Dollars."
    return "A whole number." if dtype.is_integer() else "Text."


def example(column: dy.Column) -> str:
    dtype = column.dtype
    if isinstance(column, dy.Enum):
        return written(column.categories[0])
    if isinstance(dtype, pl.Datetime):
        return '"2025-01-31T20:00:00Z"'
    if dtype == pl.Date:
        return '"2025-01-31"'
    if dtype == pl.Boolean:
        return "false"
    if isinstance(dtype, pl.Decimal):
        return '"0.09"' if (column.metadata or {}).get("unit") == "fraction" else '"12.50"'
    return "0" if dtype.is_integer() else '"…"'


def written(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {written(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    plain = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if plain else written(name)


def _flat(text: str) -> str:
    """On one line of a comment, whatever a header holds."""
    return "".join(ch if ch.isprintable() else " " for ch in text)
