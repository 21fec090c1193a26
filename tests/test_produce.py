"""Events into topics: in order, each once whatever is killed, at the pace that was asked for."""

import datetime as dt
import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl
import pytest

from lakehouse.contracts import contract
from lakehouse.errors import BadInput, StorageError
from lakehouse.ingest.streams.log import Log
from lakehouse.ingest.streams.messages import messages_of
from lakehouse.ingest.streams.pace import AsFast, Pace, Rate, Speed
from lakehouse.ingest.streams.produce import Producer, Told, begun
from lakehouse.ingest.streams.produced import Place, Seen, read
from lakehouse.ingest.streams.topics import placed

FIRST = dt.date(2025, 1, 1)
OPENS = dt.datetime(2025, 1, 1, 14, tzinfo=dt.UTC)
TABLES = {"clickstream": "clickstream", "server_metrics": "server_metrics"}
PARTITIONS = 3
WORLD = {"seed": 42}


def clicks(day: int) -> tuple[pl.Series, pl.DataFrame]:
    """Forty events a day, a minute apart, of five users; every fourth is told twice."""
    which = [k for k in range(40) for _ in range(2 if k % 4 == 0 else 1)]
    at = pl.Series([OPENS + dt.timedelta(days=day, minutes=k) for k in which])
    given = {"timestamp": at, "user_id": [f"A{k % 5}" for k in which]}
    named = {**given, "event_id": [f"{day}-{k}" for k in which]}
    return at, in_shape("clickstream", named)


def metrics(day: int) -> tuple[pl.Series, pl.DataFrame]:
    """Twenty measurements, each half a minute after a user's event."""
    at = pl.Series([OPENS + dt.timedelta(days=day, minutes=2 * k, seconds=30) for k in range(20)])
    return at, in_shape("server_metrics", {"timestamp": at, "server_id": ["s1", "s2"] * 10})


def in_shape(table: str, given: Mapping[str, object]) -> pl.DataFrame:
    schema = contract(table).bronze_schema()
    return pl.DataFrame(given).select(
        (pl.col(n) if n in given else pl.lit(None)).cast(t).alias(n) for n, t in schema.items()
    )


class Days:
    def day(self, day: dt.date) -> dict[str, tuple[pl.Series, pl.DataFrame]]:
        k = (day - FIRST).days
        return {"clickstream": clicks(k), "server_metrics": metrics(k)}


class Clock:
    """Stands still but while it is slept, and a little with each look."""

    def __init__(self, a_look: float = 0.0) -> None:
        self.now = 0.0
        self._a_look = a_look

    def __call__(self) -> float:
        self.now += self._a_look
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Killed(Exception):  # noqa: N818
    pass


class Mortal(Log):
    """Dies within a call: after so many partitions were written, of all calls together."""

    left = 10**9

    def send(self, topic: str, messages: pl.DataFrame) -> dict[int, int]:
        after: dict[int, int] = {}
        for (_,), part in placed(messages, PARTITIONS).group_by("partition", maintain_order=True):
            if self.left == 0:
                raise Killed
            self.left -= 1
            after |= super().send(topic, part.drop("partition"))
        return after


