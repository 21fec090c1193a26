"""Topics into the lake: each event once, wherever a worker was when it ended."""

import datetime as dt
import json
import threading
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lakehouse.errors import DiskFull, StorageError
from lakehouse.ingest.files.rejects import rejects
from lakehouse.ingest.streams.events import events_of
from lakehouse.ingest.streams.status import status
from lakehouse.ingest.streams.topics import READ, Batch
from lakehouse.ingest.streams.worker import GROUP, Limits
from lakehouse.pipeline.derivation import marks_of, underived
from lakehouse.pipeline.silver import refresh_silver
from lakehouse.quality.conformance import conservation
from lakehouse.storage import Commit, Lake
from tests.streamed import (
    AT,
    DAY,
    TABLE,
    TOPIC,
    after,
    event,
    log_at,
    never,
    places,
    send,
    settings_at,
    sources,
    stored,
    take_in,
    worker_at,
)

BY = Commit("test", "silver/clickstream", "1")


def test_events_are_rows_that_say_where_they_are_from(tmp_path: Path) -> None:
    log = log_at(tmp_path)
    send(log, event(0, bet_amount="12.50"), event(1, bet_amount=3.1))
    take_in(tmp_path, log)
    rows = stored(tmp_path).sort("event_id")
    assert (
        rows["bet_amount"].to_list()
        == pl.Series(["12.50", "3.10"]).cast(pl.Decimal(18, 2)).to_list()
    )
    assert rows["gaming_day"].to_list() == [DAY, DAY]
    assert rows["_source"].to_list() == places(0, 2)
    assert rows["_batch_id"].to_list() == ["clickstream/0@0-1"] * 2
    assert rows["_ingested_at"].to_list() == [AT, AT]


POISON = [
    (b"", "_row|not_json"),
    (b"nonsense", "_row|not_json"),
    (b'{"event_id": "x"', "_row|not_json"),
    (b'{"event_id": "x"} {"event_id": "y"}', "_row|not_json"),
    (b"[1, 2]", "_row|not_an_object"),
    (b"null", "_row|not_an_object"),
    (b"\xff\xfe", "_row|not_utf8"),
    (b'{"event_id": "x", "user_id": "\\ud800"}', "_row|not_utf8"),
    (b'{"event_id": "x", "event_id": "y"}', "_row|field_named_twice"),
    (b'{"user_id": "A1", "timestamp": "2025-01-02T20:00:00Z"}', "event_id|missing"),
    (b'{"event_id": "x"}', "timestamp|missing"),
    (b'{"event_id": "x", "timestamp": "yesterday"}', "timestamp|unreadable"),
    (
        b'{"event_id": "x", "timestamp": "2025-01-02T20:00:00Z", "bet_amount": "all"}',
        "bet_amount|not_a_number",
    ),
    (
        b'{"event_id": "x", "timestamp": "2025-01-02T20:00:00Z", "bet_amount": {"a": 1}}',
        "bet_amount|not_a_number",
    ),
]


def test_what_cannot_be_read_is_kept_with_its_place_text_and_rule(tmp_path: Path) -> None:
    log = log_at(tmp_path)
    for bad, _ in POISON:
        send(log, event(len(bad)), bad)
    worker = take_in(tmp_path, log)
    assert (worker.done.rows, worker.done.rejects) == (len(POISON), len(POISON))
    held = stored(tmp_path, "quarantine").sort("_line")
    assert held["_rules"].to_list() == [[rule] for _, rule in POISON]
    assert held["_line"].to_list() == [2 * n + 1 for n in range(len(POISON))]
    assert set(held["_file"]) == {"topic:clickstream/0"}
    assert set(held["_source"]) == {f"topic:clickstream/0@{n}" for n in held["_line"]}
    raws = [bad.decode(errors="backslashreplace") for bad, _ in POISON]
    assert held["_raw"].to_list() == raws
    undated = held.filter(pl.col("_rules").list.first().str.starts_with("_row"))
    assert set(undated["gaming_day"]) == {dt.date(2025, 1, 3)}
    found = rejects(worker.lake, tables=[TABLE])
    assert set(found["source"]) == {"topic:clickstream/0"}


