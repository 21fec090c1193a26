"""`lakehouse catalog build`: one database file for DBeaver and other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lakehouse.commands import opened, parse_day
from lakehouse.errors import BadInput
from lakehouse.outputs import replacing


def register(app: typer.Typer) -> None:
    catalog = typer.Typer(help="A database file for BI tools.", no_args_is_help=True)
    catalog.command("build")(build)
    app.add_typer(catalog, name="catalog")


def build(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Default: lakehouse.duckdb in the lake.")
    ] = None,
    schema: Annotated[
        list[str] | None, typer.Option(help="Only gold, silver or quarantine; again for more.")
    ] = None,
    first: Annotated[str | None, typer.Option("--from", help="First gaming day.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last gaming day.")] = None,
) -> None:
    """Write lakehouse.duckdb: copies of the SQL tables, with their meaning as comments.

    Any tool opens it without an extension; readers keep the file they have open, and find the
    new one when they open it again.
    """
    from lakehouse.paths import is_url
    from lakehouse.serve.reports.render import show
    from lakehouse.serve.sql.database import SCHEMAS, build_database

    unknown = [s for s in schema or () if s not in SCHEMAS]
    if unknown:
        raise BadInput(f"--schema {unknown[0]!r}: one of {', '.join(SCHEMAS)}")
    if (first is None) != (last is None):
        raise BadInput("give both --from and --to, or neither")
    days = (parse_day(first, "--from"), parse_day(last, "--to")) if first and last else None
    if days and days[0] > days[1]:
        raise BadInput(f"--from {first} is after --to {last}")
    settings, lake = opened()
    within = Path(lake.root) / "lakehouse.duckdb"
    target = out or (settings.beside("duckdb") if is_url(lake.root) else within)
    with replacing(target) as beside:
        made = build_database(lake, beside, schemas=tuple(schema or SCHEMAS), days=days)
    show(made)
    typer.echo(f"written: {target}", err=True)
