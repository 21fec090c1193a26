"""Whether following events stays as it is: `python -m benchmarks.hour [--minutes N] [--rate N]`.

Events of all topics by the clock of the machine, from a process of its own, into the log; a worker
with windows, sessions and all rules, log segments and versions of tables kept for ten minutes.
Every minute tells of the worker its memory, open files, commits and what it remembers, and of the
lake its files; at the end by how much of each an hour more would be.

Accounts play for `POOL` seconds, then others come, and after `SHIFTS` of them the first again: what
is remembered of a gaming day grows by who plays on it, and no more are at play in the end than at
first. What grows is payments, which are remembered for a month, and alerts of them, for two days.
"""

from __future__ import annotations

import argparse
import datetime as dt
import functools
import json
import multiprocessing
import os
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks import live
from lakehouse.contracts import contract
from lakehouse.ingest.streams import worker as working
from lakehouse.ingest.streams.beside import Beside
from lakehouse.ingest.streams.log import Log
from lakehouse.ingest.streams.messages import messages_of
from lakehouse.ingest.streams.transport import OUT, folder
from lakehouse.ingest.streams.worker import Limits, Worker
from lakehouse.live import engine as following
from lakehouse.live.engine import Engine
from lakehouse.live.watch import TABLES
from lakehouse.privacy import ensure_key
from lakehouse.settings import DOMAINS, Settings
from lakehouse.storage import Kept, Lake

POOL = 90
"""Seconds of simulated events that are sent again and again, under other numbers each time."""
SHIFTS = 5
TURN = dt.timedelta(milliseconds=300)
KEPT_MINUTES = 10
"""Of the log of topics, and of older versions of tables, of which files go when they are put
together: those of the hour that they stay by default would fill this one."""
SEGMENT = 4 * 2**20
EVERY, MINUTE = 60.0, dt.timedelta(minutes=1)
WARM = 20
"""Minutes that are left out of the trend: caches fill, and nothing is old enough to be removed."""
RESULTS = ("live_windows", "live_sessions", "live_alerts")
SHOWN = {
    "events": "events", "lag": "behind", "cpu_us": "CPU us an event", "rss_mb": "MB",
    "fds": "open files", "bronze_p50": "bronze commit ms, p50", "bronze_p95": "bronze p95",
    "gold_p50": "gold commit ms, p50", "gold_p95": "gold p95", "rows": "rows remembered",
    "payments": "payments known", "alerts": "alerts known", "bronze_files": "files of bronze",
    "gold_files": "files of gold", "log_files": "segments",
    "entries": "entries of the longest log", "disk_files": "files on disk",
}  # fmt: skip


def settings_at(root: Path) -> Settings:
    sources: Any = dict.fromkeys(TABLES, "stream")
    return Settings(root=str(root / "lake"), domains=DOMAINS, sources=sources)


def log_of(root: Path) -> Log:
    keep = KEPT_MINUTES / (24 * 60)
    return Log(folder(settings_at(root)), segment_bytes=SEGMENT, keep_days=keep)


def produce(root: str, rate: int, minutes: float) -> None:
    """In a process of its own: events of a turn as it is over, until it is time to end."""
    log, pool = log_of(Path(root)), _pool(rate)
    begun, start = time.monotonic(), dt.datetime.now(dt.UTC)
    for number, cycle, rows in _turns(pool):
        due = begun + (number + 1) * TURN.total_seconds()
        if due - begun > minutes * 60:
            return
        time.sleep(max(0.0, due - time.monotonic()))
        for table, frame in rows.items():
            since = start - live.START + dt.timedelta(seconds=cycle * POOL)
            moved = _as_others(table, frame, cycle, since)
            log.send(contract(table).topic, messages_of(table, moved))


def _pool(rate: int) -> dict[str, dict[int, pl.DataFrame]]:
    """Table → turn → its events."""
    found = {}
    for table, rows in live.stream(POOL, rate=rate).items():
        since = pl.col(str(contract(table).event_time)) - pl.lit(live.START)
        turn = rows.with_columns(
            _turn=since.dt.total_milliseconds() // (TURN // dt.timedelta(milliseconds=1))
        )
        parts = turn.partition_by("_turn", include_key=False, as_dict=True)
        found[table] = {int(str(k)): part for (k,), part in parts.items()}
    return found


def _turns(
    pool: dict[str, dict[int, pl.DataFrame]],
) -> Iterator[tuple[int, int, dict[str, pl.DataFrame]]]:
    """Number of the turn, how often the pool was sent before, and the events of each table."""
    of_pool = dt.timedelta(seconds=POOL) // TURN
    number = 0
    while True:
        cycle, turn = divmod(number, of_pool)
        yield number, cycle, {t: parts[turn] for t, parts in pool.items() if turn in parts}
        number += 1


def _as_others(table: str, rows: pl.DataFrame, cycle: int, since: dt.timedelta) -> pl.DataFrame:
    """The same done later under other numbers, by the accounts of the next shift."""
    c = contract(table)
    numbers = {*c.key, "order_id", "round_id"} & set(rows.columns)
    people = {c.topic_key, "session_id"} & set(rows.columns)
    return rows.with_columns(
        pl.col(str(c.event_time)) + since,
        *(pl.col(n) + f"x{cycle:x}" for n in sorted(numbers)),
        *(pl.col(n) + f"s{cycle % SHIFTS}" for n in sorted(people)),
    )


