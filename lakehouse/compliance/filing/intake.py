"""Identities into the vault: from the desk that captured them, whole or not at all."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from lakehouse.compliance import access_log
from lakehouse.contracts import contract
from lakehouse.errors import BadInput

if TYPE_CHECKING:
    from lakehouse.storage import Lake

TABLE = "identity_vault"


def read(file: Path) -> pl.DataFrame:
    """Rows of a CSV file with the vault's columns; those left out are null.

    Raises BadInput naming columns and rules, never a value.
    """
    schema = contract(TABLE).bronze_schema()
    try:
        given = pl.read_csv(file, infer_schema=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadInput(f"cannot read {file} as CSV: {type(error).__name__}") from error
    if unknown := [c for c in given.columns if c not in schema]:
        raise BadInput(f"{file}: unknown columns {', '.join(unknown)}; known: {', '.join(schema)}")
    if lacking := [c for c in contract(TABLE).key if c not in given.columns]:
        raise BadInput(f"{file} lacks {', '.join(lacking)}")
    blank = given.with_columns(pl.all().str.strip_chars().replace("", None))
    typed = blank.select(
        (pl.col(name).str.to_date("%Y-%m-%d", strict=False) if dtype == pl.Date else pl.col(name))
        if name in given.columns
        else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in schema.items()
    )
    _refuse_unreadable_days(file, blank, typed)
    return _valid(file, typed)


def take_in(lake: Lake, rows: pl.DataFrame, *, who: str, at: dt.datetime) -> int:
    """Stores captures; one of the same player and gaming day replaces the earlier. Returns
    their number."""
    from lakehouse.storage import Commit

    key = contract(TABLE).key
    first, last = rows["gaming_day"].min(), rows["gaming_day"].max()
    if not isinstance(first, dt.date) or not isinstance(last, dt.date):
        raise BadInput("no identity to take in")
    access_log.record(lake, who, "capture of identities", f"{rows.height} identities", at)
    known = lake.scan("restricted", TABLE, days=(first, last)).collect()
    kept = known.join(rows, on=key, how="anti")
    lake.write_days(
        "restricted",
        TABLE,
        pl.concat([kept, rows]),
        (first, last),
        commit=Commit(f"identities-{at:%Y%m%dT%H%M%S}", f"restricted/{TABLE}", "1"),
    )
    return rows.height


def _refuse_unreadable_days(file: Path, given: pl.DataFrame, typed: pl.DataFrame) -> None:
    for name, dtype in typed.schema.items():
        if dtype == pl.Date and name in given.columns:
            lost = typed[name].null_count() - given[name].null_count()
            if lost:
                raise BadInput(f"{file}: {lost} rows have no day in {name}; write 2025-01-31")


def _valid(file: Path, typed: pl.DataFrame) -> pl.DataFrame:
    schema = contract(TABLE).schema
    good, failure = schema.filter(typed, cast=True)
    if len(failure):
        broken = ", ".join(f"{rule} ({n})" for rule, n in sorted(failure.counts().items()))
        raise BadInput(f"{file}: {len(failure)} of {typed.height} rows break {broken}")
    return good.cast(contract(TABLE).bronze_schema())