def test_what_came_in_is_in_silver_in_quarantine_or_a_duplicate(tmp_path: Path) -> None:
    """An event that was sent twice is a duplicate, as a landed row is."""
    log, settings = log_at(tmp_path), settings_at(tmp_path)
    bad = event(2, device="abacus")
    send(log, event(0), event(1), event(0), bad, event(1, win_amount=5, event_type="bet_result"))
    send(log, b"poison")
    lake = take_in(tmp_path, log).lake
    refresh_silver(lake, settings_at(tmp_path, orphans={TABLE: "keep"}), TABLE, (DAY, DAY), BY)
    counts = conservation(lake, TABLE, (DAY, DAY)).row(0, named=True)
    assert counts == {
        "gaming_day": DAY,
        "bronze": 5,
        "silver": 1,
        "quarantine": 3,
        "duplicates": 1,
        "lost": 0,
    }
    assert settings.streamed() == [TABLE]


def test_a_field_that_nobody_knows_is_told_once_and_left_out(tmp_path: Path) -> None:
    log, said = log_at(tmp_path), list[str]()
    send(log, event(0, mood="good"), event(1, mood="bad"))
    send(log, event(2, mood="none"))
    take_in(tmp_path, log, tell=said.append, limits=Limits(rows=1, seconds=0))
    assert said == ["clickstream: events have a field 'mood' that clickstream has not"]
    assert "mood" not in stored(tmp_path).columns


@pytest.mark.parametrize("noted", [0, 2, 9])
def test_the_table_says_where_to_go_on_and_not_the_group(tmp_path: Path, noted: int) -> None:
    log = log_at(tmp_path)
    send(log, *map(event, range(4)))
    take_in(tmp_path, log)
    send(log, *map(event, range(4, 9)))
    log.group(TOPIC, GROUP).commit(0, noted)
    again = take_in(tmp_path, log)
    assert again.done.messages == 5
    assert sources(tmp_path) == places(0, 9)


def test_who_lost_its_partition_adds_nothing_twice(tmp_path: Path) -> None:
    """A worker that slept through its partition's going to another has it in hand still."""
    log = log_at(tmp_path)
    send(log, *map(event, range(3)))
    slow = worker_at(tmp_path, log)
    store = slow._store

    def late(table: str, reads: Any, stop: Any) -> None:
        first = reads[0].events.rows.head(2)
        slow.lake.append_offsets("bronze", TABLE, first, {"clickstream/0": 2}, commit=BY)
        store(table, reads, stop)

    slow._store = late  # type: ignore[method-assign]
    slow.run(never, until_empty=True)
    assert sources(tmp_path) == places(0, 3)


def test_a_table_that_was_put_back_is_filled_again(tmp_path: Path) -> None:
    log, said = log_at(tmp_path), list[str]()
    send(log, *map(event, range(4)))
    worker = worker_at(tmp_path, log, tell=said.append, limits=Limits(rows=2, seconds=0))
    take = worker.live.take

    def put_back(*told: Any) -> None:
        if told[3] == 4 and not said:
            uri = Path(worker.lake.uri("bronze", TABLE))
            log_of = sorted((uri / "_delta_log").glob("*.json"))
            log_of[-1].unlink()
            send(log, event(4))
        take(*told)

    worker.live.take = put_back  # type: ignore[method-assign]
    worker.run(never, until_empty=True)
    assert any("has reached offset 2 of clickstream/0" in text for text in said)
    assert sources(tmp_path) == places(0, 5)


def test_two_workers_share_the_partitions(tmp_path: Path) -> None:
    log = log_at(tmp_path, 4)
    for key in "abcdefghijkl":
        send(log, *(event(f"{key}{n}") for n in range(5)), key=key)
    workers = [worker_at(tmp_path, log_at(tmp_path, 4)) for _ in range(2)]
    threads = [
        threading.Thread(target=w.run, args=(never,), kwargs={"until_empty": True}) for w in workers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300)
    ends = log.ends(TOPIC)
    every = [p for n in range(4) for p in places(0, ends[n][1], n)]
    assert sources(tmp_path) == sorted(every)
    assert sorted(stored(tmp_path)["event_id"]) == sorted(
        f"e{k}{n}" for k in "abcdefghijkl" for n in range(5)
    )


def test_a_full_disk_holds_up_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, said = log_at(tmp_path), list[str]()
    send(log, event(0), b"bad", event(1))
    append, left = Lake.append_offsets, [1, 1, 0, 1, 0]

    def full(*args: Any, **more: Any) -> Any:
        if left and left.pop(0):
            raise DiskFull("the disk is full")
        return append(*args, **more)

    monkeypatch.setattr(Lake, "append_offsets", full)
    monkeypatch.setattr("lakehouse.ingest.streams.worker.time.sleep", lambda _: None)
    take_in(tmp_path, log, tell=said.append)
    assert sources(tmp_path) == [*places(0, 1), *places(2, 3)]
    assert sources(tmp_path, "quarantine") == places(1, 2)
    assert len(said) == 3
    assert said[0].startswith("the disk is full; tried again in ")


