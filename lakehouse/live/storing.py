"""Results in the shape of the tables that hold them: `live_windows`, `live_sessions`,
`live_alerts`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl

from lakehouse.contracts import contract
from lakehouse.gold.money import dollars
from lakehouse.gold.windows import WHOLE
from lakehouse.live.memory import LONG_AGO, Counts
from lakehouse.live.rows import place
from lakehouse.live.tokens import number
from lakehouse.live.watch import Results, Watch
from lakehouse.regulation.gaming_day import gaming_day_of

Offsets = Mapping[int, int]
"""Partition → the offset up to which its events are counted."""
_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def windows_as_stored(
    topic: str, watch: Watch, results: Results, until: Offsets, moved: set[int], now: dt.datetime
) -> pl.DataFrame:
    """Rows of `live_windows`: parts that changed, and how far each partition that `moved` is."""
    progress = _progress(watch, results, moved)
    if results.windows is None or watch.kind is None:
        return _versioned(topic, progress, until, now, "live_windows")
    people = pl.col("people").list.eval(number(pl.element()))
    parts = results.windows.lazy().with_columns(
        kind=pl.lit(watch.kind.name),
        window_end=pl.col("window_start") + watch.kind.length,
        amount=dollars("amount"),
        people=pl.when("is_final").then(people),
    )
    both = pl.concat([parts.collect(), progress], how="diagonal_relaxed")
    return _versioned(topic, both, until, now, "live_windows")


def _progress(watch: Watch, results: Results, moved: set[int]) -> pl.DataFrame:
    said = []
    for p in sorted(moved):
        mark, counts = results.marks.get(p, LONG_AGO), results.counts.get(p, Counts())
        at = _NEVER if mark == LONG_AGO else mark
        said.append(
            {
                "kind": "progress",
                "window_start": at,
                "window_end": at,
                "partition": p,
                **dict.fromkeys(("dimension", "value", "name"), WHOLE),
                **dict.fromkeys(("transactions", "amount", "users", "orders"), 0),
                "events": counts.events,
                "late": counts.late,
                "copies": counts.copies,
                "rejected": counts.rejected,
                "watermark": None if mark == LONG_AGO else mark,
                "is_final": False,
                "gaming_day": gaming_day_of(at, watch.timezone),
            }
        )
    schema = contract("live_windows").bronze_schema()
    return pl.DataFrame(said, schema={n: schema[n] for n in said[0]})


def sessions_as_stored(
    topic: str, sessions: pl.DataFrame, until: Offsets, now: dt.datetime
) -> pl.DataFrame:
    """Rows of `live_sessions`."""
    money = sessions.with_columns(stakes=dollars("stakes"), wins=dollars("wins"))
    named = money.rename({"first": "started", "last": "last_seen"})
    return _versioned(topic, named, until, now, "live_sessions")


def alerts_as_stored(
    topic: str, alerts: pl.DataFrame, until: Offsets, now: dt.datetime
) -> pl.DataFrame:
    """Rows of `live_alerts`."""
    return _versioned(topic, alerts.with_columns(detected_at=now), until, now, "live_alerts")


def _versioned(
    topic: str, rows: pl.DataFrame, until: Offsets, now: dt.datetime, table: str
) -> pl.DataFrame:
    """With where they are from: the last event that is counted."""
    where = {p: place(topic, p, at - 1) for p, at in until.items()}
    version = pl.col("partition").replace_strict(dict(until), return_dtype=pl.Int64)
    schema = contract(table).bronze_schema()
    told = rows.with_columns(
        topic=pl.lit(topic),
        version=version,
        written_at=pl.lit(now, pl.Datetime("us", "UTC")),
        _source=pl.col("partition").replace_strict(where, return_dtype=pl.String),
    )
    return told.select(
        (pl.col(n) if n in told.columns else pl.lit(None)).cast(t).alias(n)
        for n, t in schema.items()
    )
