"""Each signal of the monitor, provoked: what is wrong is a level, and well again is INFO."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from monitored import NOON, Idle, Watched
from object_store import served
from small_lake import COMMIT, rows
from streamed import event, log_at, send, take_in

from igaming_assets.watching import failed_runs
from lakehouse.contracts import contract
from lakehouse.contracts.operations.signals import LEVELS
from lakehouse.errors import BadInput, LakehouseError
from lakehouse.ingest.streams.topics import Transport
from lakehouse.serve.monitor.host import Machine
from lakehouse.serve.monitor.registry import Measure, Signal, signals
from lakehouse.serve.monitor.signals.room import size_of
from lakehouse.serve.monitor.thresholds import Threshold
from lakehouse.settings import load_settings

INFO, WARNING, CRITICAL = LEVELS
DAY = dt.date(2025, 1, 7)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def store(watched: Watched, table: str, days: list[dt.date], **given: list[Any]) -> None:
    frame = rows("gold", table, {"gaming_day": days, **given})
    watched.lake.write_days("gold", table, frame, (min(days), max(days)), commit=COMMIT)


PROVOKED = {
    "freshness", "failed_checks", "failed_runs", "topic_lag", "topic_throughput", "live_alerts",
    "daily_alerts", "storage", "storage_growth", "query_time", "cpu", "memory", "disk",
}  # fmt: skip


def test_every_signal_is_provoked_here_and_says_what_to_do() -> None:
    assert signals().keys() == PROVOKED
    assert all(s.do and s.unit and s.read.__doc__ for s in signals().values())


def test_thresholds_of_the_seed_are_the_defaults() -> None:
    """Topic lag > 1000, storage > 80%, query > 30 s, memory > 90%, CPU > 80%."""
    warned = {n: s.threshold.warning for n, s in signals().items()}
    told = (warned["topic_lag"], warned["storage"], warned["query_time"], warned["memory"])
    assert (*told, warned["cpu"]) == (1_000, 80, 30, 90, 80)


def test_a_level_begins_beyond_its_threshold() -> None:
    def at(value: float | None, *, below: bool = False, counts: bool = True) -> str:
        one = Signal("x", "u", "do", Threshold(), below, lambda _: [])
        bounds = Threshold(warning=10, critical=5 if below else 20)
        return one.level(Measure("s", value, "", counts), bounds)

    assert [at(v) for v in (10, 10.1, 20, 20.1)] == [INFO, WARNING, WARNING, CRITICAL]
    assert [at(v, below=True) for v in (10, 9.9, 5, 4.9)] == [INFO, WARNING, WARNING, CRITICAL]
    assert at(None) == at(99, counts=False) == INFO


def test_thresholds_are_settings(watched: Watched) -> None:
    watched.host = Idle(busy=75)
    assert watched.read("cpu")["machine"].level == INFO
    watched.more = {"monitor": {"thresholds": {"cpu": {"warning": 70}}}}
    assert watched.read("cpu")["machine"].level == WARNING
    watched.host = Idle(busy=96)  # the critical one stays as it was
    assert watched.read("cpu")["machine"].level == CRITICAL
    watched.more = {"monitor": {"thresholds": {"cpu": {"warning": None, "critical": None}}}}
    assert watched.read("cpu")["machine"].level == INFO
    with pytest.raises(BadInput, match="no signal 'heat'; signals: cpu, "):
        load_settings(monitor={"thresholds": {"heat": {"warning": 1}}})


def test_a_day_that_does_not_come(watched: Watched) -> None:
    """7 January closed at 06:00 on the 8th, six hours before noon; by ten on the 9th, 28 hours
    later, the next is due."""
    store(watched, "property_day", [DAY])
    store(watched, "kpi", [DAY - dt.timedelta(days=3)])
    assert watched.read("freshness")["floor"].value == 6.0
    shop = watched.read("freshness")["shop"]
    assert (shop.value, shop.level) == (78.0, CRITICAL)
    watched.at = NOON + dt.timedelta(hours=22)
    assert watched.read("freshness")["floor"].level == INFO
    watched.at += dt.timedelta(minutes=10)
    assert watched.read("freshness")["floor"].level == WARNING


def checked(status: str, day: dt.date = DAY, *, stale: bool = False) -> dict[str, Any]:
    return {
        "gaming_day": day, "layer": "gold", "table_name": "kpi", "check_name": f"is_{status}",
        "status": status, "is_stale": stale, "judged_of": "a",
    }  # fmt: skip


def test_a_check_that_fails(watched: Watched) -> None:
    def judge(*results: dict[str, Any]) -> None:
        given = {n: [r[n] for r in results] for n in results[0]}
        frame = rows("gold", "check_results", given)
        days = (DAY - dt.timedelta(days=9), DAY)
        watched.lake.write_days("gold", "check_results", frame, days, commit=COMMIT)

    judge(checked("passed"), checked("warned"))
    assert watched.read("failed_checks")["newest days"].level == INFO
    old = checked("failed", DAY - dt.timedelta(days=8))
    judge(checked("warned"), old, checked("failed", stale=True))
    assert watched.read("failed_checks")["newest days"].level == INFO
    judge(checked("failed"), checked("could_not_run"), checked("warned"))
    found = watched.read("failed_checks")["newest days"]
    assert (found.level, found.value) == (CRITICAL, 2.0)
    assert "is_failed of gold.kpi on 2025-01-07" in found.said
    assert found.said.endswith("; 1 warned")
    # Results on restricted tables have no mark of what was judged.
    closed = {"table_name": "sar_filings", "judged_of": None}
    judge(checked("failed"), checked("failed") | closed, checked("warned") | closed)
    found = watched.read("failed_checks")["newest days"]
    assert (found.value, "sar" in found.said) == (1.0, False)
    assert found.said.endswith("; 0 warned")


@pytest.mark.slow
def test_a_run_that_fails_until_its_day_succeeds(watched: Watched) -> None:
    @dg.op(config_schema={"ends_well": bool})
    def work(context: dg.OpExecutionContext) -> None:
        if not context.op_config["ends_well"]:
            raise LakehouseError("the cage is locked")

    @dg.job
    def count() -> None:
        work()

    def run(*, ends_well: bool, day: str) -> None:
        config = {"ops": {"work": {"config": {"ends_well": ends_well}}}}
        tags = {"dagster/partition": day}
        count.execute_in_process(config, instance=instance, raise_on_error=False, tags=tags)

    with dg.DagsterInstance.ephemeral() as instance:

        def found() -> Any:
            asked = lambda since: failed_runs(instance, since)  # noqa: E731
            return watched.read("failed_runs", failed_runs=asked)["pipeline"]

        watched.at = dt.datetime.now(dt.UTC)
        assert found().level == INFO
        run(ends_well=False, day="2025-01-07")
        run(ends_well=True, day="2025-01-06")
        assert (found().level, found().value) == (WARNING, 1.0)
        assert "count of 2025-01-07: the cage is locked" in found().said
        for _ in range(3):
            run(ends_well=False, day="2025-01-05")
        assert found().level == CRITICAL
        run(ends_well=True, day="2025-01-07")
        run(ends_well=True, day="2025-01-05")
        assert found().level == INFO
        watched.at += dt.timedelta(days=2)
        run(ends_well=False, day="2025-01-04")
        assert found().level == INFO  # it ended more than a day ago, by that clock


STREAMED = {"domains": ("online",), "sources": {"clickstream": "stream"}}


@pytest.mark.slow
def test_a_stream_that_stops_and_a_lag_that_fills(tmp_path: Path) -> None:
    watched = Watched(tmp_path, STREAMED)
    log = log_at(tmp_path)
    send(log, *(event(n) for n in range(3)))
    take_in(tmp_path, log)
    watched.at = dt.datetime.now(dt.UTC)
    assert watched.read("topic_lag")["clickstream"].level == INFO
    going = watched.read("topic_throughput")["clickstream"]
    # 3 events in the last minute, and none waits: however slow it is, nothing is wrong.
    assert (going.value, going.level) == (0.1, INFO)

    send(log, *(event(n) for n in range(3, 1_004)))
    lag = watched.read("topic_lag")["clickstream"]
    assert (lag.value, lag.level) == (1_001.0, WARNING)
    watched.at += dt.timedelta(minutes=2)
    stopped = watched.read("topic_throughput")["clickstream"]
    assert (stopped.value, stopped.level) == (0.0, CRITICAL)
    assert "1,001 events wait" in stopped.said
    take_in(tmp_path, log)
    assert watched.read("topic_lag")["clickstream"].level == INFO
    assert watched.read("topic_throughput")["clickstream"].level == INFO


def test_a_log_of_events_that_is_away(tmp_path: Path) -> None:
    watched = Watched(tmp_path, STREAMED)

    def away() -> Transport:
        raise LakehouseError("no broker answers")

    for signal in ("topic_lag", "topic_throughput"):
        (found,) = watched.read(signal, transport=away).values()
        assert (found.level, found.value) == (CRITICAL, None)
        assert found.said == "cannot be read: no broker answers"


def test_a_wave_of_alerts_as_events_come(watched: Watched) -> None:
    def raised(n: int, **more: Any) -> dict[str, Any]:
        return {
            "alert_id": f"A{n}", "version": 1, "family": "fraud", "rule": "tuned",
            "level": "HIGH", "score": 0.7, "account": "t", "said": "s", "context": "{}",
            "evidence": [], "event_time": NOON, "detected_at": NOON - dt.timedelta(minutes=n % 59),
            "topic": "sales_stream", "partition": 0, "offset": n, "is_withdrawn": False,
            "gaming_day": DAY, "_source": f"topic:sales_stream/0@{n}",
        } | more  # fmt: skip

    def add(*alerts: dict[str, Any]) -> None:
        frame = pl.DataFrame(alerts, schema=contract("live_alerts").bronze_schema())
        watched.lake.append("gold", "live_alerts", frame, commit=COMMIT)

    assert watched.read("live_alerts") == {}
    add(*(raised(n) for n in range(60)), raised(900, rule="streamify"))
    add(raised(901, detected_at=NOON - dt.timedelta(hours=2)))
    found = watched.read("live_alerts")
    assert (found["fraud"].value, found["fraud"].level) == (60.0, INFO)
    assert found["protection"].value == 0.0
    add(raised(61))
    assert watched.read("live_alerts")["fraud"].level == WARNING
    add(raised(61, version=2, is_withdrawn=True))
    assert watched.read("live_alerts")["fraud"].level == INFO


def test_a_day_with_many_more_alerts_than_usual(watched: Watched) -> None:
    days = [DAY - dt.timedelta(days=n) for n in range(9)]
    store(watched, "property_day", days)
    # Usually two a day, on the newest seven: 3.5 times as many.
    of = [d for d in days for _ in range(7 if d == DAY else 2)]
    ids = [f"A{n}" for n in range(len(of))]
    store(watched, "anomalies", of, alert_id=ids, family=["slots"] * len(of))
    found = watched.read("daily_alerts")["slots"]
    assert (found.value, found.level) == (3.5, WARNING)
    assert found.said == "7 alerts on 2025-01-07, usually 2"
    watched.lake.write_days(
        "gold", "property_day", rows("gold", "property_day", {}).clear(), (days[-1], days[2]),
        commit=COMMIT,
    )  # fmt: skip
    assert watched.read("daily_alerts") == {}  # of two days nobody knows what is usual


def test_a_lake_that_takes_more_than_it_may(watched: Watched) -> None:
    store(watched, "property_day", [DAY])
    size = size_of(watched.lake)
    assert size == sum(
        f.stat().st_size for f in (watched.folder / "lake").rglob("*") if f.is_file()
    )
    assert watched.read("storage")["lake"].level == INFO
    watched.host = Idle(room=(100, int(size / 4.1)))  # of 5.1 parts it has 4.1
    assert watched.read("storage")["lake"].level == WARNING
    watched.host = Idle()
    watched.more = {"monitor": {"storage_gigabytes": size / 0.96 / 1e9}}
    found = watched.read("storage")["lake"]
    assert (found.level, round(found.value or 0, 3)) == (CRITICAL, 96.0)


def test_a_lake_that_will_soon_be_full(watched: Watched) -> None:
    store(watched, "property_day", [DAY])
    size = size_of(watched.lake)
    watched.more = {"monitor": {"storage_gigabytes": size / 0.5 / 1e9}}

    def growing(before: float, hours: float) -> Any:
        noted = [(NOON - dt.timedelta(hours=hours), before)]
        return watched.read("storage_growth", shares=noted)["lake"]

    # It is half full now. From 48% a day ago, 2% a day: 25 days.
    assert (growing(48, 24).value, growing(48, 24).level) == (25.0, WARNING)
    assert growing(40, 24).level == CRITICAL  # 5 days
    assert growing(49, 24).level == INFO  # 50 days
    assert growing(60, 24).said == "the lake does not grow"
    assert growing(48, 0.5).value is None
    assert growing(10, 24 * 8).value is None  # of more than a week ago


def test_a_store_of_objects_has_no_volume(tmp_path: Path) -> None:
    with served(tmp_path) as objects:
        there = {"root": f"{objects.bucket('watched')}/lake", "storage_options": objects.options}
        watched = Watched(tmp_path, there)
        store(watched, "property_day", [DAY])
        size = watched.lake.partitions("gold", "property_day")["bytes"].sum()
        assert size_of(watched.lake) == size > 0
        assert watched.read("disk") == {}
        assert watched.read("storage")["lake"].value is None
        watched.more |= {"monitor": {"storage_gigabytes": size / 0.9 / 1e9}}
        assert watched.read("storage")["lake"].level == WARNING


def test_a_machine_that_is_busy(watched: Watched) -> None:
    assert {watched.read(s)["machine"].level for s in ("cpu", "memory")} == {INFO}
    watched.host = Idle(busy=81, used=91)
    assert {watched.read(s)["machine"].level for s in ("cpu", "memory")} == {WARNING}
    watched.host = Idle(busy=96, used=98)
    assert {watched.read(s)["machine"].level for s in ("cpu", "memory")} == {CRITICAL}


def test_the_real_machine_is_read(tmp_path: Path) -> None:
    """By thresholds that any machine is beyond."""
    machine = Machine()
    size, free = machine.disk(str(tmp_path / "not" / "yet" / "there"))
    assert size > free > 0
    assert 0 < machine.memory() < 100
    sum(n * n for n in range(300_000))
    assert 0 <= machine.cpu() <= 100
    low = {n: {"warning": -1, "critical": None} for n in ("cpu", "memory", "disk")}
    watched = Watched(tmp_path, {"monitor": {"thresholds": low}}, machine)
    assert {watched.read(n).popitem()[1].level for n in low} == {WARNING}


def test_a_disk_that_is_full(watched: Watched) -> None:
    assert watched.read("disk")["volume"].level == INFO
    watched.host = Idle(room=(1_000, 190))
    assert (watched.read("disk")["volume"].value, watched.read("disk")["volume"].level) == (
        81.0,
        WARNING,
    )
    watched.host = Idle(room=(1_000, 10))
    assert watched.read("disk")["volume"].level == CRITICAL


def test_a_question_that_takes_long(watched: Watched) -> None:
    """Two looks at the clock, of which the second is a tick later."""
    store(watched, "property_day", [DAY])
    assert watched.read("query_time")["day-report"].value == 1.0

    def slow(seconds: float) -> str:
        times = iter((100.0, 100.0 + seconds))
        return watched.read("query_time", clock=lambda: next(times))["day-report"].level

    assert [slow(30), slow(30.1), slow(60.1)] == [INFO, WARNING, CRITICAL]


def test_a_reading_goes_into_json(watched: Watched) -> None:
    assert json.loads(json.dumps(vars(watched.read("cpu")["machine"])))["unit"] == "percent"
