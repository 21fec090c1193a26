"""Producer and workers killed, held up and sent away at any time, by disks and clocks that do
what they like: python -m benchmarks.faults.stream [--seed N] [--kills N]

After each trial the lake must have every message of the log once, and the log what a producer
that nobody kills would have sent, in its order.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import polars as pl

from benchmarks.faults.hurt import KINDS
from lakehouse.ingest.streams.topics import Transport
from lakehouse.ingest.streams.transport import transport
from lakehouse.settings import Settings, load_settings
from lakehouse.storage import Lake

TOPICS = {
    "clickstream": "clickstream",
    "sales_stream": "shop_orders",
    "shop_actions": "shop_actions",
}
LAST = "2025-01-02"
PRODUCE = ("stream", "produce", "--topics", ",".join(TOPICS), "--to", LAST)
RUN = ("stream", "run", "--seconds", "0.1", "--rows", "400")
BOUND = 240
"""Seconds in which what is to end ends, or hangs."""
WORKERS = 3
_HITS = 20
"""Of a trial at the most."""


def environment(folder: Path, kafka: str = "") -> dict[str, str]:
    own = {
        "DAGSTER_HOME": str(folder / "home"),
        "LAKEHOUSE_ROOT": str(folder / "lake"),
        "LAKEHOUSE_START": "2025-01-01",
        "LAKEHOUSE_SCALE": "0.5",
        "LAKEHOUSE_SOURCES": json.dumps(dict.fromkeys(TOPICS.values(), "stream")),
    }
    if kafka:
        own["LAKEHOUSE_KAFKA"] = json.dumps({"bootstrap.servers": kafka})
    return own


@dataclass
class Party:
    """The processes of a trial. `start` begins one by its arguments."""

    folder: Path
    chance: random.Random
    kafka: str = ""
    kills: Counter[str] = field(default_factory=Counter)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    producer: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str, is_hurt: bool = True) -> subprocess.Popen[bytes]:
        module = ["lakehouse", *arguments]
        if is_hurt and self.chance.random() < 0.5:
            kind = self.chance.choice(sorted(KINDS))
            module = ["benchmarks.faults.hurt", kind, str(self.chance.randrange(2**32)), *arguments]
        said = (self.folder / "said").open("ab")
        env = os.environ | environment(self.folder, self.kafka)
        env["PYTHONPATH"] = os.pathsep.join(p or "." for p in sys.path)
        command = [sys.executable, "-m", *module]
        return subprocess.Popen(command, cwd=self.folder, env=env, stdout=said, stderr=said)

    def keep_going(self) -> None:
        """A worker or a producer that died is replaced by another."""
        self.workers = [w for w in self.workers if not self._is_gone(w)]
        while len(self.workers) < WORKERS:
            self.workers.append(self.start(*RUN))
        if self.producer is None or self._is_gone(self.producer):
            self.producer = self.start(*PRODUCE, "--rate", "1500")

    def hit(self) -> None:
        """Something happens to one of them."""
        what = self.chance.random()
        victim = self.chance.choice(self.workers)
        if what < 0.55:
            self._kill(victim, "worker")
        elif what < 0.75 and self.producer is not None:
            self._kill(self.producer, "producer")
        elif what < 0.85:
            victim.send_signal(signal.SIGTERM)
        else:
            victim.send_signal(signal.SIGSTOP)
            time.sleep(self.chance.uniform(0.2, 1.5))
            victim.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """All are sent away, then what is left is done by one of each, unhurt."""
        for process in [*self.workers, *([self.producer] if self.producer else [])]:
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
        for process in [*self.workers, *([self.producer] if self.producer else [])]:
            self._ended(process)
        for arguments in ((*PRODUCE, "--as-fast"), ("stream", "run", "--until-empty")):
            if self._ended(self.start(*arguments, is_hurt=False)):
                raise SystemExit(f"failed: {' '.join(arguments)}")

    def _kill(self, process: subprocess.Popen[bytes], kind: str) -> None:
        process.kill()
        process.wait()
        self.kills[kind] += 1

    def _is_gone(self, process: subprocess.Popen[bytes]) -> bool:
        status = process.poll()
        if status == -signal.SIGKILL and process is not self.producer:
            self.kills["worker at a commit"] += process in self.workers
        return status is not None

    def _ended(self, process: subprocess.Popen[bytes]) -> int:
        try:
            return process.wait(BOUND)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise SystemExit("a process hung") from None


def trial(
    folder: Path, seed: int, hits: int, kafka: str = "", more: Callable[[], None] = lambda: None
) -> Counter[str]:
    """Hits producer and workers so often, then lets them end. `more` happens with each hit."""
    party = Party(folder, random.Random(seed), kafka)
    for _ in range(hits):
        party.keep_going()
        time.sleep(party.chance.uniform(0.2, 2.0))
        party.hit()
        more()
    party.end()
    return party.kills


def lake_of(folder: Path, kafka: str = "") -> tuple[Lake, Transport]:
    own = environment(folder, kafka)
    settings: Settings = load_settings(
        root=own["LAKEHOUSE_ROOT"], kafka=json.loads(own.get("LAKEHOUSE_KAFKA", "{}"))
    )
    return Lake.open(settings), transport(settings)


def messages(place: Transport, topic: str) -> pl.DataFrame:
    """Grain: one row per message: source, partition, offset, key, value."""
    parts = []
    for p, (first, end) in place.ends(topic).items():
        part = place.read(topic, p, first, end - first) if end > first else None
        if part is not None:
            source = pl.lit(f"topic:{topic}/{p}@") + pl.col("offset").cast(pl.String)
            parts.append(part.select("offset", "key", "value", source=source, partition=pl.lit(p)))
    return pl.concat(parts)


def differences(folder: Path, twin: Path, kafka: str = "") -> list[str]:
    """What the lake lacks of the log or has twice, and where the log differs from the twin's."""
    (lake, place), (_, twins) = lake_of(folder, kafka), lake_of(twin)
    found = []
    for topic, table in TOPICS.items():
        sent = messages(place, topic)
        held = [lake.scan(x, table) for x in ("bronze", "quarantine")]
        rows = pl.concat([h.select("_source") for h in held]).collect()["_source"]
        lost = sent.filter(~pl.col("source").is_in(rows.implode())).height
        strange = rows.filter(~rows.is_in(sent["source"].implode())).len()
        doubled = rows.len() - rows.n_unique()
        if lost or strange or doubled:
            found.append(f"{table}: {lost} lost, {doubled} doubled, {strange} from nowhere")
        if not _same(sent, messages(twins, topic)):
            found.append(f"{topic}: the log has other messages, or in another order of a key")
        if not _as_sent(sent, held[0].collect()):
            found.append(f"{table}: rows are not those of their messages")
    return found


