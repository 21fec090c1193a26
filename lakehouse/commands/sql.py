"""`lakehouse sql`: questions to the lake, at once, from a file, saved ones, or at a prompt."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from lakehouse.commands import Purpose, Restricted, opened, parse_as_of, require_purpose
from lakehouse.commands.caller import now, user
from lakehouse.errors import BadInput, LakehouseError
from lakehouse.outputs import check_output, replacing

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

    from lakehouse.serve.sql.catalog import Catalog
    from lakehouse.serve.sql.limits import Runaway
    from lakehouse.serve.sql.saved_queries import Saved

FORMS = ("table", "csv", "json", "parquet")
HELP = "SQL; .tables, .describe gold.player_day, .saved, .quit"


def register(app: typer.Typer) -> None:
    app.command("sql")(sql)


def sql(
    query: Annotated[str | None, typer.Argument(help="One SELECT, DESCRIBE or SHOW.")] = None,
    file: Annotated[
        Path | None, typer.Option("-f", "--file", help="Read the query from a file; - is stdin.")
    ] = None,
    saved: Annotated[str | None, typer.Option(help="Run a saved query.")] = None,
    list_saved: Annotated[bool, typer.Option("--list", help="List the saved queries.")] = False,
    param: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="Value of $NAME in the query.")
    ] = None,
    form: Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMS)}.")] = "table",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write to a file.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="Rows of a table to show; 0: all.")] = 200,
    as_of: Annotated[
        str | None, typer.Option(help="The lake as it was: a moment, or a table's version.")
    ] = None,
    restricted: Restricted = False,
    purpose: Purpose = None,
) -> None:
    """Ask the lake in SQL. Without a query: a prompt.

    Schemas gold, silver, quarantine and ops, read-only. `lakehouse tables` lists what there is.
    """
    from lakehouse.serve.sql.limits import Runaway
    from lakehouse.serve.sql.saved_queries import saved_queries, saved_query

    _check_form(form, out)
    if list_saved:
        _list(saved_queries())
        return
    given = dict(_pair(p) for p in param or ())
    chosen = saved_query(saved) if saved else None
    text = _one_query(query, file, chosen)
    bound = chosen.bound(given) if chosen else given
    try:
        with _catalog(as_of, restricted=restricted, purpose=purpose) as catalog:
            if text is None and sys.stdin.isatty():
                _prompt(catalog, limit)
                return
            asked = text if text is not None else sys.stdin.read()
            _answer(catalog, asked, bound, form, out, limit)
    except Runaway as runaway:
        _leave(runaway)


def _answer(
    catalog: Catalog, text: str, given: dict[str, str], form: str, out: Path | None, limit: int
) -> None:
    from lakehouse.serve.reports.render import write

    def taken(found: DuckDBPyRelation, to: Path | None) -> int:
        if catalog.unmade:
            typer.echo(f"not made yet, so empty: {', '.join(catalog.unmade)}", err=True)
        return write(found, form, to, limit=0 if to else limit)  # type: ignore[arg-type]

    if out is None:
        catalog.answer(text, lambda found: taken(found, None), given)
        return
    with replacing(out) as beside:
        rows = catalog.answer(text, lambda found: taken(found, beside), given)
    typer.echo(f"{rows} rows to {out}", err=True)


def _leave(runaway: Runaway) -> NoReturn:
    """Ends the process, as nothing else ends the query."""
    from lakehouse.cli import INTERRUPTED

    why = runaway.why
    said, status = (str(why), why.exit_code) if isinstance(why, LakehouseError) else ("", None)
    typer.echo(f"lakehouse: {said or 'interrupted'}", err=True)
    sys.stdout.flush()
    os._exit(INTERRUPTED if status is None else status)


def _catalog(as_of: str | None, *, restricted: bool, purpose: str | None) -> Catalog:
    moment = parse_as_of(as_of) if as_of else None
    require_purpose(restricted=restricted, purpose=purpose)
    from lakehouse.serve.sql.catalog import Catalog
    from lakehouse.serve.sql.limits import Limits

    settings, lake = opened()
    before = _auditor(settings, lake, purpose) if purpose else None
    return Catalog(
        lake,
        timezone=settings.timezone,
        restricted=restricted,
        as_of=moment,
        before=before,
        limits=Limits.of(settings),
    )


def _auditor(settings: Any, lake: Any, purpose: str) -> Any:
    from lakehouse.compliance import access_log
    from lakehouse.serve.sql.restricted import unlock

    unlock(settings, lake)
    who = user()

    def before(query: str) -> None:
        access_log.record(lake, who, purpose, query, now())

    return before


def _one_query(query: str | None, file: Path | None, saved: Saved | None) -> str | None:
    given = [g for g in (query, file, saved) if g is not None]
    if len(given) > 1:
        raise BadInput("give one of a query, --file and --saved")
    if saved is not None:
        return saved.sql
    if file is None:
        return query
    if str(file) == "-":
        return sys.stdin.read()
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"cannot read the query from {file}: {error}") from error


def _check_form(form: str, out: Path | None) -> None:
    if form not in FORMS:
        raise BadInput(f"--format {form!r}: one of {', '.join(FORMS)}")
    if form == "parquet" and out is None:
        raise BadInput("--format parquet needs --out FILE")
    if out is not None:
        check_output(out)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise BadInput(f"--param {text!r}: write NAME=VALUE")
    return name, value


def _list(queries: dict[str, Saved]) -> None:
    import polars as pl

    from lakehouse.serve.reports.render import show

    rows = [
        (s.reader, s.name, s.title, ", ".join(f"{n}={d}" for n, (d, _) in s.parameters.items()))
        for s in queries.values()
    ]
    show(pl.DataFrame(rows, schema=["for", "name", "question", "parameters"], orient="row"))


def _prompt(catalog: Catalog, limit: int) -> None:
    import readline  # noqa: F401 - input() gains history and editing

    typer.echo(HELP, err=True)
    kept: list[str] = []
    while True:
        try:
            line = input("   ...> " if kept else "lakehouse> ")
        except EOFError:
            return
        if not kept and line.strip() in (".quit", ".exit"):
            return
        kept.append(line)
        if line.strip().startswith(".") or line.rstrip().endswith(";") or not line.strip():
            _reply(catalog, "\n".join(kept).strip(), limit)
            kept = []


def _reply(catalog: Catalog, text: str, limit: int) -> None:
    from lakehouse.commands.tables import describe, tables
    from lakehouse.serve.sql.saved_queries import saved_queries

    try:
        if text == ".tables":
            tables()
        elif text == ".saved":
            _list(saved_queries())
        elif text.startswith(".describe "):
            describe(text.removeprefix(".describe "))
        elif text.startswith("."):
            typer.echo(HELP, err=True)
        elif text:
            _answer(catalog, text, {}, "table", None, limit)
    except LakehouseError as error:
        typer.echo(str(error), err=True)
