"""A topic that is made anew is known as another one, and gone on with from its first message when
that is asked for: nothing of it is passed over, and nothing doubled."""

import datetime as dt
import itertools
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lakehouse import cli
from lakehouse.errors import BadInput, StorageError
from lakehouse.ingest.files.mapping_files import load_mapping
from lakehouse.ingest.streams.log import Log, LogConsumer
from lakehouse.ingest.streams.rejected import retry_events
from lakehouse.ingest.streams.status import status
from lakehouse.ingest.streams.topics import Batch
from lakehouse.ingest.streams.worker import Nothing
from lakehouse.pipeline.silver import refresh_silver
from lakehouse.storage import Commit, Lake
from tests.streamed import (
    AT,
    DAY,
    TABLE,
    TOPIC,
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

OTHER = "topic clickstream is another log than the one that the lake was filled from"
ANEW = "clickstream: another log than before; its messages are taken in from the first on"


def anew(folder: Path, *events: Mapping[str, object] | bytes, partitions: int = 1) -> Log:
    """The topic, removed and made again, with these messages."""
    shutil.rmtree(folder / "lake.topics" / TOPIC)
    log = log_at(folder, partitions)
    send(log, *events)
    return log


def numbers(folder: Path) -> list[str]:
    return stored(folder).sort("_source")["event_id"].to_list()


def filled(folder: Path, count: int = 3) -> None:
    send(log_at(folder), *map(event, range(count)))
    take_in(folder)


def filled_before(folder: Path) -> None:
    """By a worker who knew of no identity: an older one, or one of a broker without them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Log, "identity", lambda *_: "")
        filled(folder)


def meanwhile(happens: Callable[[], object], turns: int = 1_000) -> Callable[[], bool]:
    """Whether a worker is to stop: not for so many turns, in the midst of which something
    happens."""
    turn = itertools.count()

    def stop() -> bool:
        at = next(turn)
        if at == 6:
            happens()
        return at > turns

    return stop


@pytest.mark.parametrize("count", [0, 1, 3, 5])
def test_a_topic_that_was_made_anew_is_refused_however_long_it_is(
    tmp_path: Path, count: int
) -> None:
    filled(tmp_path)
    log = anew(tmp_path, *(event(f"n{n}") for n in range(count)))
    version = Lake(str(tmp_path / "lake")).history("bronze", TABLE, 1)[0].version
    with pytest.raises(StorageError, match=f"{OTHER}.*--new-log"):
        take_in(tmp_path, log)
    assert Lake(str(tmp_path / "lake")).history("bronze", TABLE, 1)[0].version == version


def test_it_is_gone_on_with_from_its_first_message_and_then_as_ever(tmp_path: Path) -> None:
    filled(tmp_path)
    log, said = anew(tmp_path, *(event(f"n{n}") for n in range(5))), list[str]()
    take_in(tmp_path, log, take_new=True, tell=said.append)
    assert said == [ANEW]
    assert numbers(tmp_path) == ["e0", "e1", "e2", "en0", "en1", "en2", "en3", "en4"]
    assert sources(tmp_path) == places(0, 8)
    assert set(stored(tmp_path)["_batch_id"]) == {"clickstream/0@0-2", "clickstream/0@3-7"}
    send(log, event("n5"))
    take_in(tmp_path, log, take_new=True, tell=said.append)
    send(log, event("n6"))
    take_in(tmp_path, log, tell=said.append)
    assert said == [ANEW]
    assert sources(tmp_path) == places(0, 10)
    assert numbers(tmp_path)[-2:] == ["en5", "en6"]


def test_a_third_log_is_counted_on_from_the_second_and_older_ones_are_refused(
    tmp_path: Path,
) -> None:
    filled(tmp_path)
    second = tmp_path / "second"
    take_in(tmp_path, anew(tmp_path, event("n0"), event("n1")), take_new=True)
    shutil.copytree(tmp_path / "lake.topics" / TOPIC, second)
    take_in(tmp_path, anew(tmp_path, event("m0")), take_new=True)
    assert numbers(tmp_path) == ["e0", "e1", "e2", "en0", "en1", "em0"]
    shutil.rmtree(tmp_path / "lake.topics" / TOPIC)
    second.rename(tmp_path / "lake.topics" / TOPIC)
    send(log := Log(tmp_path / "lake.topics"), event("n2"))
    for take_new in (False, True):
        with pytest.raises(StorageError, match="a log that the lake has gone on from to another"):
            take_in(tmp_path, log, take_new=take_new)
    assert len(numbers(tmp_path)) == 6


def test_other_partitions_than_before_begin_each_where_the_lake_is(tmp_path: Path) -> None:
    filled(tmp_path)
    keys = [f"A{n}" for n in range(12)]
    log = anew(tmp_path, partitions=3)
    for key in keys:
        send(log, event(key, user_id=key), key=key)
    take_in(tmp_path, log, take_new=True)
    assert sorted(numbers(tmp_path)) == sorted(["e0", "e1", "e2", *(f"e{key}" for key in keys)])
    wanted = [
        f"topic:clickstream/{p}@{n + (3 if p == 0 else 0)}"
        for p, (_, end) in log.ends(TOPIC).items()
        for n in range(end)
    ]
    assert sources(tmp_path) == sorted([*places(0, 3), *wanted])


def test_killed_between_the_note_and_the_first_rows_it_goes_on_without_being_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path)
    log = anew(tmp_path, event("n0"))
    append = Lake.append_offsets

    def dies(
        lake: Lake, layer: str, table: str, rows: pl.DataFrame, *args: Any, **more: Any
    ) -> Any:
        if len(rows):
            raise KeyboardInterrupt
        return append(lake, layer, table, rows, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "append_offsets", dies)
        with pytest.raises(KeyboardInterrupt):
            take_in(tmp_path, log, take_new=True)
    assert len(numbers(tmp_path)) == 3
    take_in(tmp_path, log)
    assert numbers(tmp_path) == ["e0", "e1", "e2", "en0"]


def test_who_follows_the_stream_is_told_the_offsets_of_the_lake(tmp_path: Path) -> None:
    told: list[tuple[int, list[str]]] = []

    class Following(Nothing):
        def take(
            self, topic: str, partition: int, rows: pl.DataFrame, until: int, now: dt.datetime
        ) -> None:
            assert (topic, partition, now) == (TOPIC, 0, AT)
            told.append((until, rows["_source"].to_list()))

    filled(tmp_path)
    take_in(tmp_path, anew(tmp_path, event("n0")), take_new=True, live=Following())
    assert told == [(4, places(3, 4))]


def test_the_status_counts_as_the_lake_does(tmp_path: Path) -> None:
    filled(tmp_path)
    log = anew(tmp_path, event("n0"), b"bad")
    take_in(tmp_path, log, take_new=True)
    send(log, event("n2"))
    (found,) = status(Lake(str(tmp_path / "lake")), log, {TOPIC: TABLE}, AT).to_dicts()
    assert (found["in_lake"], found["end"], found["lag"], found["rejected"]) == (5, 6, 1, 1)
    assert stored(tmp_path, "quarantine")["_line"].to_list() == [4]
    assert log.positions(TOPIC, "lake") == {0: 2}


def test_messages_are_read_again_by_the_place_that_the_lake_has_them_at(tmp_path: Path) -> None:
    """Silver rejects all, as nobody knows their user; those of the second log are there to read."""
    lake, settings = Lake(str(tmp_path / "lake")), settings_at(tmp_path)
    send(log_at(tmp_path), *(event(n, who=f"W{n}") for n in range(2)))
    take_in(tmp_path)
    log = anew(tmp_path, *(event(f"n{n}", who=f"Wn{n}") for n in range(3)))
    take_in(tmp_path, log, take_new=True)
    by = Commit("test", f"silver/{TABLE}", "1")
    refresh_silver(lake, settings, TABLE, (DAY, DAY), commit=by)
    path = tmp_path / "fix.toml"
    path.write_text('table = "clickstream"\n[columns.user_id]\nfrom = "who"\n', encoding="utf-8")
    done = retry_events(lake, settings, TABLE, mapping=load_mapping(path, TABLE))
    assert done.reread == 3
    users = dict(stored(tmp_path).select("event_id", "user_id").iter_rows())
    assert users == {"e0": "A1", "e1": "A1", "en0": "Wn0", "en1": "Wn1", "en2": "Wn2"}


def test_a_topic_that_is_made_anew_under_a_worker_stops_it(tmp_path: Path) -> None:
    log = log_at(tmp_path)
    send(log, event(0))
    stop = meanwhile(lambda: anew(tmp_path, event("n0"), event("n1"), event("n2")))
    with pytest.raises(StorageError, match="clickstream was removed while it was read; start"):
        worker_at(tmp_path, log).run(stop)
    assert numbers(tmp_path) == ["e0"]


def test_what_a_worker_read_of_the_new_one_is_not_taken_for_what_follows(tmp_path: Path) -> None:
    """As where a client goes on at its offset in a topic of the same name."""
    log = log_at(tmp_path)
    send(log, event(0))

    def becomes_another() -> None:
        about = tmp_path / "lake.topics" / TOPIC / "topic.json"
        about.write_text(json.dumps({"partitions": 1, "identity": "new"}), encoding="utf-8")
        send(log, event("n1"))

    with pytest.raises(StorageError, match="topic clickstream was made anew; start again"):
        worker_at(tmp_path, log).run(meanwhile(becomes_another))
    assert numbers(tmp_path) == ["e0"]


class Resetting(Log):
    """A log whose reader goes on at the first message that there is where the next one is not, as
    Kafka's client does."""

    def consumer(self, *given: Any, **more: Any) -> LogConsumer:
        consumer = super().consumer(*given, **more)
        poll = consumer.poll

        def polled(most: int, seconds: float) -> list[Batch]:
            for (topic, p), cursor in consumer._cursors.items():
                first, end = self.ends(topic)[p]
                if not first <= cursor.offset <= end:
                    consumer.seek(topic, p, first)
            return poll(most, seconds)

        consumer.poll = polled  # type: ignore[method-assign]
        return consumer


def resetting(folder: Path) -> Resetting:
    return Resetting(
        folder / "lake.topics", clock=lambda: int(AT.timestamp() * 1000), segment_bytes=1
    )


def go_on_without(log: Log) -> None:
    """Five events more, of which the log keeps the last."""
    for n in range(1, 6):
        send(log, event(n))
    log.expire(TOPIC, keep_bytes=1)


def test_a_worker_whose_next_message_is_no_longer_kept_does_not_pass_over_it(
    tmp_path: Path,
) -> None:
    log_at(tmp_path, segment_bytes=1)
    log = resetting(tmp_path)
    send(log, event(0))
    with pytest.raises(StorageError, match="kept from 5 on: 4 events are lost"):
        worker_at(tmp_path, log).run(meanwhile(lambda: go_on_without(log)))
    assert numbers(tmp_path) == ["e0"]
    said: list[str] = []
    take_in(tmp_path, log, accept_loss=True, tell=said.append)
    assert said == ["clickstream/0: 4 events are lost, offsets 1 to 4"]


def test_a_loss_that_is_accepted_is_told_and_gone_on_from(tmp_path: Path) -> None:
    log_at(tmp_path, segment_bytes=1)
    log, said = resetting(tmp_path), list[str]()
    send(log, event(0))
    stop = meanwhile(lambda: go_on_without(log), turns=30)
    worker_at(tmp_path, log, accept_loss=True, tell=said.append).run(stop)
    assert said == ["clickstream/0: 4 events are lost, offsets 1 to 4"]
    assert numbers(tmp_path) == ["e0", "e5"]
    take_in(tmp_path, log)
    assert numbers(tmp_path) == ["e0", "e5"]


def test_messages_that_go_back_stop_a_worker(tmp_path: Path) -> None:
    """As where a topic is made anew and its client begins it at the first message."""
    log_at(tmp_path)
    log = resetting(tmp_path)
    send(log, *map(event, range(3)))

    def begins_anew() -> None:
        for segment in log.partition(TOPIC, 0).segments():
            segment.unlink()
        send(Log(log.folder), event("n0"))

    with pytest.raises(StorageError, match="goes back from offset 3 to 0: it was made anew"):
        worker_at(tmp_path, log).run(meanwhile(begins_anew))
    assert numbers(tmp_path) == ["e0", "e1", "e2"]


def test_a_topic_from_before_topics_were_known_is_gone_on_with(tmp_path: Path) -> None:
    filled(tmp_path)
    about = tmp_path / "lake.topics" / TOPIC / "topic.json"
    about.write_text(json.dumps({"partitions": 1}), encoding="utf-8")
    one, other = (Log(tmp_path / "lake.topics") for _ in range(2))
    assert one.identity(TOPIC) == other.identity(TOPIC) != ""
    assert one.topics() == {TOPIC: 1}
    with pytest.raises(BadInput, match="no topic 'none'"):
        one.identity("none")


def test_a_lake_from_before_topics_were_known_takes_the_one_that_it_finds(
    tmp_path: Path,
) -> None:
    filled_before(tmp_path)
    send(log := log_at(tmp_path), event(3))
    take_in(tmp_path, log)
    assert sources(tmp_path) == places(0, 4)
    with pytest.raises(StorageError, match=OTHER):
        take_in(tmp_path, anew(tmp_path, *map(event, range(5))))


def test_a_topic_that_tells_no_identity_is_refused_where_it_ends_before_the_lake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Log, "identity", lambda *_: "")
    filled(tmp_path)
    log = anew(tmp_path, event("n0"))
    with pytest.raises(StorageError, match="reached offset 3 of clickstream/0, which ends at 1"):
        take_in(tmp_path, log)


