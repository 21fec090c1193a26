"""`lakehouse publish`: tables of the lake to the databases in which others work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands import Purpose, Restricted, admitted, opened
from lakehouse.commands.check_results import days_asked
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    from lakehouse.serve.publish.target import Target

Tables = Annotated[
    list[str] | None,
    typer.Option(
        "--tables",
        metavar="TABLE",
        help="A table of gold by its name, or layer.table; can be given more than once. "
        "By default all of gold, and what the views need.",
    ),
]
First = Annotated[
    str | None, typer.Option("--from", metavar="DAY", help="First gaming day; default: all.")
]
Last = Annotated[
    str | None, typer.Option("--to", metavar="DAY", help="Last gaming day; default: the first.")
]


def register(app: typer.Typer) -> None:
    publish = typer.Typer(
        help="Take tables to a database: each day that it does not have as the lake has it.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    publish.command("sqlite")(sqlite)
    publish.command("postgres")(postgres)
    app.add_typer(publish, name="publish")


def sqlite(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Database file; made if missing.")],
    tables: Tables = None,
    first: First = None,
    last: Last = None,
    restricted: Restricted = False,
    purpose: Purpose = None,
) -> None:
    """Publish to a file of SQLite. A second time sends what changed."""
    is_open = admitted("publish sqlite", restricted=restricted, purpose=purpose)
    from lakehouse.serve.publish.sqlite import SQLite

    with SQLite(file) as target:
        _publish(target, tables, first, last, restricted=is_open)


def postgres(
    tables: Tables = None,
    first: First = None,
    last: Last = None,
    prefix: Annotated[
        str, typer.Option("--prefix", help="Before the schemas' names, such as casino_.")
    ] = "",
    restricted: Restricted = False,
    purpose: Purpose = None,
) -> None:
    """Publish to PostgreSQL, schemas silver and gold. A second time sends what changed.

    The database is the setting postgres (LAKEHOUSE_POSTGRES, or lakehouse.toml).
    """
    is_open = admitted("publish postgres", restricted=restricted, purpose=purpose)
    settings, _ = opened()
    if not settings.postgres:
        raise BadInput(
            "name the database in LAKEHOUSE_POSTGRES, as postgresql://user:password@host/name"
        )
    from lakehouse.serve.publish.postgres import Postgres

    with Postgres(settings.postgres, prefix=prefix) as target:
        _publish(target, tables, first, last, restricted=is_open)


def _publish(
    target: Target,
    tables: list[str] | None,
    first: str | None,
    last: str | None,
    *,
    restricted: bool,
) -> None:
    from lakehouse.serve.publish.run import publish, usual
    from lakehouse.serve.publish.shapes import named

    days = days_asked(first, last)
    settings, lake = opened()
    shapes = [named(t, restricted=restricted) for t in tables] if tables else usual(settings)
    done = publish(lake, target, shapes, days=days, tell=_said)
    if not done:
        raise BadInput("the lake has none of these tables; `lakehouse run` makes them")
    rows, sent = sum(p.rows for p in done), sum(bool(p.days) for p in done)
    _said(f"published {rows:,} rows of {sent} tables; {len(done) - sent} had nothing new")


def _said(text: str) -> None:
    typer.echo(text, err=True)
