"""Events from the log into Delta, each once: `python -m benchmarks.stream [EVENTS]`, a million by
default, of the clickstream's 350 bytes.

By one worker and by two, each a process; beside it the straightforward way, one message at a time
in Python, over a part of the same events in the same run. Then how long a worker that is started
after a kill -9 takes to its first commit. CPU seconds beside wall time: on a machine that others
use, wall time tells little.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

WORKER, PLAIN, TOPIC = "--worker", "--plain", "clickstream"
PARTITIONS = 4
AT_ONCE = 10_000
"""Messages of a call of the producer."""
ONE_BY_ONE = 40_000


def settings_at(folder: Path) -> Any:
    from lakehouse.settings import load_settings

    given = {"root": str(folder / "lake"), "topics": folder.parent / "topics"}
    return load_settings(**given, sources={TOPIC: "stream"})


def fill(folder: Path, events: int) -> None:
    """A simulated day of play, again and again under new event numbers."""
    from lakehouse.ingest.streams.log import Log
    from lakehouse.ingest.streams.messages import messages_of
    from lakehouse.simulate.kernel.config import NO_FAULTS, WorldConfig
    from lakehouse.simulate.world import World

    world = World(WorldConfig(start=dt.date(2025, 1, 1), faults=NO_FAULTS, scale=10.0))
    day = world.frame(TOPIC, dt.date(2025, 1, 1))
    log = Log(folder / "topics", fsync=False)
    log.create(TOPIC, PARTITIONS)
    sent = 0
    while sent < events:
        named = day.with_columns(event_id=pl.format(f"{sent:x}-{{}}", "event_id"))
        for part in messages_of(TOPIC, named).head(events - sent).iter_slices(AT_ONCE):
            log.send(TOPIC, part)
            sent += part.height


def work(folder: Path) -> None:
    """A worker, until all is read: what it did, on standard output."""
    from lakehouse.ingest.streams.transport import transport
    from lakehouse.ingest.streams.worker import Worker
    from lakehouse.storage import Lake

    settings = settings_at(folder)
    now = lambda: dt.datetime.now(dt.UTC)  # noqa: E731
    lake, place = Lake.open(settings), transport(settings)
    worker = Worker(lake, settings, place, {TOPIC: TOPIC}, now, name=f"bench-{os.getpid()}")
    (folder / f"ready-{os.getpid()}").touch()
    while not (folder / "go").exists():
        time.sleep(0.01)
    begun, cpu = time.time(), time.process_time()
    done = worker.run(lambda: False, until_empty=True)
    _tell(done.messages, begun, time.process_time() - cpu, done.commits)


def one_by_one(folder: Path) -> None:
    """The straightforward way: a message at a time to a dict of Python's, a commit of 10,000."""
    from deltalake import write_deltalake

    from lakehouse.ingest.streams.log import Log

    values = Log(folder / "topics").read(TOPIC, 0, 0, ONE_BY_ONE)
    begun, cpu = time.time(), time.process_time()
    rows: list[dict[str, Any]] = []
    for value in values["value"]:
        event = json.loads(value)
        for name in ("bet_amount", "win_amount"):
            event[name] = Decimal(event[name])
        event["timestamp"] = dt.datetime.fromisoformat(event["timestamp"])
        event["gaming_day"] = (event["timestamp"] - dt.timedelta(hours=14)).date()
        rows.append(event)
        if len(rows) == AT_ONCE:
            write_deltalake(folder / "plain", _typed(rows), mode="append")
            rows = []
    _tell(values.height, begun, time.process_time() - cpu, values.height // AT_ONCE)


def _typed(rows: list[dict[str, Any]]) -> pl.DataFrame:
    money = {"bet_amount": pl.Decimal(18, 2), "win_amount": pl.Decimal(18, 2)}
    texts = {"session_id": pl.String(), "round_id": pl.String()}
    return pl.DataFrame(rows, schema_overrides={**money, **texts})


def _tell(events: int, begun: float, cpu: float, commits: int) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"events": events, "begun": begun, "ended": time.time(), "cpu": cpu, "peak": peak}
    print(json.dumps(told | {"commits": commits}))


def by_workers(folder: Path, name: str, workers: int) -> list[dict[str, float]]:
    place = folder / name
    place.mkdir()
    processes = [_start(WORKER, str(place)) for _ in range(workers)]
    while len(list(place.glob("ready-*"))) < workers:
        time.sleep(0.05)
    (place / "go").touch()
    return [json.loads(p.communicate()[0]) for p in processes]


def to_first_commit(folder: Path) -> float:
    """Seconds from the start of `lakehouse stream run` to its first commit, after a kill -9."""
    from lakehouse.storage import Lake

    place = folder / "again"
    place.mkdir()
    env = os.environ | {
        "LAKEHOUSE_ROOT": str(place / "lake"),
        "LAKEHOUSE_TOPICS": str(folder / "topics"),
        "LAKEHOUSE_SOURCES": json.dumps({TOPIC: "stream"}),
        "DAGSTER_HOME": str(place / "home"),
    }
    command = [sys.executable, "-m", "lakehouse", "stream", "run", "--rows", "2000"]
    lake = Lake(str(place / "lake"))

    def started() -> float:
        before, begun = lake.version("bronze", TOPIC) or 0, time.monotonic()
        process = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
        while (lake.version("bronze", TOPIC) or 0) <= before:
            time.sleep(0.01)
        seconds = time.monotonic() - begun
        process.kill()
        process.wait()
        return seconds

    started()
    return min(started() for _ in range(3))


def _start(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.stream", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _line(what: str, runs: list[dict[str, float]]) -> float:
    """Prints a row; events a second."""
    events, cpu = (sum(r[n] for r in runs) for n in ("events", "cpu"))
    wall = max(r["ended"] for r in runs) - min(r["begun"] for r in runs)
    peak, commits = max(r["peak"] for r in runs), sum(r["commits"] for r in runs)
    print(
        f"| {what} | {events:,.0f} | {wall:.1f} | {cpu:.1f} | {events / wall:,.0f} | "
        f"{events / cpu:,.0f} | {peak:,.0f} | {commits:.0f} |",
        flush=True,
    )
    return events / wall


def main(events: int = 1_000_000) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder, events)
        print("| | events | s | CPU s | events/s | a CPU second | peak MB | commits |")
        print("|---|---|---|---|---|---|---|---|")
        one = _line("one worker", by_workers(folder, "one", 1))
        two = _line("two workers", by_workers(folder, "two", 2))
        plain = _line("one by one", [json.loads(_start(PLAIN, name).communicate()[0])])
        print(f"\none worker: {one / plain:.1f} times one by one; two: {two / one:.2f} times one")
        print(f"restart after kill -9 to the first commit: {to_first_commit(folder):.1f} s")


if __name__ == "__main__":
    asked = sys.argv[1:]
    if asked[:1] == [WORKER]:
        work(Path(asked[1]))
    elif asked[:1] == [PLAIN]:
        one_by_one(Path(asked[1]))
    else:
        main(*map(int, asked[:1]))
