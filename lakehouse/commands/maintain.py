"""`lakehouse maintain`: few files, a short log, no orphans."""

from __future__ import annotations

import datetime as dt
import math
from typing import Annotated

import typer

from lakehouse.commands import Purpose, Restricted, admitted, opened, refuse_restricted
from lakehouse.errors import BadInput

LONGEST = 36_500
"""Days of retention: longer than any lake."""


def register(app: typer.Typer) -> None:
    app.command("maintain")(maintain)


def maintain(
    tables: Annotated[
        list[str] | None, typer.Argument(help="Such as silver.slot_telemetry; default: all.")
    ] = None,
    retention_days: Annotated[
        float, typer.Option(min=0, max=LONGEST, help="Days of older versions that stay readable.")
    ] = 7,
    forced: Annotated[
        str | None,
        typer.Option(
            "--i-mean",
            metavar="TEXT",
            help="'forget older versions': allows less than 7 days, with no writer at work.",
        ),
    ] = None,
    restricted: Restricted = False,
    purpose: Purpose = None,
) -> None:
    """Compact, Z-order, checkpoint and vacuum; what the retention covers stays readable.

    Without names, all tables: those of the restricted zone only with --restricted, for files
    that are removed tell that something was written.
    """
    import polars as pl

    from lakehouse.serve.reports.render import show
    from lakehouse.storage import FORGET
    from lakehouse.storage import maintain as maintain_table

    if not math.isfinite(retention_days):
        raise BadInput(
            f"--retention-days {retention_days}: a number from 0 to {LONGEST:,} is allowed"
        )
    if forced not in (None, FORGET):
        raise BadInput(f"--i-mean {forced!r}: only {FORGET!r} is allowed")
    _, lake = opened()
    pairs = [_pair(name) for name in tables or ()] or lake.stored()
    if not pairs:
        raise BadInput(f"lake {lake.root} has no tables; `lakehouse run` makes them")
    what = " ".join(["maintain", *tables]) if tables else "maintain all"
    if not admitted(what, restricted=restricted, purpose=purpose):
        pairs = _without_restricted(pairs, named=bool(tables))
    done = [
        maintain_table(
            lake, layer, table, retention=dt.timedelta(days=retention_days), forced=forced
        )
        for layer, table in pairs
    ]
    show(pl.DataFrame(done))


def _without_restricted(pairs: list[tuple[str, str]], *, named: bool) -> list[tuple[str, str]]:
    from lakehouse.contracts import contract

    left_out = [(layer, table) for layer, table in pairs if contract(table).is_restricted]
    if left_out and named:
        refuse_restricted(".".join(left_out[0]))
    if left_out:
        typer.echo("the restricted zone is left out; --restricted takes it in", err=True)
    return [pair for pair in pairs if pair not in left_out]


def _pair(name: str) -> tuple[str, str]:
    layer, dot, table = name.partition(".")
    if not dot:
        raise BadInput(f"table {name!r}: write it as layer.table, such as silver.slot_telemetry")
    return layer, table
