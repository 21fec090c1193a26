"""What both transports promise, asked of each: the log, Kafka's mock broker, and a real broker
where LAKEHOUSE_TEST_KAFKA names one."""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest

from lakehouse.errors import BadInput
from lakehouse.ingest.streams.kafka import Kafka
from lakehouse.ingest.streams.log import Log
from lakehouse.ingest.streams.produced import Seen
from lakehouse.ingest.streams.topics import MESSAGES, Batch, Consumer, Transport, placed
from lakehouse.serve.http.journal import Claim
from lakehouse.serve.http.writing import Entry, Writer
from tests.mock_broker import SESSIONS, mock_broker

PARTITIONS = 4
"""As many as the mock broker gives a topic."""
BROKER = os.environ.get("LAKEHOUSE_TEST_KAFKA")
PATIENCE = 20.0
Made = Callable[[], tuple[Transport, str]]


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    with mock_broker() as address:
        yield address


@pytest.fixture(params=["log", "mock", *(["broker"] if BROKER else [])])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Transport, str]:
    """A transport, and a topic of its own."""
    topic = f"sales_{uuid.uuid4().hex[:8]}"
    transport: Transport
    if request.param == "log":
        transport = Log(tmp_path, fsync=False)
    else:
        address = BROKER or request.getfixturevalue("mock")
        quick = SESSIONS["broker" if BROKER else "mock"]
        transport = Kafka({"bootstrap.servers": address, "log_level": "0", **quick})
        if request.param == "mock":
            transport._admin.list_topics(topic, timeout=10)  # it makes what it is asked for
    transport.create(topic, PARTITIONS)
    return transport, topic


def messages(*pairs: tuple[bytes, bytes]) -> pl.DataFrame:
    return pl.DataFrame(pairs, schema=MESSAGES, orient="row")


def numbered(count: int, first: int = 0) -> pl.DataFrame:
    return messages(*((b"A%d" % (k % 7), b"%d" % k) for k in range(first, first + count)))


def read(reader: Consumer, count: int) -> list[Batch]:
    found: list[Batch] = []
    while sum(len(b.messages) for b in found) < count:
        more = reader.poll(count, PATIENCE)
        assert more, "nothing came"
        found += more
    return found


def pairs(batches: list[Batch]) -> list[tuple[bytes, bytes]]:
    return [p for b in batches for p in b.messages.select("key", "value").iter_rows()]


def test_all_of_a_key_comes_once_and_in_order(made: tuple[Transport, str]) -> None:
    transport, topic = made
    for first in range(0, 60, 20):
        transport.send(topic, numbered(20, first))
    with transport.consumer((topic,), f"desk_{topic}") as reader:
        found = read(reader, 60)
    got = pairs(found)
    assert sorted(got) == sorted(numbered(60).iter_rows())
    for key in {k for k, _ in got}:
        numbers = [int(v) for k, v in got if k == key]
        assert numbers == sorted(numbers)
        assert len({b.partition for b in found if key in b.messages["key"].to_list()}) == 1


def test_ends_and_acknowledgements_agree(made: tuple[Transport, str]) -> None:
    transport, topic = made
    assert set(transport.ends(topic).values()) == {(0, 0)}
    after = transport.send(topic, numbered(10))
    ends = transport.ends(topic)
    assert {p: ends[p][1] for p in after} == after
    assert sum(end for _, end in ends.values()) == 10
    assert transport.topics()[topic] == PARTITIONS


def test_a_group_goes_on_where_it_committed(made: tuple[Transport, str]) -> None:
    transport, topic = made
    transport.send(topic, numbered(30))
    assert transport.positions(topic, f"desk_{topic}") == {}
    with transport.consumer((topic,), f"desk_{topic}") as reader:
        first = read(reader, 30)
        done = {b.partition: b.messages["offset"][0] + 1 for b in first}
        for partition, offset in done.items():
            reader.commit(topic, partition, offset)
    assert transport.positions(topic, f"desk_{topic}") == done
    left = 30 - len(done)
    with transport.consumer((topic,), f"desk_{topic}") as reader:
        assert len(pairs(read(reader, left))) == left
    with transport.consumer((topic,), f"other_{topic}") as reader:
        assert len(pairs(read(reader, 30))) == 30


