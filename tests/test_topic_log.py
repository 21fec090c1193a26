"""The embedded log: each message once, in order of its key, whatever is cut or killed."""

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse import cli
from lakehouse.errors import BadInput, Damaged, StorageError
from lakehouse.ingest.streams.log import Log
from lakehouse.ingest.streams.segments import Cursor, Partition
from lakehouse.ingest.streams.topics import MESSAGES, partition_of
from lakehouse.ingest.streams.transport import transport
from lakehouse.settings import Settings

Pairs = list[tuple[bytes, bytes]]


def messages(pairs: Pairs) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema=MESSAGES, orient="row")


def numbered(count: int, first: int = 0) -> Pairs:
    return [(f"A{k % 7}".encode(), f"value {k}".encode()) for k in range(first, first + count)]


def pairs_of(frame: pl.DataFrame) -> Pairs:
    return list(frame.select("key", "value").iter_rows())


def everything(log: Log, topic: str) -> Pairs:
    found: Pairs = []
    for partition in range(log.topics()[topic]):
        cursor = Cursor(log.partition(topic, partition), 0)
        found += pairs_of(cursor.read(10**9))
    return found


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=30)), max_size=9)),
    st.integers(1, 400),
    st.integers(1, 7),
)
def test_what_is_written_is_read_in_order(
    tmp_path_factory: pytest.TempPathFactory, batches: list[Pairs], segment: int, at_once: int
) -> None:
    folder = tmp_path_factory.mktemp("partition")
    partition = Partition(folder, segment_bytes=segment, fsync=False)
    for batch in batches:
        partition.append(messages(batch), time=5)
    sent = [pair for batch in batches for pair in batch]
    assert partition.ends() == (0, len(sent))
    cursor, read = Cursor(Partition(folder), 0), []
    while len(part := cursor.read(at_once)):
        assert part["offset"].to_list() == list(range(len(read), len(read) + len(part)))
        read += pairs_of(part)
    assert read == sent


def test_every_cut_of_the_end_heals(tmp_path: Path) -> None:
    """A crash leaves any part of the last frame: the next writer cuts it off and says so."""
    whole = Partition(tmp_path / "whole", fsync=False)
    whole.append(messages(numbered(3)), time=1)
    before = whole.segments()[0].stat().st_size
    whole.append(messages(numbered(2, first=3)), time=2)
    data = whole.segments()[0].read_bytes()
    for cut in range(before, len(data)):
        folder = tmp_path / f"cut-{cut}"
        folder.mkdir()
        (folder / whole.segments()[0].name).write_bytes(data[:cut])
        assert pairs_of(Cursor(Partition(folder), 0).read(99)) == numbered(3)
        said: list[str] = []
        healed = Partition(folder, tell=said.append)
        assert healed.append(messages([(b"k", b"after")]), time=3) == 4
        assert pairs_of(Cursor(healed, 0).read(99)) == [*numbered(3), (b"k", b"after")]
        assert bool(said) == (cut > before)


