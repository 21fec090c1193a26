"""What leaves the lake: alerts once each, and results of windows by key and version.

The table is the truth. An alert is sent after it is stored; results of windows are stored after
all alerts up to them were sent. So an engine that starts again needs to ask the topic only for
alerts that are stored beyond the stored windows.
"""

from __future__ import annotations

import datetime as dt
import json

import polars as pl

from lakehouse.ingest.streams.topics import MESSAGES, READ, Transport, stretch
from lakehouse.texts import formatted

TOPICS = {"fraud": "fraud_alerts", "protection": "protection_alerts"}
"""Family → the topic that its alerts are told by."""
ANALYTICS = "analytics"
_TOLD = (
    "alert_id", "family", "rule", "level", "score", "account", "said", "context", "evidence",
    "event_time", "detected_at", "gaming_day", "topic", "partition", "offset", "version",
)  # fmt: skip
_MOST = 10_000
_SLACK = dt.timedelta(minutes=10)
"""By which the clocks of engine and log may differ."""
_NONE = pl.DataFrame(schema=READ)


def send(transport: Transport, alerts: pl.DataFrame) -> None:
    """Sends rows of `live_alerts`, each under its account."""
    for family, topic in TOPICS.items():
        mine = alerts.filter(family=family)
        if len(mine):
            transport.send(topic, _messages(mine, "account", _TOLD))


def send_results(transport: Transport, windows: pl.DataFrame) -> None:
    """Sends rows of `live_windows`, a message for each window and partition: who has taken one
    leaves out what comes again under its version."""
    key = ["kind", "window_start", "window_end", "topic", "partition", "version", "is_final",
           "written_at", "gaming_day"]  # fmt: skip
    part = pl.struct("dimension", "value", "name", "events", "transactions",
                     pl.col("amount").cast(pl.String), "users", "orders")  # fmt: skip
    kept = windows.filter(pl.col("kind") != "progress")
    told = kept.group_by(key, maintain_order=True).agg(parts=part)
    named = told.with_columns(key=formatted("{}/{}", "kind", pl.col("window_start").dt.epoch("us")))
    if len(named):
        transport.send(ANALYTICS, _messages(named, "key", (*key, "parts")))


def _messages(rows: pl.DataFrame, key: str, columns: tuple[str, ...]) -> pl.DataFrame:
    written = rows.select(
        key=pl.col(key).cast(pl.Binary),
        value=pl.struct(
            pl.col(c).dt.to_string("iso:strict") if rows.schema[c].is_temporal() else pl.col(c)
            for c in columns
        )
        .struct.json_encode()
        .cast(pl.Binary),
    )
    return written.select(pl.col(n).cast(t) for n, t in MESSAGES.items())


def unsent(transport: Transport, alerts: pl.DataFrame) -> pl.DataFrame:
    """Of rows of `live_alerts`, those that their topic does not have."""
    if alerts.is_empty():
        return alerts
    since = alerts["detected_at"].min()
    assert isinstance(since, dt.datetime)
    told: set[str] = set()
    for family in alerts["family"].unique():
        values = _tail(transport, TOPICS[family], since - _SLACK)["value"]
        told |= {json.loads(value)["alert_id"] for value in values}
    return alerts.filter(~pl.col("alert_id").is_in(list(told)))


def _tail(transport: Transport, topic: str, since: dt.datetime) -> pl.DataFrame:
    """Messages of a topic from a moment on, with some from before it."""
    most = _MOST
    while True:
        ends = transport.ends(topic)
        begin = {p: max(first, after - most) for p, (first, after) in ends.items()}
        found = {
            p: pl.concat([_NONE, *stretch(transport, topic, p, begin[p], after)])
            for p, (_, after) in ends.items()
        }
        whole = all(
            begin[p] == first or _begins_before(found[p], since) for p, (first, _) in ends.items()
        )
        if whole:
            return pl.concat(found.values())
        most *= 4


def _begins_before(messages: pl.DataFrame, moment: dt.datetime) -> bool:
    return bool(len(messages)) and messages["time"][0] < moment
