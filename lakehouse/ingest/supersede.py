"""A later file replaces, by key, what earlier files landed; both stay in the Delta history."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import polars as pl

from lakehouse.contracts import Contract
from lakehouse.ingest.typing_rows import SOURCE_PREFIX, STAGE
from lakehouse.storage import Commit, Lake


def batch_prefix(file_id: str) -> str:
    """Beginning of `_batch_id` of a file's rows; the number of the batch follows."""
    return file_id.rpartition(":")[2][:24] + "."


def supersede(
    lake: Lake, c: Contract, file_id: str, days: Iterable[dt.date], commit: Commit
) -> None:
    """Removes rows of other landed files whose key this file has, in bronze and among the
    quarantined. Rows of one file never replace each other: silver judges those. Doing it
    twice changes nothing."""
    for day in sorted(days):
        keys = _keys(lake, c, file_id)
        _keep_others(lake, "bronze", c, day, _others(file_id, c), keys, commit)
        stage = pl.col("_stage") == STAGE
        _keep_others(lake, "quarantine", c, day, _others(file_id, c) & stage, keys, commit)


def withdraw_other_attempts(
    lake: Lake, c: Contract, attempt: str, file_id: str, commit: Commit
) -> None:
    """Removes what earlier attempts at a file stored, whose batches had other rows."""
    stale = pl.col("_batch_id").str.starts_with(batch_prefix(file_id)) & ~pl.col(
        "_batch_id"
    ).str.starts_with(attempt)
    for layer in ("bronze", "quarantine"):
        found = lake.scan(layer, c.name, columns=["gaming_day", "_batch_id"]).filter(stale)
        where = {"_stage": STAGE} if layer == "quarantine" else None
        for day in found.select(pl.col("gaming_day").unique().sort()).collect().to_series():
            rows = lake.scan(layer, c.name, days=(day, day)).filter(~stale)
            kept = rows.filter(pl.col("_stage") == STAGE) if where else rows
            lake.write_days(layer, c.name, kept.collect(), (day, day), commit=commit, where=where)


def _keys(lake: Lake, c: Contract, file_id: str) -> pl.LazyFrame:
    rows = lake.scan("bronze", c.name, columns=list(dict.fromkeys([*c.key, "_batch_id"])))
    return rows.filter(pl.col("_batch_id").str.starts_with(batch_prefix(file_id))).select(c.key)


def _others(file_id: str, c: Contract) -> pl.Expr:
    """Rows that may be replaced: landed ones, with a whole key, of another file."""
    landed = pl.col("_source").str.starts_with(SOURCE_PREFIX)
    other = ~pl.col("_batch_id").str.starts_with(batch_prefix(file_id))
    return landed & other & pl.all_horizontal(pl.col(c.key).is_not_null())


def _keep_others(
    lake: Lake,
    layer: str,
    c: Contract,
    day: dt.date,
    candidate: pl.Expr,
    keys: pl.LazyFrame,
    commit: Commit,
) -> None:
    wanted = list(dict.fromkeys([*c.key, "_source", "_batch_id"]))
    columns = [*wanted, "_stage"] if layer == "quarantine" else wanted
    rows = lake.scan(layer, c.name, days=(day, day), columns=columns)
    if rows.filter(candidate).head(1).collect().is_empty():
        return
    replaced = rows.filter(candidate).join(keys, on=c.key, how="semi").collect()
    if replaced.is_empty():
        return
    where = {"_stage": STAGE} if layer == "quarantine" else None
    whole = lake.scan(layer, c.name, days=(day, day))
    stored = whole.filter(pl.col("_stage") == STAGE) if where else whole
    same_row = [*c.key, "_source", "_batch_id"]
    gone = replaced.lazy().select(same_row).unique()
    kept = stored.join(gone, on=same_row, how="anti").collect()
    lake.write_days(layer, c.name, kept, (day, day), commit=commit, where=where)


def landed_by_others(
    lake: Lake, layer: str, c: Contract, file_id: str, days: Iterable[dt.date], version: int | None
) -> int:
    """Rows of these days that other landed files had brought by a version of the table."""
    ordered = sorted(days)
    if version is None or not ordered:
        return 0
    columns = ["gaming_day", *c.key, "_source", "_batch_id"]
    if layer == "quarantine":
        columns.append("_stage")
    rows = lake.scan(
        layer,
        c.name,
        days=(ordered[0], ordered[-1]),
        columns=list(dict.fromkeys(columns)),
        as_of=version,
    )
    stage = pl.col("_stage") == STAGE if layer == "quarantine" else pl.lit(value=True)
    counted = rows.filter(pl.col("gaming_day").is_in(ordered), _others(file_id, c), stage)
    return int(counted.select(pl.len()).collect().item())
