"""A lake that events come into and an engine follows: killed where a test likes."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from live_streams import PARTITIONS, ZONE, stream

from lakehouse.contracts import contract
from lakehouse.detection.fraud.alerts import alerted
from lakehouse.detection.fraud.measures import measured, nothing_remembered, remembered
from lakehouse.detection.fraud.rules import judged
from lakehouse.ingest.streams.log import Log
from lakehouse.ingest.streams.transport import folder
from lakehouse.live.engine import Engine
from lakehouse.live.rows import PLACE
from lakehouse.privacy import ensure_key, protect
from lakehouse.settings import DOMAINS, Settings
from lakehouse.silver import clean
from lakehouse.storage import Commit, Lake

COMMIT = Commit("test", "test", "1")
NOW = dt.datetime(2026, 11, 1, tzinfo=dt.UTC)


class Killed(BaseException):
    """As by kill -9: nobody catches it."""


class House:
    """A lake, its topics, and engines that come and go."""

    def __init__(self, root: Path, *tables: str) -> None:
        self.tables = tables
        key = root.parent / "live.keys" / "pii-key"
        self.settings = Settings(root=str(root / "lake"), domains=DOMAINS, pii_key_file=key)
        self.lake = Lake.open(self.settings)
        self.log = Log(folder(self.settings), fsync=False)
        for table in tables:
            self.log.create(contract(table).topic, PARTITIONS)
        self.key = ensure_key(self.settings)
        self.now = NOW
        self.start()

    def start(self) -> None:
        """Another engine, that has all partitions."""
        self.engine = Engine(self.lake, self.settings, self.log)
        for table in self.tables:
            for partition in range(PARTITIONS):
                self.engine.assigned(contract(table).topic, partition)

    def store(self, table: str, rows: pl.DataFrame) -> None:
        """As the worker does: bronze has them, then the engine."""
        topic = contract(table).topic
        ends = {p: after for p, after in _ends(rows).items()}
        offsets = {f"{topic}/{p}": after for p, after in ends.items()}
        self.lake.append_offsets("bronze", table, rows, offsets, commit=COMMIT)
        for partition, after in ends.items():
            mine = rows.filter(pl.col("_source").str.extract(PLACE, 1) == str(partition))
            self.engine.take(topic, partition, mine, after, self.now)

    def next(self, table: str, *events: dict[str, Any]) -> pl.DataFrame:
        """Further events, behind those that bronze has."""
        rows = stream(table, list(events)).bronze
        stored = self.lake.scan("bronze", table).select("_source").collect()
        ends = _ends(stored)
        at = pl.col("_source").str.extract_groups(PLACE).struct
        p = at.field("1").cast(pl.Int64)
        offset = at.field("2").cast(pl.Int64) + p.replace_strict(ends, default=0)
        return rows.with_columns(
            _source=pl.format("topic:" + contract(table).topic + "/{}@{}", p, offset)
        )

    def flush(self, seconds: float = 1) -> None:
        self.now += dt.timedelta(seconds=seconds)
        self.engine.flush(self.now)

    def flush_or_die(self, when: int, seconds: float) -> None:
        with pytest.MonkeyPatch.context() as patch:
            kill(self, when, patch)
            try:
                self.flush(seconds)
            except Killed:
                patch.undo()
                self.start()

    def newest(self, table: str, key: list[str]) -> pl.DataFrame:
        rows = self.lake.scan("gold", table).collect()
        assert not rows.select([*key, "version"]).is_duplicated().any()
        return rows.sort("version").unique(key, keep="last", maintain_order=True)

    def sent(self, topic: str) -> list[dict[str, Any]]:
        with self.log.consumer((topic,), "reader", lambda *_: 0) as reader:
            batches = reader.poll(100_000, 0)
        return [json.loads(v) for b in batches for v in b.messages["value"]]

    def batch_alerts(self, bronze: pl.DataFrame) -> pl.DataFrame:
        good = clean("shop_orders", bronze, timezone=ZONE).good
        silver = protect("shop_orders", good, self.key)
        measures, _ = measured(silver, nothing_remembered())
        return pl.concat(
            alerted(judged(measures, p), remembered(silver), p) for p in ("streamify", "tuned")
        ).select("alert_id", "user_id", "alert_level", "fraud_score", "fraud_reason")


def _ends(rows: pl.DataFrame) -> dict[int, int]:
    at = rows.select(pl.col("_source").str.extract_groups(PLACE)).unnest("_source")
    last = at.cast(pl.Int64).group_by("1").agg(pl.col("2").max() + 1)
    return dict(last.iter_rows())


def kill(house: House, when: int, patch: pytest.MonkeyPatch) -> None:
    """Before something is written, or after it, or before it is sent."""
    if when < 1:
        return

    def dies(*_: Any, **__: Any) -> Any:
        raise Killed

    if when == 1:
        patch.setattr(Lake, "append_offsets", dies)
    elif when == 2:
        patch.setattr(house.log, "send", dies)
    else:
        target, name = (house.log, "send") if when == 3 else (Lake, "append_offsets")
        does = getattr(target, name)

        def does_and_dies(*given: Any, **more: Any) -> Any:
            does(*given, **more)
            raise Killed

        patch.setattr(target, name, does_and_dies)
