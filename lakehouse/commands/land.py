"""`lakehouse land`: files into the landing zone, and a mapping proposed for a foreign one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands import opened
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    from lakehouse.settings import Settings

_HELP = {"help_option_names": ["-h", "--help"]}


def register(app: typer.Typer) -> None:
    app.command("land", context_settings=_HELP)(land)


def land(
    files: Annotated[list[Path], typer.Argument(metavar="FILES…", help="Files to copy in.")],
    table: Annotated[
        str | None, typer.Option("--table", "-t", help="Table the rows belong to.")
    ] = None,
    mapping: Annotated[
        Path | None, typer.Option("--mapping", "-m", help="TOML: how foreign columns become ours.")
    ] = None,
    infer: Annotated[
        bool,
        typer.Option(
            "--infer", help="Print a mapping for the file, from what --mapping says; copy nothing."
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Show what the files would become, up to gold; copy nothing."
        ),
    ] = False,
) -> None:
    """Copy CSV, JSON, NDJSON or Parquet files into the landing zone."""
    if infer and dry_run:
        raise BadInput("--infer and --dry-run are two questions; ask one after the other")
    if infer:
        _propose(files, table, mapping)
        return
    if table is None:
        raise BadInput("land needs --table, such as --table slot_telemetry")
    if dry_run:
        _try(files, table, mapping)
    else:
        _copy(files, table, mapping)


def _try(files: list[Path], table: str, mapping: Path | None) -> None:
    from lakehouse.commands.dry_run import dry_run
    from lakehouse.contracts import doors

    if table not in doors():
        raise BadInput(f"no rows can be landed in {table!r}; tables: {', '.join(sorted(doors()))}")
    settings, lake = opened()
    refuse_absent(settings, table)
    dry_run(files, table, mapping, settings, lake)


def refuse_absent(settings: Settings, table: str) -> None:
    """Raises BadInput for a table of a part of the house that the lake does not have."""
    from lakehouse.contracts import contract

    if not settings.has(table):
        raise BadInput(
            f"the lake has no {table}: it belongs to {contract(table).domain}, and the setting "
            f"domains names {', '.join(settings.domains)}"
        )


def _copy(files: list[Path], table: str, mapping: Path | None) -> None:
    from rich.console import Console
    from rich.progress import Progress

    from lakehouse.ingest.files.land import is_file
    from lakehouse.ingest.files.land import land as copy_in

    settings, lake = opened()
    refuse_absent(settings, table)
    if not settings.takes_files(table):
        source = settings.source_of(table)
        raise BadInput(
            f"the source of {table} is the {source}; set source to landing or both, such as "
            "LAKEHOUSE_SOURCE=landing"
        )
    total = sum(f.stat().st_size for f in files if is_file(f))
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"landing {len(files)} files", total=total)
        landed = copy_in(files, table, lake, mapping, lambda n: bar.advance(task, n))
    for path in landed:
        typer.echo(f"landed {path}", err=True)
    typer.echo("`lakehouse ingest` takes them in", err=True)


def _propose(files: list[Path], table: str | None, mapping: Path | None) -> None:
    from lakehouse.ingest.files.inference import infer, known_values

    if len(files) != 1:
        raise BadInput(f"--infer looks at one file; {len(files)} given")
    settings, lake = opened()
    proposed = infer(
        files[0],
        table,
        timezone=settings.timezone,
        start=mapping,
        known=known_values(lake),
        tables=settings.tables("source"),
    )
    typer.echo(proposed.toml, nl=False)
    for said in proposed.unmatched:
        typer.echo(said, err=True)
