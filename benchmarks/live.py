"""What following events as they come costs: windows, sessions, fraud and protection of a stream of
10,000 events a second, CPU time of one process; and how soon an alert is in its topic."""

from __future__ import annotations

import datetime as dt
import json
import multiprocessing
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from lakehouse.contracts import contract
from lakehouse.ingest.streams.beside import Beside
from lakehouse.ingest.streams.log import Log
from lakehouse.ingest.streams.messages import messages_of
from lakehouse.ingest.streams.topics import partition_of
from lakehouse.ingest.streams.transport import OUT, folder
from lakehouse.ingest.streams.worker import Limits, Nothing, Worker
from lakehouse.live.engine import Engine
from lakehouse.live.rows import PLACE
from lakehouse.live.watch import TABLES, State, Watch, absorbed, begun, told
from lakehouse.privacy import ensure_key
from lakehouse.settings import DOMAINS, Settings
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.world import World
from lakehouse.storage import Lake

RATE = 10_000
PIECE = 0.5
"""Seconds of events that are taken in at once."""
PARTITIONS = 4
_TOLD = ("events", "seconds", "per_second", "cpu_us", "alerts", "p50", "p99")
START = dt.datetime(2025, 1, 2, 2, tzinfo=dt.UTC)


def stream(seconds: int, scale: float = 20.0, rate: int = RATE) -> dict[str, pl.DataFrame]:
    """Events of a simulated day in their order, so many a second: table → its rows of bronze."""
    world = World(WorldConfig(seed=11, scale=scale))
    frames = {}
    for table in TABLES:
        time_ = str(contract(table).event_time)
        rows = pl.concat(world.frames(table, range(1))).filter(pl.col(time_).is_not_null())
        frames[table] = rows.sort(time_)
    times = pl.concat(
        [f.select(at=contract(t).event_time).with_columns(table=pl.lit(t), n=pl.int_range(pl.len()))
         for t, f in frames.items()]
    ).sort("at", "table")  # fmt: skip
    kept = times.head(seconds * rate).with_row_index("place")
    moment = pl.lit(START) + pl.duration(microseconds=pl.col("place") * (1_000_000 // rate))
    moved = kept.with_columns(moment.cast(pl.Datetime("us", "UTC")).alias("at"))
    return {t: _moved(t, f, moved.filter(table=t)) for t, f in frames.items()}


def _moved(table: str, rows: pl.DataFrame, moved: pl.DataFrame) -> pl.DataFrame:
    c = contract(table)
    user = "user_id" if "user_id" in rows.columns else "player_id"
    mine = rows.head(len(moved)).with_columns(moved["at"].alias(str(c.event_time)))
    keys = mine[user].cast(pl.Binary).fill_null(b"")
    placed = mine.with_columns(p=partition_of(keys, PARTITIONS))
    offset = pl.int_range(pl.len()).over("p")
    return placed.with_columns(
        _source=pl.format("topic:" + c.topic + "/{}@{}", "p", offset),
        _ingested_at=moved["at"],
        gaming_day=pl.lit(dt.date(2025, 1, 1)),
    ).drop("p")


def judged(frames: dict[str, pl.DataFrame]) -> None:
    """CPU time of the rules, without reading and storing."""
    total, spent = 0, 0.0
    for table, rows in frames.items():
        watch = Watch(
            table, "America/Los_Angeles", dt.timedelta(seconds=30), dt.timedelta(minutes=30)
        )
        state: State = begun(watch)
        pieces = _pieces(table, rows)
        parts = {"judge": 0.0, "absorb": 0.0, "tell": 0.0}
        for piece in pieces:
            a = time.process_time()
            came = watch.judged(piece)
            b = time.process_time()
            state, _ = absorbed(watch, state, came)
            c = time.process_time()
            state, _ = told(watch, state)
            d = time.process_time()
            for name, took in zip(parts, (b - a, c - b, d - c), strict=True):
                parts[name] += took
        mine = sum(parts.values())
        said = ", ".join(f"{n} {v / len(rows) * 1e6:.1f}" for n, v in parts.items())
        print(f"| {table} | {len(rows):,} | {mine / len(rows) * 1e6:.1f} | {said} |", flush=True)
        total, spent = total + len(rows), spent + mine
    print(f"| all | {total:,} | {spent / total * 1e6:.1f} | |")


def _pieces(table: str, rows: pl.DataFrame) -> list[pl.DataFrame]:
    moment = pl.col(str(contract(table).event_time))
    number = ((moment - pl.lit(START)).dt.total_milliseconds() // int(PIECE * 1_000)).alias("_n")
    return rows.with_columns(number).partition_by("_n", include_key=False, maintain_order=True)


def _plan(frames: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """Messages by the tenth of a second in which they are sent."""
    parts = []
    for table, rows in frames.items():
        c = contract(table)
        since = pl.col(str(c.event_time)) - pl.lit(START)
        turn = rows.select(turn=since.dt.total_milliseconds() // 100)
        sent = messages_of(table, rows).with_columns(turn, topic=pl.lit(c.topic))
        parts.append(sent)
    return pl.concat(parts).sort("turn", maintain_order=True)


def produce(folder_: str, plan: str, paced: bool) -> None:
    """In a process of its own: sends messages as it is time, or as fast as it can."""
    log = Log(Path(folder_))
    turns = pl.read_parquet(plan).partition_by("turn", "topic", as_dict=True, maintain_order=True)
    start = time.monotonic()
    for (turn, topic), messages in turns.items():
        if paced:
            time.sleep(max(0.0, start + int(turn) / 10 - time.monotonic()))
        log.send(str(topic), messages.select("key", "value"))


def followed(seconds: int, *, live: bool, paced: bool) -> dict[str, float]:
    """A worker takes in events of so many seconds, as they come or when they are all there: its
    CPU time, and milliseconds from an event's message to its alert's."""
    root = Path(tempfile.mkdtemp())
    settings = Settings(
        root=str(root / "lake"), domains=DOMAINS, sources={t: "stream" for t in TABLES}
    )
    ensure_key(settings)
    lake, log = Lake.open(settings), Log(folder(settings))
    topics = {contract(t).topic: t for t in TABLES}
    for topic in topics:
        log.create(topic, PARTITIONS)
    for topic in OUT:
        log.create(topic, 1)
    plan = root / "plan.parquet"
    _plan(stream(seconds)).write_parquet(plan)
    own = Lake(lake.root)
    follower = Beside(Engine(own, settings, Log(folder(settings)))) if live else Nothing()
    worker = Worker(lake, settings, log, topics, _now, live=follower, limits=Limits(seconds=0.2))
    sender = multiprocessing.get_context("spawn").Process(
        target=produce, args=(str(folder(settings)), str(plan), paced)
    )
    sender.start()
    if not paced:
        sender.join()
    began, since = time.process_time(), time.monotonic()
    worker.run(lambda: not sender.is_alive())
    worker.run(lambda: False, until_empty=True)
    if isinstance(follower, Beside):
        follower.close()
    spent, lasted = time.process_time() - began, time.monotonic() - since
    waited = np.array(_waited(lake, log) if live else [0])
    shutil.rmtree(root)
    return {
        "events": worker.done.messages,
        "cpu_us": spent / worker.done.messages * 1e6,
        "alerts": len(waited),
        "p50": float(np.quantile(waited, 0.5)),
        "p99": float(np.quantile(waited, 0.99)),
        "seconds": lasted,
        "per_second": worker.done.messages / lasted,
    }


def _waited(lake: Lake, log: Log) -> list[int]:
    with log.consumer(("fraud_alerts",), "bench", lambda *_: 0) as reader:
        told = pl.concat(b.messages for b in reader.poll(1_000_000, 1))
    named = [json.loads(value) for value in told["value"]]
    alerts = pl.DataFrame(
        {"told": told["time"], "partition": [a["partition"] for a in named],
         "offset": [a["offset"] for a in named]}
    )  # fmt: skip
    at = pl.col("_source").str.extract_groups(PLACE).struct
    events = lake.scan("bronze", "shop_orders").select(
        "_ingested_at",
        partition=at.field("1").cast(pl.Int64),
        offset=at.field("2").cast(pl.Int64),
    )
    both = alerts.join(events.collect(), on=["partition", "offset"])
    return (both["told"] - both["_ingested_at"]).dt.total_milliseconds().to_list()


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def main() -> None:
    frames = stream(60)
    print("| table | events | CPU us an event | of them |\n|---|---|---|---|")
    judged(frames)
    print("\n| worker | " + " | ".join(_TOLD) + " |" + "\n" + "|---" * (len(_TOLD) + 1) + "|")
    for paced, seconds in ((True, 30), (False, 47)):
        for live in (False, True):
            found = followed(seconds, live=live, paced=paced)
            how = f"{'as they come' if paced else 'all there'}, {'with' if live else 'no'} rules"
            print(f"| {how} | " + " | ".join(f"{found[n]:,.1f}" for n in _TOLD) + " |", flush=True)


if __name__ == "__main__":
    main()
