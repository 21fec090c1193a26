"""A later file replaces, by key, what earlier files landed; both stay in the Delta history."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from lakehouse.contracts import Contract, stored_as
from lakehouse.ingest.files.row_typing import SOURCE_PREFIX, STAGE
from lakehouse.storage import Commit, Lake

LAYERS = ("bronze", "quarantine")


def batch_prefix(file_id: str) -> str:
    """Beginning of `_batch_id` of a file's rows; the number of the batch follows."""
    return file_id.rpartition(":")[2][:24] + "."


@dataclass(frozen=True)
class Newcomer:
    """A landed file all of whose rows are stored. `days`: its own, and those of the file that
    lay in its place; `unfinished`: files of which that cannot be said, whose rows it spares."""

    contract: Contract
    file_id: str
    days: Sequence[dt.date]
    unfinished: Sequence[str] = ()

    def may_replace(self) -> pl.Expr:
        """Landed rows with a whole key, of other files."""
        batch = pl.col("_batch_id")
        spared = (batch.str.starts_with(batch_prefix(f)) for f in (self.file_id, *self.unfinished))
        landed = pl.col("_source").str.starts_with(SOURCE_PREFIX)
        keyed = pl.all_horizontal(pl.col(self.contract.key).is_not_null())
        return landed & keyed & ~pl.any_horizontal(*spared)


def replaced_rows(lake: Lake, layer: str, new: Newcomer) -> int:
    """Rows of other landed files, in bronze or quarantine, whose key this file has."""
    keys = _keys(lake, new)
    return sum(
        _replaced(lake, layer, table, new, day, keys).height
        for table, day in itertools.product(stored_as(new.contract.name), new.days)
    )


def supersede(lake: Lake, new: Newcomer, commit: Commit) -> None:
    """Removes these rows. Rows of one file never replace each other: silver judges those.
    Doing it twice changes nothing."""
    keys = _keys(lake, new)
    tables = stored_as(new.contract.name)
    for day, layer, table in itertools.product(new.days, LAYERS, tables):
        gone = _replaced(lake, layer, table, new, day, keys)
        if gone.height:
            _keep_others(lake, layer, table, day, gone, commit)


def _keys(lake: Lake, new: Newcomer) -> pl.LazyFrame:
    key = new.contract.key
    columns = [*dict.fromkeys((*key, "_batch_id"))]
    tables = stored_as(new.contract.name)
    rows = pl.concat(lake.scan("bronze", table, columns=columns) for table in tables)
    own = pl.col("_batch_id").str.starts_with(batch_prefix(new.file_id))
    return rows.filter(own).select(key)


def _replaced(
    lake: Lake, layer: str, table: str, new: Newcomer, day: dt.date, keys: pl.LazyFrame
) -> pl.DataFrame:
    """What tells the replaced rows of a day from all others."""
    key = new.contract.key
    telling = [*dict.fromkeys((*key, "_source", "_batch_id"))]
    stage = ["_stage"] if layer == "quarantine" else []
    rows = lake.scan(layer, table, days=(day, day), columns=[*telling, *stage])
    candidates = rows.filter(new.may_replace(), *(pl.col(s) == STAGE for s in stage))
    if candidates.head(1).collect().is_empty():
        return pl.DataFrame()
    return candidates.select(telling).join(keys, on=key, how="semi").collect()


def _keep_others(
    lake: Lake, layer: str, table: str, day: dt.date, gone: pl.DataFrame, commit: Commit
) -> None:
    where = {"_stage": STAGE} if layer == "quarantine" else None
    whole = lake.scan(layer, table, days=(day, day))
    stored = whole.filter(pl.col("_stage") == STAGE) if where else whole
    kept = stored.join(gone.lazy().unique(), on=gone.columns, how="anti").collect()
    lake.write_days(layer, table, kept, (day, day), commit=commit, where=where)