def test_a_disk_that_stays_full_ends_the_worker_with_nothing_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = log_at(tmp_path)
    send(log, event(0))
    append = Lake.append_offsets

    def full(*_: Any, **__: Any) -> Any:
        raise DiskFull("the disk is full")

    monkeypatch.setattr(Lake, "append_offsets", full)
    worker = worker_at(tmp_path, log)
    with pytest.raises(DiskFull):
        worker.run(after(4))
    monkeypatch.setattr(Lake, "append_offsets", append)
    take_in(tmp_path, log)
    assert sources(tmp_path) == places(0, 1)


def test_what_the_log_no_longer_keeps_is_told_and_not_passed_over(tmp_path: Path) -> None:
    log, said = log_at(tmp_path, segment_bytes=1), list[str]()
    send(log, event(0))
    take_in(tmp_path, log)
    for n in range(1, 6):
        send(log, event(n))
    log.expire(TOPIC, keep_bytes=1)
    with pytest.raises(
        StorageError, match=r"reached offset 1 .* kept from 5 on: 4 events are lost"
    ):
        take_in(tmp_path, log)
    take_in(tmp_path, log, accept_loss=True, tell=said.append)
    assert said == ["clickstream/0: 4 events are lost, offsets 1 to 4"]
    assert sources(tmp_path) == [*places(0, 1), *places(5, 6)]


def test_a_wish_to_stop_ends_after_the_batch_in_hand(tmp_path: Path) -> None:
    log = log_at(tmp_path)
    send(log, *map(event, range(6)))
    worker = worker_at(tmp_path, log, limits=Limits(rows=2, seconds=0))
    done = worker.run(after(3))
    assert done.messages == 2
    assert sources(tmp_path) == places(0, 2)


def test_large_messages_make_small_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lakehouse.ingest.streams.log.LARGEST_FRAME", 1_000_000)
    log = log_at(tmp_path)
    for n in range(6):
        send(log, event(n, filler="x" * 1_000_000))
    worker = take_in(tmp_path, log, limits=Limits(size=2_000_000, seconds=5))
    assert sources(tmp_path) == places(0, 6)
    batches = stored(tmp_path)["_batch_id"].unique()
    assert worker.done.commits == len(batches) > 1


class Following:
    """What a worker tells of its partitions and rows."""

    def __init__(self, *at_once: str) -> None:
        self.at_once = frozenset(at_once)
        self.told: list[tuple[Any, ...]] = []

    def assigned(self, topic: str, partition: int) -> None:
        self.told.append(("assigned", topic, partition))

    def revoked(self, topic: str, partition: int) -> None:
        self.told.append(("revoked", topic, partition))

    def take(
        self, topic: str, partition: int, rows: pl.DataFrame, until: int, now: dt.datetime
    ) -> None:
        self.told.append(("take", topic, partition, rows["event_id"].to_list(), until, now))

    def alert(self, now: dt.datetime) -> None:
        self.told.append(("alert", now))

    def flush(self, now: dt.datetime) -> None:
        self.told.append(("flush", now))


def test_who_follows_gets_the_rows_that_bronze_has_taken(tmp_path: Path) -> None:
    log, following = log_at(tmp_path), Following()
    send(log, event(0), b"bad", event(1))
    send(log, event(2), event(3))
    take_in(tmp_path, log, live=following, limits=Limits(rows=3, seconds=0))
    flush = ("flush", AT)
    assert [t for t in following.told if t[0] != "flush"] == [
        ("assigned", TOPIC, 0),
        ("take", TOPIC, 0, ["e0", "e1"], 3, AT),
        ("take", TOPIC, 0, ["e2", "e3"], 5, AT),
    ]
    assert following.told.count(flush) >= 2


