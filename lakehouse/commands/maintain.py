"""`lakehouse maintain`: few files, a short log, no orphans."""

from __future__ import annotations

import datetime as dt
import math
from typing import Annotated

import typer

from lakehouse.commands import opened
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
) -> None:
    """Compact, Z-order, checkpoint and vacuum; what the retention covers stays readable."""
    import polars as pl

    from lakehouse.serve.render import show
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
    done = [
        maintain_table(
            lake, layer, table, retention=dt.timedelta(days=retention_days), forced=forced
        )
        for layer, table in pairs
    ]
    show(pl.DataFrame(done))


def _pair(name: str) -> tuple[str, str]:
    layer, dot, table = name.partition(".")
    if not dot:
        raise BadInput(f"table {name!r}: write it as layer.table, such as silver.slot_telemetry")
    return layer, table