def test_a_partition_is_read_from_any_offset_without_a_group(made: tuple[Transport, str]) -> None:
    transport, topic = made
    sent = messages(*((b"A1", b"%d" % k) for k in range(8)))
    transport.send(topic, sent.head(5))
    after = transport.send(topic, sent.tail(3))
    [(place, end)] = after.items()
    assert end == 8
    found = transport.read(topic, place, 3, 4)
    assert found["offset"].to_list() == [3, 4, 5, 6]
    assert found["value"].to_list() == [b"3", b"4", b"5", b"6"]
    assert transport.read(topic, place, 7, 100)["value"].to_list() == [b"7"]
    assert transport.read(topic, place, 8, 100).is_empty()
    assert transport.read(topic, (place + 1) % PARTITIONS, 0, 100).is_empty()


def test_what_was_read_can_be_read_again(made: tuple[Transport, str]) -> None:
    transport, topic = made
    transport.send(topic, numbered(12))
    with transport.consumer((topic,), f"desk_{topic}") as reader:
        found = read(reader, 12)
        partition = found[0].partition
        reader.seek(topic, partition, 0)
        again = read(reader, 1)
        assert {b.partition for b in again} == {partition}
        assert again[0].messages["offset"][0] == 0
        with pytest.raises(BadInput, match="is not this reader's"):
            reader.seek(topic, PARTITIONS + 3, 0)


def test_large_and_odd_messages_come_as_they_are(made: tuple[Transport, str]) -> None:
    """A message is bytes: no text, no JSON, nothing at all, or much of it."""
    transport, topic = made
    sent = [(b"k", b"x" * 900_000), (b"k", b"\xff\x00{"), (b"k", b""), (b"", b"nobody's")]
    transport.send(topic, messages(*sent))
    with transport.consumer((topic,), f"desk_{topic}") as reader:
        assert sorted(pairs(read(reader, 4))) == sorted(sent)


def test_two_members_share_and_one_takes_over(made: tuple[Transport, str]) -> None:
    transport, topic = made
    one, two = (
        transport.consumer((topic,), f"desk_{topic}"),
        transport.consumer((topic,), f"desk_{topic}"),
    )
    try:
        settled(lambda: len(one.assigned()) == len(two.assigned()) == PARTITIONS // 2, one, two)
        assert not one.assigned() & two.assigned()
        transport.send(topic, numbered(40))
        found: list[Batch] = []
        while sum(len(b.messages) for b in found) < 40:
            found += [*one.poll(40, 0.1), *two.poll(40, 0.1)]
        assert sorted(pairs(found)) == sorted(numbered(40).iter_rows())
        for batch in found:
            one.commit(topic, batch.partition, batch.next_offset)
        two.close()
        settled(lambda: len(one.assigned()) == PARTITIONS, one)
    finally:
        one.close()


def settled(done: Callable[[], bool], *readers: Consumer) -> None:
    for _ in range(200):
        for reader in readers:
            assert reader.poll(1, 0.1) == []
        if done():
            return
    pytest.fail("the group did not settle")


def test_what_nobody_made_is_refused(made: tuple[Transport, str]) -> None:
    transport, topic = made
    with pytest.raises(BadInput, match=f"topic {topic} has 4 partitions, not 5"):
        transport.create(topic, 5)
    with pytest.raises(BadInput, match="a small letter"):
        transport.create("No-Topic", 1)
    with pytest.raises(BadInput, match="no topic 'nothing_here'; there are: "):
        transport.send("nothing_here", numbered(1))


def test_a_producer_that_was_killed_goes_on_with_each_event_once(
    made: tuple[Transport, str], tmp_path: Path
) -> None:
    """What the log took and no note tells of is read back, and a stranger's message is not ours."""
    transport, topic = made
    mine = placed(numbered(40), PARTITIONS)
    ends = {p: end for p, (_, end) in transport.ends(topic).items()}
    transport.send(topic, mine[:25].drop("partition"))
    transport.send(topic, messages((b"A1", b"others")))
    left = Seen(transport, topic, ends).left(mine)
    assert left.equals(mine[25:])
    transport.send(topic, left.drop("partition"))
    found = [transport.read(topic, p, 0, 100) for p in range(PARTITIONS)]
    values = pl.concat(found).filter(value=b"others", key=b"A1")
    assert len(values) == 1
    assert sum(map(len, found)) == 41


def test_requests_over_http_are_taken_once_by_their_key(
    made: tuple[Transport, str], tmp_path: Path
) -> None:
    transport, topic = made
    claim = Claim("token desk", topic, "k", b"digest")
    for again in (False, True):
        writer = Writer(transport, tmp_path / "requests.sqlite", lambda: 0)
        writer.start()
        for is_known in (again, True):
            entry = Entry(topic, numbered(5), 100, claim)
            assert writer.submit(entry).result(PATIENCE) is is_known
        writer.stop()
    assert sum(end for _, end in transport.ends(topic).values()) == 5
