"""Kafka into the lake, each event once: by its mock broker, and by a real one where
LAKEHOUSE_TEST_KAFKA names it."""

import json
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from lakehouse.errors import StorageError
from lakehouse.ingest.streams.kafka import Kafka
from lakehouse.ingest.streams.worker import GROUP, Limits, Worker
from lakehouse.storage import Lake
from tests.mock_broker import SESSIONS, mock_broker
from tests.streamed import AT, TABLE, event, never, settings_at, stored
from tests.test_topics import BROKER, PARTITIONS

KEYS = "abcdefghijkl"


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    with mock_broker() as address:
        yield address


@pytest.fixture(params=["mock", *(["broker"] if BROKER else [])])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> tuple[Kafka, str]:
    """A cluster, and a topic of its own."""
    topic = f"clicks_{uuid.uuid4().hex[:8]}"
    address = BROKER if request.param == "broker" else request.getfixturevalue("mock")
    quick = SESSIONS[request.param]
    kafka = Kafka({"bootstrap.servers": address, "log_level": "0", **quick})
    if request.param == "mock":
        kafka._admin.list_topics(topic, timeout=10)  # it makes what it is asked for
        monkeypatch.setattr(Kafka, "identity", lambda *_: "")  # and has none to tell
    kafka.create(topic, PARTITIONS)
    return kafka, topic


def send(place: tuple[Kafka, str], first: int, count: int) -> None:
    rows = [
        (key.encode(), json.dumps(event(f"{key}{n}", user_id=key)).encode())
        for n in range(first, first + count)
        for key in KEYS
    ]
    kafka, topic = place
    kafka.send(topic, pl.DataFrame(rows, schema=["key", "value"], orient="row"))


def worker(
    folder: Path, place: tuple[Kafka, str], rows: int = 100_000, *, take_new: bool = False
) -> Worker:
    settings, (kafka, topic) = settings_at(folder), place
    return Worker(
        Lake(settings.root),
        settings,
        kafka,
        {topic: TABLE},
        lambda: AT,
        limits=Limits(rows=rows, seconds=0),
        take_new=take_new,
    )


def ids(folder: Path) -> list[str]:
    return sorted(stored(folder)["event_id"])


def wanted(count: int) -> list[str]:
    return sorted(f"e{key}{n}" for key in KEYS for n in range(count))


def test_events_come_in_once_and_in_order_whatever_the_group_has_noted(
    tmp_path: Path, place: tuple[Kafka, str]
) -> None:
    """The second lake is new, and the group of the first has noted all."""
    send(place, 0, 10)
    kafka, topic = place
    for name in ("first", "second"):
        done = worker(tmp_path / name, place, rows=25).run(never, until_empty=True)
        assert ids(tmp_path / name) == wanted(10)
        assert done.commits > 2
        assert sum(kafka.positions(topic, GROUP).values()) == 10 * len(KEYS)
    rows = stored(tmp_path / "second").with_columns(
        at=pl.col("_source").str.extract(r"@(\d+)$").cast(pl.Int64),
        n=pl.col("event_id").str.extract(r"(\d+)$").cast(pl.Int64),
    )
    ends = kafka.ends(topic).items()
    every = [f"topic:{topic}/{p}@{n}" for p, (_, end) in ends for n in range(end)]
    assert sorted(rows["_source"]) == sorted(every)
    of_key = rows.sort("at").group_by("user_id").agg(pl.col("n"))
    assert of_key["n"].to_list() == [list(range(10))] * len(KEYS)


def test_workers_come_and_go_and_each_event_is_there_once(
    tmp_path: Path, place: tuple[Kafka, str]
) -> None:
    send(place, 0, 20)
    ends = threading.Event()
    workers = [worker(tmp_path, place, rows=15) for _ in range(3)]
    threads = [threading.Thread(target=w.run, args=(ends.is_set,)) for w in workers[:2]]
    for thread in threads:
        thread.start()
    send(place, 20, 20)
    ends.set()
    for thread in threads:
        thread.join(300)
    workers[2].run(never, until_empty=True)
    assert ids(tmp_path) == wanted(40)


if BROKER:

    def made_anew(place: tuple[Kafka, str]) -> None:
        kafka, topic = place
        kafka._admin.delete_topics([topic])[topic].result(30)
        while topic in kafka.topics():
            time.sleep(0.05)
        kafka.create(topic, PARTITIONS)

    @pytest.mark.parametrize("place", ["broker"], indirect=True)
    def test_a_topic_that_was_made_anew_is_refused_and_gone_on_with_when_asked(
        tmp_path: Path, place: tuple[Kafka, str]
    ) -> None:
        send(place, 0, 3)
        worker(tmp_path, place).run(never, until_empty=True)
        made_anew(place)
        send(place, 10, 5)
        with pytest.raises(StorageError, match=r"another log than the one .* --new-log"):
            worker(tmp_path, place).run(never, until_empty=True)
        assert ids(tmp_path) == wanted(3)
        worker(tmp_path, place, take_new=True).run(never, until_empty=True)
        send(place, 15, 1)
        worker(tmp_path, place).run(never, until_empty=True)
        both = [f"e{key}{n}" for key in KEYS for n in (*range(3), *range(10, 16))]
        assert ids(tmp_path) == sorted(both)

    @pytest.mark.parametrize("place", ["broker"], indirect=True)
    @pytest.mark.parametrize("count", [1, 5])
    def test_a_topic_that_is_made_anew_under_a_worker_stops_it(
        tmp_path: Path, place: tuple[Kafka, str], count: int
    ) -> None:
        send(place, 0, 3)
        began = threading.Event()

        def stop() -> bool:
            if not began.is_set() and len(ids(tmp_path)) == 3 * len(KEYS):
                began.set()
                made_anew(place)
                send(place, 10, count)
            return False

        with pytest.raises(StorageError, match="made anew"):
            worker(tmp_path, place).run(stop)
        assert ids(tmp_path) == wanted(3)
