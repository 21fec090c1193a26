"""A later file replaces, by key, what earlier files landed; both stay in the Delta history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import polars as pl

from lakehouse.contracts import Contract
from lakehouse.ingest.typing_rows import SOURCE_PREFIX, STAGE
from lakehouse.storage import Commit, Lake

LAYERS = ("bronze", "quarantine")


def batch_prefix(file_id: str) -> str:
    """Beginning of `_batch_id` of a file's rows; the number of the batch follows."""
    return file_id.rpartition(":")[2][:24] + "."


def replaced_rows(
    lake: Lake, layer: str, c: Contract, file_id: str, days: Iterable[dt.date]
) -> int:
    """Rows of other landed files, in bronze or quarantine, whose key this file has."""
    keys = _keys(lake, c, file_id)
    return sum(_replaced(lake, layer, c, day, file_id, keys).height for day in days)


def supersede(
    lake: Lake, c: Contract, file_id: str, days: Iterable[dt.date], commit: Commit
) -> None:
    """Removes these rows. Rows of one file never replace each other: silver judges those.
    Doing it twice changes nothing."""
    keys = _keys(lake, c, file_id)
    for day in sorted(days):
        for layer in LAYERS:
            gone = _replaced(lake, layer, c, day, file_id, keys)
            if gone.height:
                _keep_others(lake, layer, c, day, gone, commit)


def _keys(lake: Lake, c: Contract, file_id: str) -> pl.LazyFrame:
    rows = lake.scan("bronze", c.name, columns=list(dict.fromkeys([*c.key, "_batch_id"])))
    return rows.filter(pl.col("_batch_id").str.starts_with(batch_prefix(file_id))).select(c.key)


def _others(file_id: str, c: Contract) -> pl.Expr:
    """Rows that may be replaced: landed ones, with a whole key, of another file."""
    landed = pl.col("_source").str.starts_with(SOURCE_PREFIX)
    other = ~pl.col("_batch_id").str.starts_with(batch_prefix(file_id))
    return landed & other & pl.all_horizontal(pl.col(c.key).is_not_null())


def _replaced(
    lake: Lake, layer: str, c: Contract, day: dt.date, file_id: str, keys: pl.LazyFrame
) -> pl.DataFrame:
    """What tells the replaced rows of a day from all others."""
    telling = [*dict.fromkeys((*c.key, "_source", "_batch_id"))]
    stage = ["_stage"] if layer == "quarantine" else []
    rows = lake.scan(layer, c.name, days=(day, day), columns=[*telling, *stage])
    candidates = rows.filter(_others(file_id, c), *(pl.col(s) == STAGE for s in stage))
    if candidates.head(1).collect().is_empty():
        return pl.DataFrame()
    return candidates.select(telling).join(keys, on=c.key, how="semi").collect()


def _keep_others(
    lake: Lake, layer: str, c: Contract, day: dt.date, gone: pl.DataFrame, commit: Commit
) -> None:
    where = {"_stage": STAGE} if layer == "quarantine" else None
    whole = lake.scan(layer, c.name, days=(day, day))
    stored = whole.filter(pl.col("_stage") == STAGE) if where else whole
    kept = stored.join(gone.lazy().unique(), on=gone.columns, how="anti").collect()
    lake.write_days(layer, c.name, kept, (day, day), commit=commit, where=where)
