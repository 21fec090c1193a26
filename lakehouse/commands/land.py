"""`lakehouse land`: files into the landing zone, and a mapping proposed for a foreign one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands import opened
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    from lakehouse.settings import Settings
    from lakehouse.storage import Lake

_HELP = {"help_option_names": ["-h", "--help"]}


def register(app: typer.Typer) -> None:
    app.command("land", context_settings=_HELP)(land)


def land(
    files: Annotated[list[Path], typer.Argument(metavar="FILES…", help="Files to copy in.")],
    table: Annotated[
        str | None,
        typer.Option("--table", "-t", help="Table the rows belong to; else the mapping's."),
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
    table = table or _table_of(mapping)
    if dry_run:
        _try(files, table, mapping)
    else:
        _copy(files, table, mapping)


def _table_of(mapping: Path | None) -> str:
    """The table that a mapping says it is for."""
    from lakehouse.ingest.files.mapping_files import given_in

    said = None if mapping is None else given_in(mapping).get("table")
    if not isinstance(said, str):
        raise BadInput("land needs --table, such as --table slot_telemetry")
    return said


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
    if unknown := _unknown_parents(settings, lake, table):
        typer.echo(
            f"rows of {table} name rows of {', '.join(unknown)}, of which the lake has none yet, "
            "and are kept out until it does: land these too, or say what becomes of such rows in "
            f'lakehouse.toml:\n[orphans]\n{table} = "keep"',
            err=True,
        )
    typer.echo("`lakehouse ingest` takes them in", err=True)


def _unknown_parents(settings: Settings, lake: Lake, table: str) -> list[str]:
    """Tables that rows of `table` refer to and that no row or landed file is of, where no setting
    says what becomes of such rows."""
    from lakehouse.contracts import contract
    from lakehouse.ingest.files.zone import DONE, landing_zone

    if table in settings.orphans:
        return []
    parents = {parent for parent, _ in contract(table).references().values()} - {table}
    zone = landing_zone(lake)
    return [
        parent
        for parent in sorted(filter(settings.has, parents))
        if lake.partitions("bronze", parent).is_empty()
        and not any((zone / parent).glob(f"*{DONE}"))
    ]


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
