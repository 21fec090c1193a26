"""`lakehouse ingest`: what lies in the landing zone, into the lake."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from lakehouse.commands import days_in_words, opened
from lakehouse.commands.open_days import refuse_untrue, tell_open_days
from lakehouse.commands.printing import lines
from lakehouse.commands.rejection import DaysOf, open_tables, over_the_share, tell_tables
from lakehouse.errors import BadInput, LakehouseError

if TYPE_CHECKING:
    from lakehouse.ingest.files.run import IngestReport
    from lakehouse.settings import Settings
    from lakehouse.storage import Lake

_HELP = {"help_option_names": ["-h", "--help"]}


def register(app: typer.Typer) -> None:
    app.command("ingest", context_settings=_HELP)(ingest)


def ingest(
    table: Annotated[
        list[str] | None, typer.Option("--table", "-t", help="Only files of this table.")
    ] = None,
    bronze_only: Annotated[
        bool, typer.Option("--bronze-only", help="Leave silver and gold as they are.")
    ] = False,
) -> None:
    """Take in all complete files of the landing zone, then derive all that is not derived.

    Ends with status 1 where a file was not taken in, or over the share of a table's day that
    the setting rejected_share allows was rejected.
    """
    from lakehouse.commands.caller import now
    from lakehouse.ingest.files.run import ingest as take_in

    settings, lake = opened()
    as_of = now()
    report = take_in(
        lake,
        settings,
        as_of=as_of,
        tables=_tables(settings, table),
        tell=partial(typer.echo, err=True),
    )
    _tell(report, lake)
    days, failed = ([], set()) if bronze_only else _derive(settings, lake, report, as_of)
    days_of = _days_of(settings, report, days)
    tell_tables(lake, days_of, derived=not bronze_only)
    refused = [_not_taken_in(report), over_the_share(lake, settings, days_of)]
    refuse_untrue(failed)
    if any(refused):
        raise LakehouseError("; ".join(filter(None, refused)))


def _not_taken_in(report: IngestReport) -> str:
    if not report.failed:
        return ""
    first, others = report.failed[0], len(report.failed) - 1
    more = f", and {others} more" if others else ""
    return f"not taken in: {first.name} {first.reason}{more}"


def _days_of(settings: Settings, report: IngestReport, derived: list[dt.date]) -> DaysOf:
    """Of each table that takes files, the days that this call stored or derived."""
    from lakehouse.contracts import door_of

    taking = [t for t in settings.tables("source") if settings.takes_files(t)]
    stored = report.stored_days
    return {t: sorted({*stored.get(door_of(t), ()), *derived}) for t in open_tables(taking)}


def _tables(settings: Settings, named: list[str] | None) -> list[str]:
    """The tables named, or all that take files. Raises BadInput for one that takes none: its
    rows would go with the next simulated ones."""
    taking = sorted(settings.doors_of_files())
    how = "set source to landing or both, such as LAKEHOUSE_SOURCE=landing"
    if not taking:
        raise BadInput(f"no table takes files; {how}")
    for table in named or ():
        if table not in taking:
            raise BadInput(f"{table!r} takes no files; those that do: {', '.join(taking)}; {how}")
    return named or taking


def _tell(report: IngestReport, lake: Lake) -> None:
    from lakehouse.contracts import doors, is_closed

    # All rows less those of the open table would be the restricted ones.
    closed = [door for door in doors() if is_closed(door)]
    names = ("file", "state", "rows", "bronze", "quarantine", "replaced", "days")
    told = []
    for o in report.outcomes:
        counts = (o.rows, o.bronze_rows, o.quarantine_rows, o.replaced_rows, len(o.days))
        told.append((o.name, o.state, *(None if o.table in closed else n for n in counts)))
    if told:
        lines(names, told, err=True)
    else:
        typer.echo(_nothing_new(lake), err=True)
    for o in report.outcomes:
        if o.reason:
            typer.echo(f"{o.name}: {o.reason}", err=True)


def _nothing_new(lake: Lake) -> str:
    from lakehouse.ingest.files.ledger import read_ledger
    from lakehouse.ingest.files.zone import landing_zone

    if read_ledger(lake).rows.height:
        return "nothing new in the landing zone"
    zone = landing_zone(lake)
    return (
        f"nothing to read: no file has landed in {zone}; `lakehouse land FILE --table T` lands one"
    )


def _derive(
    settings: Settings, lake: Lake, report: IngestReport, as_of: dt.datetime
) -> tuple[list[dt.date], set[str]]:
    """Derives all days that are stored and not derived: those of this call, and any that one
    which was cut short has left. These days, and the checks that did not pass."""
    from igaming_assets.running import derive_days, underived_days
    from lakehouse.regulation.gaming_day import gaming_day_of

    days = underived_days(settings, lake)
    last = gaming_day_of(as_of, settings.timezone)
    inside = [d for d in days if settings.start <= d <= last]
    left = set(inside).difference(*report.days.values())
    if left:
        typer.echo(f"stored before and not derived: {days_in_words(sorted(left))}", err=True)
    if len(inside) < len(days):
        typer.echo(
            f"{len(days) - len(inside)} gaming days lie outside {settings.start} to {last}: they "
            "are in bronze and not derived; set start to an earlier day",
            err=True,
        )
    failed = derive_days(
        settings,
        inside,
        now=as_of,
        tell=lambda part: typer.echo(f"deriving {days_in_words([*part])}", err=True),
    ).failed
    for name in sorted(failed):
        typer.echo(f"check not passed: {name}", err=True)
    if failed:
        tell_open_days()
    return inside, failed
