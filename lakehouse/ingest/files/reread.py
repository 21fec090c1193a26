"""Rows that silver rejected, read again from their files with another mapping.

They are bronze's already, so that each new reading takes the place of the old one: the rows of a
file stay as many as they were.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator

import polars as pl

from lakehouse.contracts import PROVENANCE, contract, door_of, told_apart
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.evidence import PLACE, ROW_NUMBER, looked_up
from lakehouse.ingest.files.ledger import CODE_VERSION
from lakehouse.ingest.files.mapping import Mapping
from lakehouse.ingest.files.row_typing import SOURCE_PREFIX, judge
from lakehouse.ingest.files.rows import LINE
from lakehouse.ingest.files.supersede import prefix_of
from lakehouse.regulation.gaming_day import gaming_day_of
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Lake

_FILE = "_prefix"


def reread(
    lake: Lake,
    settings: Settings,
    table: str,
    rejected: pl.DataFrame,
    mapping: Mapping,
    as_of: dt.datetime,
) -> tuple[int, set[dt.date]]:
    """Replaces landed rows that silver rejected by what `mapping` makes of them; how many, and
    the days they were of and are of. A row that it cannot type stays as it was."""
    landed = pl.col("_source").str.starts_with(SOURCE_PREFIX)
    typed = rejected.filter(landed, pl.col("_stage") == "silver")
    if typed.is_empty():
        return 0, set()
    parts = list(_read(lake, settings, table, typed, mapping, as_of))
    if not parts:
        return 0, set()
    new = pl.concat(parts)
    old = typed.with_row_index(ROW_NUMBER).join(new.select(ROW_NUMBER), on=ROW_NUMBER, how="semi")
    commit = Commit("retry", f"bronze/{table}", CODE_VERSION)
    _add(lake, table, new.drop(ROW_NUMBER), commit)
    _remove(lake, table, old, commit)
    return new.height, {*new["gaming_day"], *old["gaming_day"]}


def _read(
    lake: Lake,
    settings: Settings,
    table: str,
    typed: pl.DataFrame,
    mapping: Mapping,
    as_of: dt.datetime,
) -> Iterator[pl.DataFrame]:
    for met in looked_up(lake, settings, table, typed, copies=True):
        day = gaming_day_of(met.file["at"], settings.timezone)
        c = contract(met.file["table_name"])
        file_id = met.file["file_id"]
        origin = Origin(c, mapping, met.file["path"], day, as_of, settings.timezone, file_id)
        good = judge(met.piece, origin, keep_line=True).good.rename({LINE: PLACE})
        good = good.join(met.lines, on=PLACE)
        batches = typed["_batch_id"].gather(good[ROW_NUMBER])
        ids = [
            _identity(batch, line, mapping) for batch, line in zip(batches, good[LINE], strict=True)
        ]
        new = good.drop(LINE, PLACE).with_columns(pl.Series("_batch_id", ids, dtype=pl.String))
        yield new.filter(pl.col("_batch_id") != batches)


def _identity(batch: str, line: int, mapping: Mapping) -> str:
    """The batch of the file, the line, and what it was read with: the same for the same retry."""
    told = hashlib.blake2b(mapping.text().encode(), digest_size=6).hexdigest()
    return f"{batch.partition('/')[0]}/{line}.{told}"


def _add(lake: Lake, table: str, new: pl.DataFrame, commit: Commit) -> None:
    for home, rows in told_apart(door_of(table), new).items():
        if rows.height:
            days = (rows["gaming_day"].min(), rows["gaming_day"].max())
            there = lake.scan("bronze", home, days=days, columns=["_batch_id"]).collect()  # type: ignore[arg-type]
            missing = rows.filter(~pl.col("_batch_id").is_in(there["_batch_id"].implode()))
            if missing.height:
                lake.append("bronze", home, missing, commit=commit)


def _remove(lake: Lake, table: str, old: pl.DataFrame, commit: Commit) -> None:
    """With all copies in the same file, each of which has been read again. What a retry brought
    is told by its batch, which names its line."""
    values = [n for n in contract(table).bronze_schema() if n not in PROVENANCE]
    is_retried = pl.col("_batch_id").str.contains("/", literal=True)
    of_file = pl.when(is_retried).then("_batch_id").otherwise(prefix_of()).alias(_FILE)
    for day in old["gaming_day"].unique().sort():
        gone = old.filter(pl.col("gaming_day") == day).select(*values, of_file)
        stored = lake.scan("bronze", table, days=(day, day)).collect().with_columns(of_file)
        kept = stored.join(gone, on=[*values, _FILE], how="anti", nulls_equal=True).drop(_FILE)
        lake.write_days("bronze", table, kept, (day, day), commit=commit)
