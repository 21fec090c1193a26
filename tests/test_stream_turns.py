"""In which order a worker brings topics into the lake, and tells who follows."""

import datetime as dt
from pathlib import Path

import polars as pl

from lakehouse.contracts import contract
from lakehouse.ingest.streams.worker import Limits, Worker
from lakehouse.settings import DOMAINS
from lakehouse.storage import Lake
from tests.streamed import AT, after, log_at, never, settings_at
from tests.test_stream_worker import Following


class Turns(Following):
    """The order of what a worker tells."""

    def take(
        self, topic: str, partition: int, rows: pl.DataFrame, until: int, now: dt.datetime
    ) -> None:
        assert (partition, len(rows), until, now) == (0, 0, 1, AT)
        self.told.append(("take", topic))


def of_three_topics(folder: Path, live: Turns) -> Worker:
    """A message in each, that only quarantine takes."""
    tables = ("player_events", "purchases", "shop_orders")
    settings = settings_at(folder, sources=dict.fromkeys(tables, "stream"), domains=DOMAINS)
    topics = {str(contract(table).topic): table for table in tables}
    log = log_at(folder)
    for topic in topics:
        log.create(topic, 1)
        log.send(topic, pl.DataFrame({"key": [b"A1"], "value": [b"bad"]}))
    lake, limits = Lake(settings.root), Limits(seconds=0)
    return Worker(lake, settings, log, topics, lambda: AT, live=live, limits=limits)


def test_what_is_told_of_at_once_waits_for_no_other_topic(tmp_path: Path) -> None:
    following = Turns("sales_stream")
    of_three_topics(tmp_path, following).run(never, until_empty=True)
    assert [t for t in following.told if t[0] != "assigned"] == [
        ("take", "sales_stream"),
        ("alert", AT),
        ("take", "player_events"),
        ("flush", AT),
        ("take", "purchases"),
        ("flush", AT),
    ]


def test_what_waits_its_turn_is_brought_before_the_worker_ends(tmp_path: Path) -> None:
    worker = of_three_topics(tmp_path, Turns("sales_stream"))
    assert worker.run(after(2)).messages == 3
    assert worker.lake.reached("quarantine", "purchases", ["purchases/0"]) == {"purchases/0": 1}