def produced(
    folder: Path,
    *,
    log: Log | None = None,
    pace: Pace | None = None,
    clock: Clock | None = None,
    tables: Mapping[str, str] = TABLES,
    last: int = 1,
    most: int | None = None,
    since: dt.date | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> Told:
    log = log or Log(folder, fsync=False)
    clock = clock or Clock()
    for topic in tables:
        log.create(topic, PARTITIONS)
    note = read(folder / "produced.json", WORLD)
    begun(note, log, tables, since, FIRST)
    producer = Producer(
        log, tables, Days(), note, pace or AsFast(), clock, clock.sleep, is_stopped=is_stopped
    )
    return producer.run(FIRST + dt.timedelta(days=last), most)


def told(folder: Path, topic: str) -> list[list[dict[str, object]]]:
    log = Log(folder)
    return [
        [json.loads(v) for v in log.read(topic, p, 0, 10**6)["value"]] for p in range(PARTITIONS)
    ]


def test_a_message_is_what_the_source_tells() -> None:
    at = dt.datetime(2025, 6, 3, 9, 47, 49, 500_000, tzinfo=dt.UTC)
    row = in_shape(
        "clickstream",
        {
            "timestamp": pl.Series([at]),
            "user_id": [" A7 "],
            "event_type": ["bet_placed"],
            "game_name": ['a "b"\n\\'],
            "bet_amount": ["12345678901234.50"],
            "is_bonus": [False],
            "gaming_day": [FIRST],
            "_source": ["simulator"],
        },
    )
    (message,) = messages_of("clickstream", row).rows()
    assert message[0] == b"A7"
    assert b"\n" not in message[1]
    found = json.loads(message[1])
    assert dt.datetime.fromisoformat(found.pop("timestamp")) == at
    assert {n: v for n, v in found.items() if v is not None} == {
        "user_id": " A7 ",
        "event_type": "bet_placed",
        "game_name": 'a "b"\n\\',
        "bet_amount": "12345678901234.50",
        "is_bonus": False,
    }
    assert {"win_amount", "event_id", "session_id"} < found.keys()
    assert not {n for n in found if n.startswith("_")} | ({"gaming_day"} & found.keys())


def test_events_of_all_topics_come_in_order_of_time(tmp_path: Path) -> None:
    """The first hundred events of the two topics: those of the first 40 minutes of the first day
    (50 and 20), and 30 of the second, of which every sixth or so is a measurement."""
    produced(tmp_path, most=100)
    begins = OPENS + dt.timedelta(days=1)
    ends = {}
    for topic in TABLES:
        events = itertools.chain.from_iterable(told(tmp_path, topic))
        ends[topic] = max(dt.datetime.fromisoformat(str(e["timestamp"])) for e in events)
    assert abs(ends["clickstream"] - ends["server_metrics"]) <= dt.timedelta(minutes=2)
    assert min(ends.values()) > begins
    assert sum(len(p) for topic in TABLES for p in told(tmp_path, topic)) == 100
    for part in told(tmp_path, "clickstream"):
        assert [e["event_id"] for e in part] == sorted(
            (str(e["event_id"]) for e in part), key=lambda n: [int(x) for x in n.split("-")]
        )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    assert produced(folder).events == 140
    return folder


@pytest.mark.parametrize("dies", range(0, 60, 4))
def test_what_was_killed_goes_on_with_nothing_twice_and_nothing_lost(
    tmp_path: Path, whole: Path, dies: int
) -> None:
    """Dies within a call, with partitions written that no note tells of, twice; meanwhile others
    send events of their own. Some events are told twice by their source, and stay so."""
    for again in (dies, 3):
        log = Mortal(tmp_path, fsync=False)
        log.left = again
        with pytest.raises(Killed):
            produced(tmp_path, log=log, pace=Rate(10, Clock(0.1)), clock=Clock(0.1))
        for user in (b"A0", b"A1", b"A2"):
            others = pl.DataFrame({"key": [user], "value": [b'{"event_id": "others"}']})
            Log(tmp_path).send("clickstream", others)
    produced(tmp_path, pace=Rate(100, Clock(0.1)))
    for topic in TABLES:
        for mine, full in zip(told(tmp_path, topic), told(whole, topic), strict=True):
            assert [e for e in mine if e.get("event_id") != "others"] == full


def test_what_was_seen_is_not_seen_again_when_its_source_tells_it_twice(tmp_path: Path) -> None:
    log = Log(tmp_path, fsync=False)
    log.create("clickstream", 1)
    event = placed(pl.DataFrame({"key": [b"A1"], "value": [b"{}"]}), 1)
    log.send("clickstream", event.drop("partition"))
    place = Place(FIRST, FIRST, ends={0: 0})
    assert Seen(log, "clickstream", place).left(event).is_empty()
    assert place.ends == {0: 1}
    assert Seen(log, "clickstream", place).left(event).equals(event)


def test_topics_go_on_each_from_its_own_place(tmp_path: Path, whole: Path) -> None:
    alone = {"server_metrics": "server_metrics"}
    produced(tmp_path, tables=alone, most=25)
    produced(tmp_path, most=30)
    produced(tmp_path)
    produced(tmp_path)
    for topic in TABLES:
        assert told(tmp_path, topic) == told(whole, topic)


def test_a_later_first_day_is_gone_to_and_an_earlier_one_is_not(tmp_path: Path) -> None:
    produced(tmp_path, most=3)
    produced(tmp_path, since=FIRST + dt.timedelta(days=1))
    produced(tmp_path, since=FIRST)
    events = [str(e["event_id"]) for p in told(tmp_path, "clickstream") for e in p]
    assert {n[0] for n in events} == {"0", "1"}
    assert len([n for n in events if n[0] == "1"]) == 50
    assert len(events) <= 53


def test_a_stop_ends_it_with_what_was_sent_noted(tmp_path: Path, whole: Path) -> None:
    asked = itertools.count()
    done = produced(tmp_path, pace=Rate(10, Clock(0.1)), is_stopped=lambda: next(asked) > 20)
    assert 0 < done.events < 140
    told_of = json.loads((tmp_path / "produced.json").read_text())["topics"]
    assert sum(place["total"] for place in told_of.values()) == done.events
    produced(tmp_path)
    assert [told(tmp_path, t) for t in TABLES] == [told(whole, t) for t in TABLES]


def test_events_of_another_world_or_topic_are_refused(tmp_path: Path) -> None:
    produced(tmp_path, most=60)
    with pytest.raises(BadInput, match="a world of seed 42, not 7"):
        read(tmp_path / "produced.json", {"seed": 7})
    for path in (tmp_path / "clickstream").rglob("*.log"):
        path.unlink()
    with pytest.raises(BadInput, match="it is not the same topic"):
        produced(tmp_path)


@pytest.mark.parametrize(("rate", "a_look"), [(7.0, 0.0), (7.0, 0.03), (200.0, 0.001)])
def test_a_rate_is_held_within_two_percent(tmp_path: Path, rate: float, a_look: float) -> None:
    clock = Clock(a_look)
    done = produced(tmp_path, pace=Rate(rate, clock), clock=clock)
    assert done.events == 140
    assert done.rate == pytest.approx(rate, rel=0.02, abs=0.05 * rate / done.seconds * 20)


def test_a_rate_makes_up_for_what_was_late(tmp_path: Path) -> None:
    clock = Clock()
    rate = Rate(10, clock)
    waiting = clicks(0)[0].to_physical().to_numpy()
    assert rate.due(0, waiting) == 0
    clock.sleep(1)
    assert rate.due(0, waiting) == 10
    clock.sleep(3)
    assert rate.due(10, waiting) == 30


def test_a_speed_follows_the_events_own_clock(tmp_path: Path) -> None:
    """At sixty times, a minute lasts a second: the 40 minutes of a day's events 39.5 seconds, and
    the 23 hours and 21 minutes of silence that follow as many minutes."""
    clock = Clock()
    done = produced(tmp_path, pace=Speed(60, clock), clock=clock, last=0)
    assert done.events == 70
    assert done.seconds == pytest.approx(39, abs=0.6)
    assert done.at == OPENS + dt.timedelta(minutes=39)


def test_a_log_that_fails_leaves_what_it_has_to_the_next(tmp_path: Path, whole: Path) -> None:
    class Full(Log):
        def send(self, topic: str, messages: pl.DataFrame) -> dict[int, int]:
            super().send(topic, messages.head(len(messages) // 2))
            raise StorageError("no room")

    with pytest.raises(StorageError, match="no room"):
        produced(tmp_path, log=Full(tmp_path, fsync=False))
    produced(tmp_path)
    assert [told(tmp_path, t) for t in TABLES] == [told(whole, t) for t in TABLES]