@dataclass
class Watched:
    """A worker at work, and how long each of its commits took, by layer."""

    root: Path
    worker: Worker
    engine: Engine
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    events: int = 0
    cpu: float = 0.0

    def timed(self, write: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(write)
        def timed(lake: Lake, layer: str, *given: Any, **more: Any) -> Any:
            begun = time.perf_counter()
            done = write(lake, layer, *given, **more)
            self.took[layer].append((time.perf_counter() - begun) * 1_000)
            return done

        return timed

    def sample(self) -> dict[str, float]:
        """Of the minute that is over."""
        took, self.took = self.took, defaultdict(list)
        events, cpu = self.worker.done.messages, time.process_time()
        new, spent = events - self.events, cpu - self.cpu
        self.events, self.cpu = events, cpu
        log, lake = log_of(self.root), Lake(str(self.root / "lake"))
        topics = self.worker.topics
        sent = sum(end for topic in topics for _, end in log.ends(topic).values())
        states = [mine.state for mine in self.engine._topics.values()]
        told = {
            "events": new,
            "lag": sent - events,
            "cpu_us": spent / max(new, 1) * 1e6,
            "rss_mb": _resident() / 2**20,
            "fds": len(list(Path("/proc/self/fd").iterdir())),
            "rows": sum(s.memory.rows.height + s.sessions.folded.height for s in states),
            "payments": sum(s.fraud.known.height for s in states),
            "alerts": sum(s.fraud.said.height + s.protection.said.height for s in states),
            "bronze_files": sum(len(lake.data_files("bronze", t)) for t in topics.values()),
            "gold_files": sum(len(lake.data_files("gold", t)) for t in RESULTS),
            "log_files": len(list(log.folder.glob("*/*/*.log"))),
            "entries": max(len(list(f.glob("*.json"))) for f in self.root.rglob("_delta_log")),
            "disk_files": sum(len(files) for _, _, files in os.walk(self.root / "lake")),
        }
        for layer in ("bronze", "gold"):
            for q in (50, 95):
                told[f"{layer}_p{q}"] = float(np.percentile(took[layer] or [0], q))
        return told


def followed(rate: int, minutes: float) -> list[dict[str, float]]:
    """A sample for each minute."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        settings, log = settings_at(root), log_of(root)
        ensure_key(settings)
        topics = {contract(t).topic: t for t in TABLES}
        for topic in (*topics, *OUT):
            log.create(topic, live.PARTITIONS)
        for follower in (working, following):
            vars(follower)["kept"] = lambda _: Kept(KEPT_MINUTES * MINUTE, 0 * MINUTE)
        lake = Lake.open(settings)
        engine = Engine(Lake(lake.root), settings, log_of(root))
        beside = Beside(engine)
        worker = Worker(lake, settings, log, topics, _now, live=beside, limits=Limits(seconds=0.2))
        watched = Watched(root, worker, engine)
        Lake.append_offsets = watched.timed(Lake.append_offsets)  # type: ignore[method-assign]
        sender = multiprocessing.get_context("spawn").Process(
            target=produce, args=(name, rate, minutes)
        )
        sender.start()
        samples: list[dict[str, float]] = []
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(EVERY):
                samples.append(watched.sample())
                print(json.dumps(samples[-1]), file=sys.stderr, flush=True)

        watching = threading.Thread(target=watch)
        watching.start()
        worker.run(lambda: not sender.is_alive())
        beside.close()
        ended.set()
        watching.join()
        return samples


def _resident() -> int:
    """Bytes of memory that the process has at the moment."""
    pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def trend(samples: list[dict[str, float]], name: str) -> tuple[float, float, float]:
    """Of the minutes after `WARM`: mean, growth in an hour by least squares, and its standard
    error."""
    after = np.array([s[name] for s in samples[WARM:]])
    minute = np.arange(len(after))
    (slope, _), ((variance, _), _) = np.polyfit(minute, after, 1, cov=True)
    return float(after.mean()), float(slope * 60), float(np.sqrt(variance) * 60)


def medians(samples: list[dict[str, float]], name: str) -> list[float]:
    """Of each ten minutes, the last of which may be fewer."""
    values = [s[name] for s in samples]
    return [float(np.median(values[n : n + 10])) for n in range(0, len(values), 10)]


def hour(arguments: list[str]) -> None:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.hour", description=__doc__)
    asked.add_argument("--minutes", type=float, default=60)
    asked.add_argument("--rate", type=int, default=5_000, help="events a second")
    given = asked.parse_args(arguments)
    accounts = {
        who for table, parts in _pool(given.rate).items() for rows in parts.values()
        for who in rows[contract(table).topic_key].unique()
    }  # fmt: skip
    print(f"{SHIFTS * len(accounts):,} accounts, {len(accounts):,} at a time\n", flush=True)
    samples = followed(given.rate, given.minutes)
    print("| minute | " + " | ".join(SHOWN.values()) + " |" + "\n|" + "---|" * (len(SHOWN) + 1))
    for minute, told in enumerate(samples, 1):
        if minute % 5 == 0:
            print(f"| {minute} | " + " | ".join(f"{told[n]:,.0f}" for n in SHOWN) + " |")
    told_mb = ", ".join(f"{mb:,.0f}" for mb in medians(samples, "rss_mb"))
    print(f"\nMB, medians of ten minutes: {told_mb}")
    if len(samples) < WARM + 4:
        return
    print(f"\n| after minute {WARM} | mean | growth in an hour | ± |\n|---|---|---|---|")
    for name, said in SHOWN.items():
        mean, growth, error = trend(samples, name)
        print(f"| {said} | {mean:,.1f} | {growth:+,.1f} | {error:,.1f} |")


if __name__ == "__main__":
    hour(sys.argv[1:])