def test_a_late_event_makes_its_day_due_again(tmp_path: Path) -> None:
    log, settings = log_at(tmp_path), settings_at(tmp_path)
    send(log, event(0))
    lake = take_in(tmp_path, log).lake
    bronze, silver = ("bronze", TABLE), ("silver", TABLE)
    due = {bronze: (), silver: (bronze,)}
    done = BY.deriving(marks_of({bronze: lake.tokens(*bronze)}, [DAY]))
    refresh_silver(lake, settings, TABLE, (DAY, DAY), BY)
    lake.write_days(*silver, lake.scan(*silver), (DAY, DAY), commit=done)
    assert list(underived(lake, settings, due)) == []
    send(log, event(1, timestamp="2024-12-30T20:00:00Z"))
    take_in(tmp_path, log)
    assert list(underived(lake, settings, due)) == [dt.date(2024, 12, 30)]
    send(log, event(2))
    take_in(tmp_path, log)
    assert list(underived(lake, settings, due)) == [dt.date(2024, 12, 30), DAY]


def test_status_tells_lag_rate_rejects_and_the_last_commit(tmp_path: Path) -> None:
    log = log_at(tmp_path, 2)
    send(log, *map(event, range(5)), b"bad", key="A1")
    worker = take_in(tmp_path, log)
    send(log, event(9), event(10), key="A1")
    made = worker.lake.history("bronze", TABLE, 1)[0].at
    one = next(p for p, (_, end) in log.ends(TOPIC).items() if end)
    found = status(worker.lake, log, {TOPIC: TABLE}, made + dt.timedelta(seconds=3))
    row = found.row(one, named=True)
    assert row == {
        "topic": TOPIC,
        "partition": one,
        "table": TABLE,
        "in_lake": 6,
        "end": 8,
        "lag": 2,
        "events_per_second": 0.1,
        "rejected": 1,
        "last_commit": made,
    }
    other = found.row(1 - one, named=True)
    assert (other["in_lake"], other["lag"], other["last_commit"]) == (0, 0, None)
    later = status(worker.lake, log, {TOPIC: TABLE}, made + dt.timedelta(minutes=2))
    assert later["events_per_second"].to_list() == [0.0, 0.0]


def of_server(log: Any, *values: dict[str, Any]) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = [json.dumps(v).encode() for v in values]
    read = {"offset": range(len(rows)), "time": [AT] * len(rows), "key": [b"s"] * len(rows)}
    batch = Batch("server_metrics", 0, pl.DataFrame(read | {"value": rows}).cast(READ))
    return events_of(settings_at(log), "server_metrics", batch)


def test_what_a_client_of_the_game_sends_is_taken_beside_the_table_s_own(tmp_path: Path) -> None:
    """The envelope of another kind than the topic's is no event of it."""
    own = {"metric_id": "m1", "server_id": "s1", "timestamp": "2025-01-02T20:00:00Z", "latency": 9}
    sent = {
        "event_name": "server_metric",
        "event_timestamp": 1735848000000,
        "parameters": {"server_id": "s2", "cpu_load": 70.5, "memory_usage": 60, "latency": 110},
        "server_data": {"region": "eu", "server_type": "dedicated"},
    }
    rows, rejects = of_server(tmp_path, own, sent, sent | {"event_name": "transaction"}, own)
    assert rows["server_id"].to_list() == ["s1", "s2", "s1"]
    assert rows["region"].to_list() == [None, "eu", None]
    assert rows["timestamp"].to_list() == [dt.datetime(2025, 1, 2, 20, tzinfo=dt.UTC)] * 3
    assert [s[-2:] for s in rows["_source"]] == ["@0", "@1", "@3"]
    assert rows["metric_id"].null_count() == 0
    assert rejects["_line"].to_list() == [2]
    assert rejects["_rules"].to_list()[0][0] == "metric_id|missing"


def test_an_envelope_that_is_delivered_again_has_its_number_again(tmp_path: Path) -> None:
    """Player events have no number of their own: that of their text tells copies."""
    sent = {
        "event_name": "player_action",
        "event_timestamp": 1735848000000,
        "parameters": {"event_type": "move", "level_id": "level_01", "map_id": "map_05"},
        "user_data": {"user_id": "U1"},
    }
    other = sent | {"event_timestamp": 1735848000001}
    found = []
    for first, values in ((0, [sent, other]), (7, [sent])):
        rows = [json.dumps(v).encode() for v in values]
        offsets = range(first, first + len(rows))
        read = {"offset": offsets, "time": [AT] * len(rows), "key": [b"U1"] * len(rows)}
        batch = Batch("player_events", 0, pl.DataFrame(read | {"value": rows}).cast(READ))
        good, bad = events_of(settings_at(tmp_path), "player_events", batch)
        assert bad.is_empty()
        found += good["event_id"].to_list()
    one, another, again = found
    assert one == again != another
