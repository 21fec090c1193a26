"""`lakehouse checks`: discrepancies of the books, and the rows that explain them; under it, the
checks of every table."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lakehouse.commands import Purpose, Restricted, admitted, opened, parse_day
from lakehouse.commands.check_report import report
from lakehouse.commands.check_results import register_on
from lakehouse.commands.printing import Format, Shape, put
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    import polars as pl

    from lakehouse.quality.findings import Truth
    from lakehouse.settings import Settings
    from lakehouse.storage import Days, Lake


def register(app: typer.Typer) -> None:
    group = typer.Typer(invoke_without_command=True)
    group.callback()(checks)
    register_on(group)
    group.command("report")(report)
    app.add_typer(group, name="checks")


def checks(
    context: typer.Context,
    first: Annotated[
        str | None, typer.Option("--from", help="First gaming day; every day by default.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="Last gaming day; the first by default.")
    ] = None,
    truth: Annotated[str | None, typer.Option("--truth", help="Only this one.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what rows kept out of silver explain.")
    ] = False,
    shape: Shape = Format.table,
    restricted: Restricted = False,
    purpose: Purpose = None,
) -> None:
    """Hold the books against each other: where they differ, and which rejected rows explain it.

    A discrepancy that rows in quarantine settle to the cent is explained; one that none
    settle is listed, and the command ends with status 1. Of patrons, who they are and by how
    much takes --restricted: others learn the days on which their books differ.

    The commands below are of all checks, by table and gaming day.
    """
    if context.invoked_subcommand is not None:
        _refuse_options(context)
        return
    import polars as pl

    from lakehouse.quality.rejection import CHECK
    from lakehouse.quality.truths import TRUTHS

    if truth not in (None, CHECK, *TRUTHS):
        near = difflib.get_close_matches(str(truth), [*TRUTHS, CHECK], n=5, cutoff=0)
        raise BadInput(
            f"unknown truth {truth!r}; nearest: {', '.join(near)}; `lakehouse checks list` has all"
        )
    settings, lake = opened()
    named = admitted(f"checks {truth or ''}".strip(), restricted=restricted, purpose=purpose)
    days = _days(lake, first, last)
    asked = [each for name, each in TRUTHS.items() if truth in (None, name)]
    parts = [_findings(lake, each, days, named=named) for each in asked]
    if truth in (None, CHECK):
        parts.append(_rejections(lake, settings, days, named=named))
    found = pl.concat(parts)
    unexplained = found.filter(pl.col("rows").list.len() == 0)
    _print(found if everything else unexplained, shape)
    typer.echo(
        f"discrepancies: {found.height}, of them explained by rows in quarantine: "
        f"{found.height - unexplained.height}, unexplained: {unexplained.height}",
        err=True,
    )
    if unexplained.height:
        raise typer.Exit(1)


def _refuse_options(context: typer.Context) -> None:
    """Options of the books say nothing to the commands below: they are not dropped silently."""
    given = [p for p in context.command.params if _is_given(context, p)]
    if given:
        told = f"{given[0].opts[0]} stands before {context.invoked_subcommand}"
        raise BadInput(f"{told}; its options come after it")


def _is_given(context: typer.Context, parameter: Any) -> bool:
    source = context.get_parameter_source(parameter.name)
    return source is not None and source.name == "COMMANDLINE"


def _findings(lake: Lake, truth: Truth, days: Days, *, named: bool) -> pl.DataFrame:
    """Findings of a truth, some days in hand at a time, with what their two sides are; patrons
    are `named` to those with the grant."""
    import functools

    import polars as pl

    from lakehouse.quality.findings import judged, openly
    from lakehouse.storage import Read, portions, sound

    found = []
    for piece in portions(lake, days, *truth.tables):
        with sound(lake, [Read(layer, table, piece) for layer, table in truth.tables]):
            findings = judged(truth, functools.partial(lake.scan, days=piece))
            found.append(findings if named else openly(truth, findings))
    expected, side = (pl.lit(side) for side in truth.sides)
    return pl.concat(found).select(
        pl.lit(truth.name).alias("truth"),
        "gaming_day",
        "subject",
        "expected",
        expected_is=expected,
        found="found",
        found_is=side,
        **{n: pl.col(n) for n in ("since", "until", "may_exceed", "rows", "rules")},
    )


def _rejections(lake: Lake, settings: Settings, days: Days, *, named: bool) -> pl.DataFrame:
    """In the shape of findings: percent of the landed rows of a day, of tables that take files;
    restricted ones are `named` to those with the grant."""
    from lakehouse.contracts import contracts
    from lakehouse.quality.rejection import findings

    limit = settings.rejected_share
    open_ = [n for n, c in contracts("source").items() if named or c.is_countable]
    return findings(lake, open_, days, limit, settings.timezone)


def _days(lake: Lake, first: str | None, last: str | None) -> Days:
    import polars as pl

    from lakehouse.contracts import contracts
    from lakehouse.quality.truths import TRUTHS

    if first is None:
        if last is not None:
            raise BadInput("--to needs --from")
        read = {table for truth in TRUTHS.values() for table in truth.tables}
        read |= {("quarantine", n) for n, c in contracts("source").items() if c.is_countable}
        stored = pl.concat(lake.partitions(*t)["gaming_day"] for t in sorted(read)).drop_nulls()
        if stored.is_empty():
            raise BadInput("the lake has no gaming day to check; see `lakehouse run`")
        return stored.min(), stored.max()  # type: ignore[return-value]
    days = (parse_day(first, "--from"), parse_day(last or first, "--to"))
    if days[1] < days[0]:
        raise BadInput(f"--to {last} is before --from {first}")
    return days


def _print(found: pl.DataFrame, shape: Format) -> None:
    import polars as pl

    put(found.drop("may_exceed").with_columns(pl.col("rows", "rules").list.join(", ")), shape)
