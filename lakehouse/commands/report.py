"""`lakehouse report`: one gaming day on a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lakehouse.commands import opened, parse_day
from lakehouse.outputs import check_output, replacing


def register(app: typer.Typer) -> None:
    app.command("report")(report)


def report(
    day: Annotated[str | None, typer.Argument(help="Gaming day; the newest by default.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write to a file.")] = None,
) -> None:
    """Report one gaming day in Markdown: win, hold, cash, obligations, rejects."""
    chosen = parse_day(day, "DAY") if day else None
    if out is not None:
        check_output(out)
    from lakehouse.serve.reports.day import day_report
    from lakehouse.serve.sql.catalog import Catalog
    from lakehouse.serve.sql.limits import Limits

    settings, lake = opened()
    with Catalog(lake, timezone=settings.timezone, limits=Limits.of(settings)) as catalog:
        text = day_report(catalog, chosen)
    if out is None:
        typer.echo(text, nl=False)
        return
    with replacing(out) as beside:
        beside.write_text(text, encoding="utf-8")
    typer.echo(f"written: {out}", err=True)
