"""The engine over a lake and a log: killed anywhere and started again, it loses and doubles
nothing, and what it stored in the end is what the batch says."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from live_streams import PARTITIONS, ZONE, streams
from polars.testing import assert_frame_equal

from lakehouse.contracts import contract
from lakehouse.detection.fraud.alerts import alerted
from lakehouse.detection.fraud.measures import measured, nothing_remembered, remembered
from lakehouse.detection.fraud.rules import judged
from lakehouse.ingest.streams.log import Log
from lakehouse.ingest.streams.transport import OUT, folder
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
        for topic in OUT:
            self.log.create(topic, 1)
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

    def flush(self, seconds: float = 1) -> None:
        self.now += dt.timedelta(seconds=seconds)
        self.engine.flush(self.now)

    def flush_or_die(self, when: int, seconds: float) -> None:
        with pytest.MonkeyPatch.context() as patch:
            _kill(self, when, patch)
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


ALERT_KEY = ["alert_id"]
WINDOW_KEY = [
    "kind",
    "window_start",
    "gaming_day",
    "topic",
    "partition",
    "dimension",
    "value",
    "name",
]


KILLS = settings(max_examples=4, deadline=None, phases=[Phase.explicit, Phase.generate])
TICKED = ("shop_actions", "player_events", "clickstream")
SESSION_KEY = ["topic", "partition", "user_id", "gaming_day", "session_id"]


@KILLS
@given(data=st.data())
def test_whatever_is_killed_when_alerts_are_those_of_the_batch_and_are_sent_once(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    house = House(tmp_path_factory.mktemp("house"), "shop_orders")
    whole = data.draw(streams("shop_orders"))
    rest = whole.bronze
    while len(rest):
        count = data.draw(st.integers(1, len(rest)))
        house.store(whole.table, rest.head(count))
        rest = rest.slice(count)
        house.flush_or_die(data.draw(st.integers(0, 4)), data.draw(st.sampled_from([0.1, 1])))
    house.flush()
    stored = house.newest("live_alerts", ALERT_KEY)
    stands = stored.filter(~pl.col("is_withdrawn"))
    batch = house.batch_alerts(whole.bronze)
    columns = ["alert_id", "account", "level", "score", "said"]
    assert_frame_equal(
        stands.select(columns).sort("alert_id"),
        batch.rename(dict(zip(batch.columns, columns, strict=True))).sort("alert_id"),
    )
    told = [a["alert_id"] for a in house.sent("fraud_alerts")]
    assert sorted(told) == sorted(stored["alert_id"])


def _kill(house: House, when: int, patch: pytest.MonkeyPatch) -> None:
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


@KILLS
@given(data=st.data())
def test_whatever_is_killed_when_windows_and_sessions_are_those_of_one_engine(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Of all tables at once; what is stored by the one that is never killed is the batch's."""
    house, calm = (House(tmp_path_factory.mktemp("house"), *TICKED) for _ in range(2))
    for table in TICKED:
        whole = data.draw(streams(table, 20))
        calm.store(table, whole.bronze)
        rest = whole.bronze
        while len(rest):
            count = data.draw(st.integers(1, len(rest)))
            house.store(table, rest.head(count))
            rest = rest.slice(count)
            house.flush_or_die(data.draw(st.integers(0, 4)), 1)
    for one in (house, calm):
        one.flush()
    for name, key, measures in (
        ("live_windows", WINDOW_KEY, ["events", "transactions", "amount", "users", "is_final"]),
        ("live_sessions", SESSION_KEY, ["started", "last_seen", "events", "stakes", "is_final"]),
    ):
        found = [one.newest(name, key) for one in (house, calm)]
        kept = [_said(f).select(*key, *measures).sort(key) for f in found]
        assert_frame_equal(*kept)


def _said(rows: pl.DataFrame) -> pl.DataFrame:
    """But for progress, and what is no more."""
    told = rows.filter(pl.col("kind") != "progress") if "kind" in rows.columns else rows
    return told.filter(pl.col("events") > 0)
