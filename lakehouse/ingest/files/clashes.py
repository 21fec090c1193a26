"""One key on two gaming days, of two files that do not correct each other: no day's rows can tell.

Silver rejects keys with two contents within a gaming day. Across days that is settled here,
where all landed rows are known: such rows wait in quarantine, and are bronze's again as soon as
what they clashed with has gone.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from lakehouse.contracts import Contract, stored_as
from lakehouse.ingest.files.row_typing import SOURCE_PREFIX
from lakehouse.ingest.files.supersede import (
    BRONZE,
    CLASH,
    HELD,
    SET_ASIDE,
    Newcomer,
    Place,
    of_files,
    prefix_of,
    telling,
)
from lakehouse.storage import Commit, Lake
from lakehouse.storage.shapes import stored_schema

_TABLE, _HELD, _FILE = "_table", "_is_held", "_prefix"


@dataclass(frozen=True)
class Settled:
    """Days of which bronze changed, and with how many keys a file has a part in others."""

    days: frozenset[dt.date] = frozenset()
    shared: int = 0
    others: tuple[str, ...] = ()


def settle(lake: Lake, new: Newcomer, commit: Commit) -> Settled:
    """Sets the rows aside that clash by now, and puts back those that do no more. What it does
    follows from the rows that are there, so that it may be done again wherever it was cut short.
    """
    rows = _sharing(lake, new)
    if rows.is_empty():
        return Settled()
    key = new.contract.key
    by_key = rows.group_by(key).agg(
        clashes=(pl.col("gaming_day").n_unique() > 1) & (pl.col(_FILE).n_unique() > 1)
    )
    judged = rows.join(by_key, on=key)
    aside = judged.filter(pl.col("clashes"), ~pl.col(_HELD))
    back = judged.filter(~pl.col("clashes"), _HELD)
    _move(lake, new.contract, aside, (BRONZE, SET_ASIDE), commit)
    _move(lake, new.contract, back, (SET_ASIDE, BRONZE), commit)
    mine = rows.filter(pl.col(_FILE) == new.prefix).select(key)
    others = rows.filter(pl.col(_FILE) != new.prefix).join(mine, on=key, how="semi")
    return Settled(
        frozenset([*aside["gaming_day"], *back["gaming_day"]]),
        others.select(key).n_unique() if others.height else 0,
        tuple(others["_source"].unique().sort().str.strip_prefix(SOURCE_PREFIX)),
    )


def _sharing(lake: Lake, new: Newcomer) -> pl.DataFrame:
    """What tells the rows of ended files whose key the newcomer has too, or that are held."""
    c, key = new.contract, new.contract.key
    every = [
        place.scan(lake, table)
        .filter(of_files(c, list(new.known)))
        .select(
            *telling(c),
            prefix_of().alias(_FILE),
            pl.lit(table).alias(_TABLE),
            pl.lit(place == SET_ASIDE).alias(_HELD),
        )
        for place in (BRONZE, SET_ASIDE)
        for table in stored_as(c.name)
    ]
    held = pl.concat(every[len(every) // 2 :]).collect()
    if held.is_empty() and len(new.known) < 2:
        return held
    bronze = pl.concat(every[: len(every) // 2])
    mine = bronze.filter(pl.col(_FILE) == new.prefix).select(key)
    wanted = pl.concat([mine, held.lazy().select(key)]).unique()
    foreign = bronze.filter(pl.col(_FILE) != new.prefix).join(wanted, on=key, how="semi").collect()
    met = pl.concat([foreign, held]).lazy().select(key).unique()
    own = bronze.filter(pl.col(_FILE) == new.prefix).join(met, on=key, how="semi").collect()
    return pl.concat([own, foreign, held])


def _move(
    lake: Lake, c: Contract, rows: pl.DataFrame, way: tuple[Place, Place], commit: Commit
) -> None:
    """To the new place first, then out of the old; a row that is there already is not added."""
    source, target = way
    for table in rows[_TABLE].unique().sort():
        told = rows.filter(pl.col(_TABLE) == table).select(telling(c)).unique()
        days = (told["gaming_day"].min(), told["gaming_day"].max())
        there = target.scan(lake, table, days).select(told.columns)  # type: ignore[arg-type]
        missing = told.lazy().join(there, on=told.columns, how="anti")
        found = source.scan(lake, table, days).join(missing, on=told.columns, how="semi")  # type: ignore[arg-type]
        moved = found.with_columns(
            _stage=pl.lit(HELD),
            _rules=pl.lit([CLASH]),
            _raw=pl.lit(None, pl.String),
            _file=pl.col("_source").str.strip_prefix(SOURCE_PREFIX),
            _line=pl.lit(None, pl.Int64),
        )
        shape = stored_schema(target.layer, table)
        new = moved.select(pl.col(n).cast(t) for n, t in shape.items()).collect()
        if new.height:
            lake.append(target.layer, table, new, commit=commit)
        source.without(lake, table, told, commit)
