"""`lakehouse publish`: tables of the lake to the databases in which others work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from lakehouse.commands import Purpose, Restricted, admitted, opened
from lakehouse.commands.check_results import days_asked
from lakehouse.errors import BadInput

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
Prefix = Annotated[
    str, typer.Option("--prefix", help="Before the schemas' names, such as casino_.")
]


def register(app: typer.Typer) -> None:
    publish = typer.Typer(
        help="Take tables to a database: each day that it does not have as the lake has it.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    publish.command("sqlite")(sqlite)
    publish.command("postgres")(postgres)
    publish.command("snowflake")(snowflake)
    app.add_typer(publish, name="publish")


def sqlite(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="Database file, made if missing; default: the setting sqlite."
        ),
    ] = None,
    tables: Tables = None,
    first: First = None,
    last: Last = None,
    restricted: Restricted = False,
    purpose: Purpose = None,
) -> None:
    """Publish to a file of SQLite. A second time sends what changed."""
    chosen = _Chosen(tables, first, last, restricted, purpose)
    _publish("sqlite", chosen, file=file)


def postgres(
    tables: Tables = None,
    first: First = None,
    last: Last = None,
    prefix: Prefix = "",
    restricted: Restricted = False,
    purpose: Purpose = None,
) -> None:
    """Publish to PostgreSQL, schemas silver and gold. A second time sends what changed.

    The database is the setting postgres (LAKEHOUSE_POSTGRES, or lakehouse.toml).
    """
    _publish("postgres", _Chosen(tables, first, last, restricted, purpose), prefix)


def snowflake(
    tables: Tables = None,
    first: First = None,
    last: Last = None,
    prefix: Prefix = "",
    restricted: Restricted = False,
    purpose: Purpose = None,
) -> None:
    """Publish to Snowflake, with the tables of a shop's warehouse. A second time sends what
    changed.

    The account is the setting snowflake (LAKEHOUSE_SNOWFLAKE, or lakehouse.toml).
    """
    _publish("snowflake", _Chosen(tables, first, last, restricted, purpose), prefix)


class _Chosen(NamedTuple):
    tables: list[str] | None
    first: str | None
    last: str | None
    restricted: bool
    purpose: str | None


def _publish(name: str, chosen: _Chosen, prefix: str = "", file: Path | None = None) -> None:
    """What is wrong with the request is said before a database is asked for anything."""
    days = days_asked(chosen.first, chosen.last)
    is_open = admitted(f"publish {name}", restricted=chosen.restricted, purpose=chosen.purpose)
    from lakehouse.serve.publish.run import publish, usual
    from lakehouse.serve.publish.shapes import named
    from lakehouse.serve.publish.targets import connected, refuse_nowhere

    settings, lake = opened()
    settings = settings.model_copy(update={"sqlite": file}) if file else settings
    refuse_nowhere(settings, name)
    asked = dict.fromkeys(chosen.tables or ())
    shapes = [named(t, restricted=is_open) for t in asked] or usual(settings, name)
    if not any(lake.exists(s.layer, s.table) for s in shapes):
        raise BadInput("the lake has none of these tables; `lakehouse run` makes them")
    with connected(settings, name, prefix) as target:
        done = publish(lake, target, shapes, days=days, tell=_said)
    rows, sent = sum(p.rows for p in done), sum(bool(p.days) for p in done)
    _said(f"published {rows:,} rows of {sent} tables; {len(done) - sent} had nothing new")


def _said(text: str) -> None:
    typer.echo(text, err=True)
