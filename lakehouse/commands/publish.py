"""`lakehouse publish`: tables of the lake to the databases in which others work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from lakehouse.commands import Purpose, Restricted, admitted, opened
from lakehouse.commands.check_results import days_asked
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    from lakehouse.serve.publish.graphite.spool import Spool
    from lakehouse.settings import Settings
    from lakehouse.storage import Lake

_LOOK = 0.2

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
    publish.command("graphite")(graphite)
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


def graphite(
    series: Annotated[
        list[str] | None,
        typer.Option(
            "--series",
            metavar="STEM",
            help="Only this one, such as servers; can be given more than once.",
        ),
    ] = None,
    first: First = None,
    last: Last = None,
    again: Annotated[bool, typer.Option("--again", help="Days that were sent too.")] = False,
    live: Annotated[
        bool, typer.Option("--live", help="What live views show, as it changes, until Ctrl-C.")
    ] = False,
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", help="Between two looks of --live.")
    ] = 5.0,
) -> None:
    """Publish figures to Graphite: servers, sales, fraud, the house's days.

    The server is the setting graphite.server (LAKEHOUSE_GRAPHITE__SERVER). While it is away,
    points wait on the disk and go out, in their order, the next time.
    """
    from lakehouse.serve.publish.graphite.run import chosen, spool_of
    from lakehouse.serve.publish.graphite.run import publish as send

    if not 0.1 <= every <= 3_600:
        raise BadInput(f"--every {every:g}: 0.1 to 3600 seconds are allowed")
    days = days_asked(first, last)
    settings, lake = opened()
    spool = spool_of(settings)
    if live:
        if series or days or again:
            raise BadInput("--live sends what is so now: leave out --series, --from, --to, --again")
        _follow(settings, lake, spool, every)
        return
    asked = chosen(settings, series)
    done = send(lake, settings, spool, asked, days=days, again=again, tell=_said)
    _said(f"sent {sum(s.points for s in done):,} points of {sum(s.days for s in done)} days")


def _follow(settings: Settings, lake: Lake, spool: Spool, every: float) -> None:
    import time

    from lakehouse.commands.serve import live_views
    from lakehouse.commands.stopping import stopping
    from lakehouse.errors import LakehouseError
    from lakehouse.serve.publish.graphite.run import Live

    follow, failed = Live(settings, live_views(settings, lake)), ""
    with stopping() as is_stopped:
        while not is_stopped():
            began = time.monotonic()
            try:
                spool.add(follow.changed())
                spool.drain(attempts=1)
                failed = ""
            except LakehouseError as error:
                if not failed:  # said once, until it has gone well again
                    _said(str(error))
                failed = str(error)
            while not is_stopped() and time.monotonic() - began < every:
                time.sleep(min(every, _LOOK))


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
