"""Whether topics get into the lake, and how fast."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from lakehouse.ingest.streams.status import status
from lakehouse.ingest.streams.transport import topics_in
from lakehouse.serve.monitor.registry import Look, Measure, signal


@signal(
    "topic_lag",
    unit="events",
    warning=1_000,
    critical=10_000,
    do="See that `lakehouse stream run` is at work; start a second one to share the partitions.",
)
def topic_lag(look: Look) -> Iterator[Measure]:
    """Events of a topic that the lake does not have yet."""
    for topic, lag, _ in _topics(look):
        yield Measure(topic, float(lag), f"{lag:,} events wait")


@signal(
    "topic_throughput",
    unit="events/s",
    warning=1.0,
    critical=0.1,
    is_worse_below=True,
    do="The stream stands or crawls while events wait: start `lakehouse stream run` again.",
)
def topic_throughput(look: Look) -> Iterator[Measure]:
    """Events a second of the last minute; judged only while any wait."""
    for topic, lag, rate in _topics(look):
        waiting = f"{lag:,} events wait" if lag else "nothing waits"
        yield Measure(topic, rate, f"{rate:g} events/s came in, {waiting}", counts=lag > 0)


def _topics(look: Look) -> list[tuple[str, int, float]]:
    """Topic, lag, rate, of the streamed tables' topics that are there."""
    streamed = set(look.settings.streamed())
    asked = {t: table for t, table in topics_in(look.settings).items() if table in streamed}
    if not asked:
        return []
    place = look.transport()
    there = place.topics()
    found = status(look.lake, place, {t: n for t, n in asked.items() if t in there}, look.now)
    by_topic = found.group_by("topic").agg(pl.col("lag").sum(), pl.col("events_per_second").sum())
    return [(t, lag, round(rate, 1)) for t, lag, rate in by_topic.sort("topic").iter_rows()]
