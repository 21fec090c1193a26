"""Who follows events beside the worker is called in order, waited for, and fails aloud."""

import datetime as dt
import threading
import time
from pathlib import Path

import polars as pl
import pytest

from lakehouse.errors import StorageError
from lakehouse.ingest.streams.beside import AHEAD, Beside
from lakehouse.ingest.streams.worker import Limits, Nothing
from tests.streamed import AT, event, log_at, send, sources, take_in


class Follower(Nothing):
    """Notes what it is told, once it may go on."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.may_go_on = threading.Event()

    def take(
        self, topic: str, partition: int, rows: pl.DataFrame, until: int, now: dt.datetime
    ) -> None:
        self.told.append((topic, partition, len(rows), until, now))

    def flush(self, now: dt.datetime) -> None:
        self.may_go_on.wait()
        self.told.append(now)


def test_what_is_told_beside_is_told_in_order_and_to_the_end(tmp_path: Path) -> None:
    log = log_at(tmp_path)
    send(log, *(event(n) for n in range(7)))
    follower = Follower()
    follower.may_go_on.set()
    with Beside(follower) as beside:
        take_in(tmp_path, log, live=beside, limits=Limits(rows=3, seconds=0))
    rows = [told for told in follower.told if isinstance(told, tuple)]
    assert rows == [("clickstream", 0, n, until, AT) for n, until in ((3, 3), (3, 6), (1, 7))]
    assert follower.told.index(AT) == 1


def test_no_more_than_some_micro_batches_wait(tmp_path: Path) -> None:
    """The worker stores the next one, and waits with it: so much stays bounded."""
    log = log_at(tmp_path)
    send(log, *(event(n) for n in range(9)))
    follower = Follower()
    with Beside(follower) as beside:
        limits = Limits(rows=1, seconds=0)
        working = threading.Thread(
            target=take_in, args=(tmp_path, log), kwargs={"live": beside, "limits": limits}
        )
        working.start()
        # One is under way; so many wait; the worker stands with another.
        while len(sources(tmp_path)) < 1 + AHEAD + 1:
            time.sleep(0.05)
        working.join(0.5)
        assert len(sources(tmp_path)) == 1 + AHEAD + 1
        follower.may_go_on.set()
        working.join()
    assert len(sources(tmp_path)) == 9
    assert len([told for told in follower.told if isinstance(told, tuple)]) == 9


def test_what_fails_beside_ends_the_worker(tmp_path: Path) -> None:
    class Failing(Follower):
        def flush(self, now: dt.datetime) -> None:
            raise StorageError(f"no room at {now:%H}")

    log = log_at(tmp_path)
    send(log, *(event(n) for n in range(50)))
    beside = Beside(Failing())
    with pytest.raises(StorageError, match="no room at 20"), beside:
        take_in(tmp_path, log, live=beside, limits=Limits(rows=1, seconds=0))
    assert len(sources(tmp_path)) < 50


def test_what_fails_while_micro_batches_wait_ends_the_worker_too(tmp_path: Path) -> None:
    class Failing(Follower):
        def take(
            self, topic: str, partition: int, rows: pl.DataFrame, until: int, now: dt.datetime
        ) -> None:
            self.may_go_on.wait()
            raise StorageError("no room")

    log = log_at(tmp_path)
    send(log, *(event(n) for n in range(50)))
    follower, raised = Failing(), []

    def work() -> None:
        with pytest.raises(StorageError, match="no room") as told, Beside(follower) as beside:
            take_in(tmp_path, log, live=beside, limits=Limits(rows=1, seconds=0))
        raised.append(told)

    working = threading.Thread(target=work, daemon=True)
    working.start()
    while len(sources(tmp_path)) < AHEAD + 1:
        time.sleep(0.05)
    follower.may_go_on.set()
    working.join(300)
    assert len(raised) == 1
