"""How far topics are in the lake: by topic and partition what has come in, what waits, how fast."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import polars as pl

from lakehouse.ingest.files.row_typing import TOPIC_PREFIX
from lakehouse.ingest.streams.storing import name_of, reached
from lakehouse.ingest.streams.succession import continued
from lakehouse.ingest.streams.topics import Transport
from lakehouse.storage import Lake, Version

OVER = dt.timedelta(minutes=1)
"""Over which a rate is told."""
_COMMITS = 300
STATUS = pl.Schema(
    {
        "topic": pl.String(),
        "partition": pl.Int64(),
        "table": pl.String(),
        "in_lake": pl.Int64(),
        "end": pl.Int64(),
        "lag": pl.Int64(),
        "events_per_second": pl.Float64(),
        "rejected": pl.Int64(),
        "last_commit": pl.Datetime("us", "UTC"),
    }
)


def status(
    lake: Lake, transport: Transport, topics: Mapping[str, str], now: dt.datetime
) -> pl.DataFrame:
    """Grain: one row per topic and partition (`STATUS`). `in_lake`: the offset after the last
    event that the lake has; `lag`: events that it has not; the rate is that of the last minute;
    `rejected`: events in quarantine that could not be read. Raises BadInput for a topic that
    nobody made."""
    rows = [r for topic, table in topics.items() for r in _of(lake, transport, topic, table, now)]
    return pl.DataFrame(rows, schema=STATUS, orient="row")


def _of(
    lake: Lake, transport: Transport, topic: str, table: str, now: dt.datetime
) -> list[tuple[Any, ...]]:
    ends = continued(lake, transport, {topic: table}).ends(topic)
    known = reached(lake, table, [(topic, p) for p in ends])
    commits = lake.history("bronze", table, _COMMITS)
    rejected = _rejected(lake, table)
    found = []
    for p, (first, end) in sorted(ends.items()):
        name, at = name_of((topic, p)), known.get((topic, p), first)
        own = [c for c in commits if name in c.reached]
        last = own[0].at if own else None
        told = (_rate(own, name, first, now), rejected.get(TOPIC_PREFIX + name, 0), last)
        found.append((topic, p, table, at, end, max(0, end - at), *told))
    return found


def _rate(commits: list[Version], name: str, first: int, now: dt.datetime) -> float:
    """Events a second over the last minute, by the commits (newest first) that tell of any."""
    late = [c.reached[name] for c in commits if c.at >= now - OVER]
    if not late:
        return 0.0
    before = [c.reached[name] for c in commits[len(late) :]] or [first]
    return round((late[0] - before[0]) / OVER.total_seconds(), 1)


def _rejected(lake: Lake, table: str) -> dict[str, int]:
    held = lake.scan("quarantine", table, columns=["_file"])
    own = held.filter(pl.col("_file").str.starts_with(TOPIC_PREFIX))
    return dict(own.group_by("_file").len().collect().iter_rows())
