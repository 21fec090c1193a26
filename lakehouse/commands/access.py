"""`lakehouse access`: the key of the restricted zone, and who has used it."""

from __future__ import annotations

import typer

from lakehouse.commands import opened
from lakehouse.commands.caller import now, user
from lakehouse.errors import LakehouseError


def register(app: typer.Typer) -> None:
    access = typer.Typer(help="The restricted zone's key and audit.", no_args_is_help=True)
    access.command("init")(init)
    access.command("rotate")(rotate)
    access.command("log")(log)
    access.command("verify")(verify)
    app.add_typer(access, name="access")


def init() -> None:
    """Make the key file that `lakehouse sql --restricted` needs; the audit log names it."""
    from lakehouse.serve.sql.restricted import issue_key

    settings, lake = opened()
    path = issue_key(settings, lake, who=user(), at=now())
    typer.echo(f"key file {path} made; keep it away from the lake and its readers", err=True)


def rotate() -> None:
    """Put a new key in force; needs the old one, which stays beside it under its id."""
    from lakehouse.serve.sql.restricted import replace_key

    settings, lake = opened()
    path = replace_key(settings, lake, who=user(), at=now())
    typer.echo(f"key file {path} replaced", err=True)


def log() -> None:
    """Show who asked what of the restricted zone, and why. Needs the key, and is an access too:
    questions name cases."""
    from lakehouse.compliance.access_log import read
    from lakehouse.serve.reports.render import show
    from lakehouse.serve.sql.restricted import enter

    settings, lake = opened()
    enter(settings, lake, who=user(), purpose="to read the audit log", what="access log", at=now())
    show(read(lake).select("entry", "accessed_at", "accessed_by", "purpose", "query"))


def verify() -> None:
    """Check the audit log's chain of hashes."""
    from lakehouse.compliance.access_log import read
    from lakehouse.compliance.access_log import verify as faults

    _, lake = opened()
    rows = read(lake)
    found = faults(rows)
    if found:
        raise LakehouseError(f"the audit log is not sound: {'; '.join(found)}")
    typer.echo(f"{rows.height} entries, an unbroken chain")