def test_a_frame_that_changed_within_the_log_is_told(tmp_path: Path) -> None:
    partition = Partition(tmp_path, fsync=False)
    for k in range(3):
        partition.append(messages(numbered(2, first=2 * k)), time=k)
    path = partition.segments()[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    cursor = Cursor(Partition(tmp_path), 0)
    assert pairs_of(cursor.read(2)) == numbered(2)
    with pytest.raises(Damaged, match="is damaged"):
        cursor.read(2)


def test_the_end_is_known_again_after_it_was_cut_off(tmp_path: Path) -> None:
    """A frame whose body is not what was written: it was there by its length."""
    partition, reader = (Partition(tmp_path, fsync=False) for _ in range(2))
    partition.append(messages(numbered(3)), time=0)
    whole = partition.segments()[0].stat().st_size
    partition.append(messages(numbered(2)), time=1)
    assert reader.ends() == (0, 5)
    path = partition.segments()[0]
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    Partition(tmp_path, fsync=False).append(messages(numbered(1)), time=2)
    assert path.stat().st_size > whole
    assert reader.ends() == (0, 4)


def test_old_segments_go_and_say_so(tmp_path: Path) -> None:
    partition = Partition(tmp_path, segment_bytes=1, fsync=False)
    for k in range(4):
        partition.append(messages(numbered(1, first=k)), time=1_000 * k)
    assert partition.expire(before=2_000) == 2
    assert partition.ends() == (2, 4)
    assert pairs_of(Cursor(partition, 2).read(9)) == numbered(2, first=2)
    with pytest.raises(StorageError, match="offset 0 is no longer kept; the first is 2"):
        Cursor(partition, 0).read(9)
    assert partition.expire(keep_bytes=0) == 1
    assert partition.ends() == (3, 4)
    assert partition.append(messages(numbered(1)), time=9_000) == 5


def test_a_log_forgets_what_is_older_than_it_keeps(tmp_path: Path) -> None:
    """A day is kept, a message an hour comes, and a segment has one: 24 hours back are there."""
    hour = [0]
    log = Log(
        tmp_path, segment_bytes=1, fsync=False, keep_days=1, clock=lambda: hour[0] * 3_600_000
    )
    log.create("sales", 1)
    for hour[0] in range(40):
        log.send("sales", messages(numbered(1)))
    assert log.ends("sales") == {0: (39 - 24, 40)}


def test_how_long_a_log_keeps_messages_is_a_setting(tmp_path: Path) -> None:
    given = Settings(root=str(tmp_path / "lake"), topic_days=1e-9)
    log = transport(given)
    assert isinstance(log, Log)
    log.create("sales", 1)
    log.partition("sales", 0)._segment_bytes = 1
    for _ in range(3):
        log.send("sales", messages(numbered(1)))
        time.sleep(0.002)
    assert log.ends("sales") == {0: (2, 3)}


def test_a_person_is_in_one_partition() -> None:
    """By the CRC-32 that every implementation has: that of "123456789" is 0xCBF43926."""
    keys = pl.Series([b"123456789", b"", b"123456789"], dtype=pl.Binary)
    assert partition_of(keys, 10).to_list() == [0xCBF43926 % 10, 0, 0xCBF43926 % 10]


def test_keys_stay_in_order_over_partitions(tmp_path: Path) -> None:
    log = Log(tmp_path, fsync=False)
    log.create("clickstream", 3)
    for k in range(0, 100, 10):
        log.send("clickstream", messages(numbered(10, first=k)))
    found = everything(log, "clickstream")
    assert sorted(found) == sorted(numbered(100))
    for key in {key for key, _ in found}:
        assert [v for k, v in found if k == key] == [v for k, v in numbered(100) if k == key]
    assert sum(end for _, end in log.ends("clickstream").values()) == 100


@pytest.mark.parametrize(
    ("topic", "partitions", "said"),
    [
        ("Sales-Stream", 1, "topic 'Sales-Stream': a small letter"),
        ("../up", 1, "a small letter"),
        ("sales", 0, "0 partitions; 1 to 1024"),
        ("there", 3, "topic there has 2 partitions, not 3"),
    ],
)
def test_a_topic_that_cannot_be_made_is_refused(
    tmp_path: Path, topic: str, partitions: int, said: str
) -> None:
    log = Log(tmp_path)
    log.create("there", 2)
    with pytest.raises(BadInput) as error:
        log.create(topic, partitions)
    assert said in str(error.value)
    assert log.topics() == {"there": 2}


def test_a_topic_that_nobody_made_is_refused(tmp_path: Path) -> None:
    log = Log(tmp_path)
    with pytest.raises(BadInput, match="no topic 'sales'; there are: none"):
        log.send("sales", messages(numbered(1)))


def test_a_group_goes_on_where_it_was(tmp_path: Path) -> None:
    log = Log(tmp_path, fsync=False)
    log.create("sales", 2)
    log.send("sales", messages(numbered(20)))
    with log.consumer(("sales",), "desk") as reader:
        first = reader.poll(8, 0)
        for batch in first:
            reader.commit(batch.topic, batch.partition, batch.next_offset)
    with log.consumer(("sales",), "desk") as reader:
        rest = reader.poll(99, 0)
    read = [pair for batch in [*first, *rest] for pair in pairs_of(batch.messages)]
    assert sorted(read) == sorted(numbered(20))
    with log.consumer(("sales",), "other") as other:
        assert sum(len(b.messages) for b in other.poll(99, 0)) == 20


def test_members_share_partitions_and_take_over_from_the_dead(tmp_path: Path) -> None:
    log = Log(tmp_path, fsync=False)
    log.create("sales", 4)
    one = log.consumer(("sales",), "desk")
    one.poll(1, 0)
    assert len(one.assigned()) == 4
    two = log.consumer(("sales",), "desk")
    two.poll(1, 0)
    one.poll(1, 0)
    two.poll(1, 0)
    assert len(one.assigned()) == len(two.assigned()) == 2
    assert not one.assigned() & two.assigned()
    two.close()
    one.poll(1, 0)
    assert len(one.assigned()) == 4
    one.close()


def test_topics_are_made_and_looked_at_by_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_DOMAINS", '["floor", "online"]')
    assert cli.run(["topics", "list"]) == 0
    assert "`lakehouse topics create` makes them" in capsys.readouterr().err
    assert cli.run(["topics", "create", "--partitions", "2"]) == 0
    log = Log(tmp_path / "lake.topics", fsync=False)
    wanted = {"analytics": 2, "clickstream": 2, "fraud_alerts": 2, "protection_alerts": 2}
    assert log.topics() == wanted
    log.send("clickstream", messages(numbered(9)))
    with log.consumer(("clickstream",), "desk") as reader:
        [batch, *_] = reader.poll(99, 0)
        reader.commit("clickstream", batch.partition, batch.next_offset)
    capsys.readouterr()
    assert cli.run(["topics", "list", "--json"]) == 0
    told = {row["topic"]: row for row in json.loads(capsys.readouterr().out)}
    assert told["clickstream"] == {
        "topic": "clickstream",
        "table": "clickstream",
        "partitions": 2,
        "messages": 9,
    }
    assert told["analytics"]["table"] == ""
    assert cli.run(["topics", "describe", "clickstream", "--json"]) == 0
    assert sum(row["messages"] for row in json.loads(capsys.readouterr().out)) == 9
    assert cli.run(["topics", "lag", "desk", "--json"]) == 0
    behind = sum(row["lag"] for row in json.loads(capsys.readouterr().out))
    assert behind == 9 - len(batch.messages)
    assert cli.run(["topics", "lag", "nobody"]) == 2
    assert "no group 'nobody' has read a topic here" in capsys.readouterr().err
    assert cli.run(["topics", "create", "clickstream", "--partitions", "3"]) == 2
    assert "topic clickstream has 2 partitions, not 3" in capsys.readouterr().err
    assert cli.run(["topics", "describe", "nothing"]) == 2
    assert "no topic 'nothing'" in capsys.readouterr().err


def test_topics_of_a_lake_in_an_object_store_are_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", "s3://bucket/lake")
    monkeypatch.setenv("LAKEHOUSE_LOCAL_ROOT", str(tmp_path / "office"))
    assert cli.run(["topics", "create", "clickstream"]) == 0
    assert (tmp_path / "office.topics" / "clickstream").is_dir()


def _write(folder: str, worker: int, batches: int) -> None:
    log = Log(Path(folder), segment_bytes=2_000)
    for k in range(batches):
        log.send("sales", messages([(f"w{worker}".encode(), f"{worker}:{k}".encode())] * 3))


def _write_for_ever(folder: str) -> None:
    log, k = Log(Path(folder), segment_bytes=4_000), 0
    while True:
        log.send("sales", messages([(b"k", str(k).encode())]))
        k += 1


def test_processes_write_at_a_time(tmp_path: Path) -> None:
    Log(tmp_path).create("sales", 2)
    start = multiprocessing.get_context("forkserver")
    workers = [start.Process(target=_write, args=(str(tmp_path), w, 20)) for w in range(3)]
    for process in workers:
        process.start()
    for process in workers:
        process.join(300)
        assert process.exitcode == 0
    found = everything(Log(tmp_path), "sales")
    for worker in range(3):
        mine = [int(v.split(b":")[1]) for k, v in found if k == f"w{worker}".encode()]
        assert mine == [k for k in range(20) for _ in range(3)]


def test_a_killed_writer_loses_nothing_that_was_sent(tmp_path: Path) -> None:
    Log(tmp_path).create("sales", 1)
    start = multiprocessing.get_context("forkserver")
    for _ in range(4):
        writer = start.Process(target=_write_for_ever, args=(str(tmp_path),))
        before = len(everything(Log(tmp_path), "sales"))
        writer.start()
        while len(everything(Log(tmp_path), "sales")) < before + 20:
            time.sleep(0.01)
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        seen = everything(Log(tmp_path), "sales")
        Log(tmp_path).send("sales", messages([(b"k", b"after")]))
        assert everything(Log(tmp_path), "sales") == [*seen, (b"k", b"after")]
        mine = [int(v) for _, v in seen[before:] if v != b"after"]
        assert mine == list(range(len(mine)))
