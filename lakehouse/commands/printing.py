"""Rows on their way out of a command: a table for the eye, csv and JSON for programs."""

from __future__ import annotations

import enum
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import polars as pl


class Format(enum.StrEnum):
    table = "table"
    csv = "csv"
    json = "json"


Shape = Annotated[Format, typer.Option("--format", "-o", help="How to print.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


def chosen(*, as_json: bool) -> Format:
    return Format.json if as_json else Format.table


def put(frame: pl.DataFrame, shape: Format = Format.table) -> None:
    """Writes rows to standard output."""
    from lakehouse.serve.reports.render import show

    if shape is Format.table:
        show(frame)
    elif shape is Format.json:
        typer.echo(frame.write_json())
    else:
        typer.echo(frame.write_csv(), nl=False)


def lines(names: Iterable[str], rows: Iterable[Iterable[object]], *, err: bool = False) -> None:
    """Writes rows as a table for the eye: counts with their commas, to the right."""
    from lakehouse.serve.reports.render import draw

    cells = [tuple(row) for row in rows]
    columns = [
        (name, bool(cells) and all(type(row[at]) in (int, float) for row in cells))
        for at, name in enumerate(names)
    ]
    draw(columns, (map(_cell, row) for row in cells), sys.stderr if err else sys.stdout)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:,}" if type(value) in (int, float) else str(value)
