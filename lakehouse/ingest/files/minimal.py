"""Minimal profiles: of patrons whom landed rows name and no profile tells of.

Which there are follows from bronze, and from nothing else: a patron has one on the first gaming
day on which a row of a table with the policy `create_minimal` names the patron, unless an extract
of that day or an earlier one is there. Bronze is brought in line with that after every ingestion,
whatever came in which order, and wherever one was cut short.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from lakehouse.contracts import MADE, contract
from lakehouse.ingest.files.ledger import CODE_VERSION, days_text, read_ledger, record
from lakehouse.ingest.files.mapping import PATRON, PROFILE
from lakehouse.ingest.files.patrons import kept
from lakehouse.ingest.files.row_typing import SOURCE_PREFIX
from lakehouse.ingest.files.supersede import day_portions, prefix_of
from lakehouse.ingest.files.zone import LandedFile, landing_zone
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Lake

CREATE = "create_minimal"
_DAY, _TABLE, _FILE, _KNOWN = "gaming_day", "_table", "_prefix", "_known"
_NAMING = ["_source", "_batch_id", "_ingested_at", _TABLE]
is_made = pl.col("_source").str.starts_with(MADE).fill_null(value=False)


@dataclass(frozen=True)
class Made:
    """How many minimal profiles there are, and the gaming days on which they changed."""

    rows: int
    days: tuple[dt.date, ...]


def make_minimal(lake: Lake, settings: Settings, as_of: dt.datetime) -> Made:
    """Brings the minimal profiles in line with the rest of bronze. The landing zone is to be held
    alone."""
    bronze = lake.scan("bronze", PROFILE)
    stored = bronze.filter(is_made).collect()
    wanted = minimal_profiles(lake, tables_with(settings), bronze.filter(~is_made))
    on = wanted.columns
    gone = stored.join(wanted, on=on, how="anti", nulls_equal=True)
    new = wanted.join(stored, on=on, how="anti", nulls_equal=True)
    changed = pl.concat([gone[_DAY], new[_DAY]]).unique().sort()
    for days in day_portions(lake, "bronze", PROFILE, changed):
        span = (days[0], days[-1])
        landed = lake.scan("bronze", PROFILE, days=span).filter(~is_made, pl.col(_DAY).is_in(days))
        rows = pl.concat([landed.collect(), wanted.filter(pl.col(_DAY).is_in(days))])
        commit = Commit("minimal profiles", f"bronze/{PROFILE}", CODE_VERSION)
        lake.write_days("bronze", PROFILE, rows, span, commit=commit, only=days)
    made = Made(wanted.height, tuple(changed))
    _note(lake, made, as_of)
    return made


def tables_with(settings: Settings) -> list[str]:
    return sorted(table for table, policy in settings.orphans.items() if policy == CREATE)


def minimal_profiles(lake: Lake, tables: Sequence[str], profiles: pl.LazyFrame) -> pl.DataFrame:
    """Grain: one row per patron whom landed rows of `tables` name before any of `profiles`, in
    the shape of bronze: of the first gaming day, with the source and batch of a row that names
    the patron then, and the first that any of their files says of each column."""
    schema = contract(PROFILE).bronze_schema()
    naming = [
        _named(lake, table, column)
        for table in tables
        for column, (parent, _) in contract(table).references().items()
        if parent == PROFILE
    ]
    if not naming:
        return schema.to_frame()
    known = profiles.group_by(_id(PATRON)).agg(pl.col(_DAY).min().alias(_KNOWN))
    first = pl.col(_DAY).min().over(PATRON)
    unknown = (
        pl.concat(naming)
        .join(known, on=PATRON, how="left")
        .filter(pl.col(_KNOWN).is_null() | (first < pl.col(_KNOWN)))
        .sort(PATRON, _DAY, *_NAMING)
        .collect()
    )
    rows = _with_facts(landing_zone(lake), unknown)
    told = [n for n in schema if n in rows.columns and n not in (PATRON, _DAY, *_NAMING)]
    each = rows.group_by(PATRON, maintain_order=True).agg(
        pl.col(_DAY, "_ingested_at").first(),
        _source=MADE + pl.col("_source").first().str.strip_prefix(SOURCE_PREFIX),
        _batch_id=MADE + pl.col("_batch_id").first(),
        **{n: pl.col(n).drop_nulls().first() for n in told},
    )
    nothing = {n: pl.lit(None) for n in schema if n not in each.columns}
    return each.with_columns(**nothing).select(pl.col(n).cast(t) for n, t in schema.items())


def _named(lake: Lake, table: str, column: str) -> pl.LazyFrame:
    """Grain: one row per patron and batch of rows that name the patron as `column`; what a file
    says, it says of whom its rows are about."""
    rows = lake.scan("bronze", table, columns=[column, _DAY, *_NAMING[:3]])
    landed = rows.filter(pl.col("_source").str.starts_with(SOURCE_PREFIX))
    told = prefix_of() if column == PATRON else pl.lit(None, pl.String)
    return (
        landed.with_columns(_id(column), pl.lit(table).alias(_TABLE))
        .filter(pl.col(PATRON) != "")
        .group_by(PATRON, *_NAMING)
        .agg(pl.col(_DAY).min())
        .with_columns(told.alias(_FILE))
    )


def _id(column: str) -> pl.Expr:
    """As silver has it."""
    return pl.col(column).str.strip_chars().alias(PATRON)


def _with_facts(zone: Path, rows: pl.DataFrame) -> pl.DataFrame:
    on = [_TABLE, _FILE]
    files = rows.select(on).drop_nulls().unique().rows()
    found = [
        facts.with_columns(pl.lit(table).alias(_TABLE), pl.lit(prefix).alias(_FILE))
        for table, prefix in sorted(files)
        if (facts := kept(zone, table, prefix)) is not None
    ]
    if not found:
        return rows
    facts = pl.concat(found, how="diagonal")
    return rows.join(facts, on=[PATRON, *on], how="left", maintain_order="left")


def _note(lake: Lake, made: Made, as_of: dt.datetime) -> None:
    """In the ledger, also where an earlier call was cut short before it was."""
    noted = read_ledger(lake).rows.filter(state="made", table_name=PROFILE).sort("attempt")
    if not made.days and sum(noted["bronze_rows"].tail(1)) == made.rows:
        return
    facts = {
        "rows": made.rows,
        "bronze_rows": made.rows,
        "reason": "minimal profiles, in all, of patrons whom files name",
        "attempt": noted.height + 1,
        **days_text(made.days),
    }
    file, once = LandedFile(Path(), PROFILE, "", 0, 0), str(noted.height + 1)
    record(lake, "made", PROFILE, file, as_of, facts, once=once)
