"""The last lines of `ingest` and `run`: what became of the rows that came in, table by table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    import polars as pl

    from lakehouse.quality.rejection import Fate
    from lakehouse.settings import Settings
    from lakehouse.storage import Lake

DaysOf = dict[str, list[dt.date]]
"""Table → gaming days."""


def tell_tables(lake: Lake, days_of: DaysOf, *, derived: bool = True) -> None:
    """Prints a line for each table with rows on its days."""
    from lakehouse.quality.rejection import fate

    for table, days in days_of.items():
        found = fate(lake, table, days)
        if found.came:
            typer.echo(_line(found, derived=derived), err=True)


def _line(found: Fate, *, derived: bool) -> str:
    made = f", silver {found.silver:,}, duplicates {found.duplicates:,}" if derived else ""
    reason = f", most often: {found.reason}" if found.reason else ""
    return (
        f"{found.table}: landed {found.came:,}{made}, quarantine {found.quarantine:,} "
        f"({found.share:.1%} rejected{reason})"
    )


def over_the_share(lake: Lake, settings: Settings, days_of: DaysOf) -> str:
    """Says of which tables too much was rejected, by day, and what to do; in one line what is
    to be refused, or nothing."""
    import polars as pl

    from lakehouse.quality.rejection import shares

    refused = []
    for table, days in days_of.items():
        found = shares(lake, table, days, settings.timezone)
        over = found.filter(pl.col("share") > settings.rejected_share)
        if over.height:
            _tell_over(lake, table, over)
            refused.append(f"{table} of {_in_short(over['gaming_day'].to_list())}")
    if not refused:
        return ""
    limit = f"{settings.rejected_share:.0%}"
    return f"over {limit} of the landed rows rejected: {'; '.join(refused)}"


def _tell_over(lake: Lake, table: str, over: pl.DataFrame) -> None:
    from lakehouse.commands import days_in_words
    from lakehouse.contracts import contract
    from lakehouse.quality.rejection import fate
    from lakehouse.quality.rule_words import explained

    days = over["gaming_day"].to_list()
    worst = over.sort("share", descending=True).row(0, named=True)
    said = f"{worst['rejected']:,} of {worst['landed']:,} landed rows ({worst['share']:.0%})"
    most = "rejected, at worst" if len(days) > 1 else "rejected:"
    typer.echo(f"{table} of {days_in_words(days)} {most} {said}", err=True)
    rule = fate(lake, table, days).rule
    about = explained(contract(table), rule) if rule else None
    if about is not None:
        typer.echo(f"  most often {rule}: {about.broken_by}; {about.mend}", err=True)
    typer.echo(
        f"  every cause: lakehouse quarantine list --table {table}; rows: lakehouse quarantine "
        f"show {table}; what a rule says: lakehouse describe --rule '{rule or 'NAME'}'",
        err=True,
    )


def _in_short(days: list[dt.date]) -> str:
    return str(days[0]) if len(days) == 1 else f"{len(days)} days, {days[0]} to {days[-1]}"


def open_tables(tables: Iterable[str]) -> list[str]:
    """Those of which everybody may know how many rows they have."""
    from lakehouse.contracts import contract

    return [table for table in tables if contract(table).is_countable]


def nothing_to_read(lake: Lake, settings: Settings, days: tuple[dt.date, dt.date]) -> str:
    """Why a run had nothing to read; empty where it had, or the simulator gives rows."""
    from lakehouse.contracts import contracts

    tables = contracts("source")
    if any(settings.simulates(t) for t in open_tables(tables)):
        return ""
    stored = _stored_days(lake, open_tables(tables))
    if any(days[0] <= day <= days[1] for day in stored):
        return ""
    if stored:
        there = f"rows have landed for {min(stored)} to {max(stored)}; run those days"
    else:
        there = f"nothing has landed in {_zone(lake)}; `lakehouse land FILE --table T` lands a file"
    said = _where_source_is_set()
    return f'nothing to read: source is landing{said}, and {there}, or set source = "simulator"'


def _stored_days(lake: Lake, tables: Collection[str]) -> set[dt.date]:
    import polars as pl

    stored = [
        lake.partitions(layer, table).filter(pl.col("rows") > 0)["gaming_day"].drop_nulls()
        for layer in ("bronze", "quarantine")
        for table in tables
    ]
    return set().union(*(set(days) for days in stored))


def _zone(lake: Lake) -> str:
    from lakehouse.ingest.files.zone import landing_zone

    return str(landing_zone(lake))


def _where_source_is_set() -> str:
    import os
    import tomllib
    from pathlib import Path

    if "LAKEHOUSE_SOURCE" in os.environ:
        return " (LAKEHOUSE_SOURCE)"
    file = Path("lakehouse.toml")
    if file.is_file() and "source" in tomllib.loads(file.read_text(encoding="utf-8")):
        return f" ({file.resolve()})"
    return ""