def _same(mine: pl.DataFrame, theirs: pl.DataFrame) -> bool:
    return all(
        a.equals(b) for a, b in zip(*(_by_key(frame) for frame in (mine, theirs)), strict=True)
    )


def _by_key(sent: pl.DataFrame) -> Sequence[pl.Series]:
    told = sent.sort("partition", "offset").group_by("key", maintain_order=True).agg("value")
    return told.sort("key").get_columns()


def _as_sent(sent: pl.DataFrame, rows: pl.DataFrame) -> bool:
    key = "event_id" if "event_id" in rows.columns else "transaction_id"
    text = pl.col("value").cast(pl.String).str.json_path_match(f"$.{key}")
    both = rows.select("_source", key).join(
        sent.with_columns(sent_as=text), left_on="_source", right_on="source"
    )
    return both.height == rows.height and both.filter(pl.col(key) != pl.col("sent_as")).is_empty()


def prepare(twin: Path) -> None:
    """The log as a producer leaves it that nobody kills."""
    twin.mkdir(parents=True)
    party = Party(twin, random.Random(0))
    if party._ended(party.start(*PRODUCE, "--as-fast", is_hurt=False)):
        raise SystemExit((twin / "said").read_text(errors="replace")[-400:])


class Broker(Protocol):
    """A broker that can be killed, and started again on what it had."""

    @property
    def address(self) -> str: ...
    def start(self) -> None: ...
    def kill(self) -> None: ...


def campaign(seed: int, least: int, brokers: Callable[[Path], Broker] | None = None) -> int:
    """Trials until there were so many kills; 1 where one found anything. `brokers` makes one in a
    folder, for a trial in Kafka instead of the log."""
    chance, kills, faults, number = random.Random(seed), Counter[str](), 0, 0
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder / "twin")
        while kills.total() < least:
            number, own = number + 1, chance.randrange(2**32)
            started = time.monotonic()
            hits = min(_HITS, least)
            done, found = _tried(folder, folder / str(number), own, hits, brokers)
            kills += done
            faults += bool(found)
            print(
                f"stream, seed {own}: {dict(done)} killed, {time.monotonic() - started:.0f} s: "
                f"{'; '.join(found) or 'as if nothing had been'}",
                flush=True,
            )
    print(
        f"seed {seed}: {kills.total()} kills ({dict(kills)}) in {number} trials, "
        f"{time.monotonic() - begun:.0f} s: {faults} with faults"
    )
    return 1 if faults else 0


def _tried(
    folder: Path, place: Path, seed: int, hits: int, brokers: Callable[[Path], Broker] | None
) -> tuple[Counter[str], list[str]]:
    place.mkdir()
    broker, kafka, chance, killed = None, "", random.Random(seed), Counter[str]()
    if brokers is not None:
        (place / "broker").mkdir()
        broker = brokers(place / "broker")
        broker.start()
        kafka = broker.address

    def kill_broker() -> None:
        if broker is not None and chance.random() < 0.2:
            broker.kill()
            time.sleep(chance.uniform(0, 1))
            broker.start()
            killed["broker"] += 1

    try:
        done = trial(place, seed, hits, kafka, kill_broker)
        return done + killed, differences(place, folder / "twin", kafka)
    except SystemExit as error:
        return killed, [str(error), (place / "said").read_text(errors="replace")[-400:]]
    finally:
        if broker is not None:
            broker.kill()


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m benchmarks.faults.stream", description=__doc__)
    asked.add_argument("--seed", type=int, default=42)
    asked.add_argument("--kills", type=int, default=200, help="at least so many")
    given = asked.parse_args()
    return campaign(given.seed, given.kills)


if __name__ == "__main__":
    sys.exit(main())
