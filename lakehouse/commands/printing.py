"""Rows on their way out of a command: a table for the eye, csv and JSON for programs."""

from __future__ import annotations

import enum
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