def test_such_a_lake_refuses_one_that_ends_before_it(tmp_path: Path) -> None:
    filled_before(tmp_path)
    log = anew(tmp_path, event("n0"))
    with pytest.raises(StorageError, match=OTHER):
        take_in(tmp_path, log)
    take_in(tmp_path, log, take_new=True)
    assert numbers(tmp_path) == ["e0", "e1", "e2", "en0"]


def test_the_command_says_what_to_do_and_does_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    filled(tmp_path)
    anew(tmp_path, *(event(f"n{n}") for n in range(4)))
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_SOURCES", '{"clickstream": "stream"}')
    monkeypatch.setenv("LAKEHOUSE_DOMAINS", '["online"]')
    command = ["stream", "run", "--until-empty", "--no-live", "--topics", TOPIC]
    assert cli.run(command) == 1
    assert "take in all of this one with --new-log" in " ".join(capsys.readouterr().err.split())
    assert cli.run([*command, "--new-log"]) == 0
    assert sources(tmp_path) == places(0, 7)


def test_workers_that_take_a_new_log_together_agree_where_it_begins(tmp_path: Path) -> None:
    filled(tmp_path)
    log = anew(tmp_path, *(event(f"n{n}") for n in range(4)))
    first, second = (worker_at(tmp_path, log, take_new=True) for _ in range(2))
    first.run(never, until_empty=True)
    second.run(never, until_empty=True)
    assert sources(tmp_path) == places(0, 7)
