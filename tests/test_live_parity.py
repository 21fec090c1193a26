"""What is said live of any stream, however it is cut, is what the batch says of the same events."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from live_streams import EVENTS, LATENESS, SILENCE, ZONE, Stream, streams
from polars.testing import assert_frame_equal

from lakehouse.contracts.shop.fraud import PROFILES
from lakehouse.detection.fraud.alerts import alerted
from lakehouse.detection.fraud.measures import measured, nothing_remembered, remembered
from lakehouse.detection.fraud.rules import judged
from lakehouse.gold.online.play import with_cents
from lakehouse.gold.platform.windows import item_windows, play_windows
from lakehouse.gold.shop.sales_windows import action_parts, from_parts, order_parts, windows
from lakehouse.gold.windows import BY, MEASURES, in_windows
from lakehouse.live.watch import TABLES, State, Watch, absorbed, begun, told
from lakehouse.live.windows import KEY, KINDS
from lakehouse.silver.sessions import sessions

BRIEF = settings(max_examples=8, deadline=None, phases=[Phase.explicit, Phase.generate])
SHOP = "shop_orders", "shop_actions"


def watch(table: str) -> Watch:
    return Watch(table, ZONE, LATENESS, SILENCE)


class Run:
    """An engine without a lake: what it said last of each key, over pieces of a stream."""

    def __init__(self, table: str) -> None:
        self.watch = watch(table)
        self.state: State | None = None
        self.windows: list[pl.DataFrame] = []
        self.sessions: list[pl.DataFrame] = []
        self.alerts: list[pl.DataFrame] = []

    def take(self, bronze: pl.DataFrame, *, tell: bool) -> None:
        rows = self.watch.judged(bronze)
        self.state, alerts = absorbed(self.watch, self.state or begun(rows), rows)
        self.alerts.append(alerts)
        if tell:
            self.tell()

    def tell(self) -> None:
        assert self.state is not None
        self.state, results = told(self.watch, self.state)
        for kept, frame in (
            (self.windows, results.windows),
            (self.sessions, results.sessions),
            (self.alerts, results.alerts),
        ):
            if frame is not None:
                kept.append(frame)

    def of(self, frames: list[pl.DataFrame], key: tuple[str, ...]) -> pl.DataFrame:
        return pl.concat(frames).unique(key, keep="last", maintain_order=True)


def pieces(draw: Any, stream: Stream) -> list[tuple[pl.DataFrame, bool]]:
    """Any cuts: rows of the partitions between each other, and results asked for now and then."""
    found, rest = [], stream.bronze
    while len(rest):
        piece = draw(st.integers(1, max(1, len(rest))))
        found.append((rest.head(piece), draw(st.booleans())))
        rest = rest.slice(piece)
    return found


def run(draw: Any, stream: Stream) -> Run:
    made = Run(stream.table)
    for piece, tell in pieces(draw, stream):
        made.take(piece, tell=tell)
    made.tell()
    return made


def as_table(parts: pl.LazyFrame | pl.DataFrame) -> pl.DataFrame:
    """Parts of any partitions, added up."""
    key = [k for k in KEY if k != "partition"]
    summed = parts.lazy().group_by(key).agg(pl.col(MEASURES).sum())
    return summed.filter(pl.any_horizontal(pl.col(MEASURES) != 0)).sort(key).collect()


BATCH = {
    "shop_orders": lambda good: order_parts(
        in_windows(good, "timestamp", KINDS["shop_orders"].length, KINDS["shop_orders"].step)
    ),
    "shop_actions": lambda good: action_parts(
        in_windows(good, "timestamp", KINDS["shop_actions"].length, KINDS["shop_actions"].step)
    ),
    "player_events": play_windows,
    "purchases": item_windows,
}


@pytest.mark.parametrize("table", KINDS)
@BRIEF
@given(data=st.data())
def test_windows_are_those_of_the_batch(table: str, data: st.DataObject) -> None:
    stream = data.draw(streams(table))
    made = run(data.draw, stream)
    live = made.of(made.windows, KEY)
    assert_frame_equal(as_table(live), as_table(BATCH[table](stream.good)))


@BRIEF
@given(data=st.data())
def test_windows_of_the_shop_are_the_marts(data: st.DataObject) -> None:
    """Over payments and visits of all partitions, with who visited."""
    both = [data.draw(streams(table)) for table in SHOP]
    runs = [run(data.draw, s) for s in both]
    live = [r.of(r.windows, KEY).lazy() for r in runs]
    orders, actions = (s.good for s in both)
    assert_frame_equal(from_parts(*live).collect(), windows(orders, actions).collect())


@pytest.mark.parametrize("table", ["clickstream", "player_events"])
@BRIEF
@given(data=st.data())
def test_sessions_are_those_of_the_batch(table: str, data: st.DataObject) -> None:
    stream = data.draw(streams(table))
    made = run(data.draw, stream)
    key = ("partition", "user_id", "gaming_day", "session_id")
    columns = ["user_id", "gaming_day", "given", "first", "last", "events", "stakes", "wins"]
    live = made.of(made.sessions, key).filter(pl.col("events") > 0).select(columns)
    good = stream.good if table == "clickstream" else stream.good.rename({"player_id": "user_id"})
    user = ("user_id", "gaming_day")
    rows = sessions(good, user, "timestamp", SILENCE, "session_id")
    cents = with_cents(rows) if table == "clickstream" else rows.with_columns(stake=0, win=0)
    batch = cents.group_by(*user, "session", given="session_id").agg(
        first=pl.col("timestamp").min(),
        last=pl.col("timestamp").max(),
        events=pl.len().cast(pl.Int64),
        stakes=pl.col("stake").sum().cast(pl.Int64),
        wins=pl.col("win").sum().cast(pl.Int64),
    )
    assert_frame_equal(live.sort(columns), batch.select(columns).collect().sort(columns))


@BRIEF
@given(data=st.data())
def test_alerts_of_fraud_are_those_of_the_batch(data: st.DataObject) -> None:
    stream = data.draw(streams("shop_orders"))
    made = run(data.draw, stream)
    live = made.of(made.alerts, ("alert_id",)).filter(~pl.col("is_withdrawn"))
    good = stream.good.collect()
    measures, _ = measured(good, nothing_remembered())
    batch = pl.concat(
        alerted(judged(measures, p), remembered(good), p).select(
            "alert_id",
            level="alert_level",
            score="fraud_score",
            said="fraud_reason",
            context="additional_context",
            evidence="evidence",
            account="user_id",
        )
        for p in PROFILES
    )
    assert_frame_equal(live.select(batch.columns).sort("alert_id"), batch.sort("alert_id"))


@pytest.mark.parametrize("table", TABLES)
@BRIEF
@given(data=st.data())
def test_two_engines_say_together_what_one_says(table: str, data: st.DataObject) -> None:
    stream = data.draw(streams(table))
    whole = Run(table)
    whole.take(stream.bronze, tell=True)
    parted = []
    for partition in range(2):
        mine = pl.col("_source").str.contains(f"/{partition}@")
        part = Stream(table, stream.bronze.filter(mine))
        if len(part.bronze):
            parted.append(run(data.draw, part))
    for what, key in (
        ("windows", KEY),
        ("sessions", ("partition", "user_id", "gaming_day", "session_id")),
        ("alerts", ("alert_id",)),
    ):
        told = [f for r in parted for f in getattr(r, what)]
        alone = whole.of(getattr(whole, what), key) if getattr(whole, what) else None
        if alone is None:
            assert told == []
            continue
        together = whole.of(told, key)
        holds = _holds(what)
        columns = [c for c in alone.columns if c != "people"]
        assert_frame_equal(
            together.filter(holds).select(columns).sort(key),
            alone.filter(holds).select(columns).sort(key),
        )


def _holds(what: str) -> pl.Expr:
    if what == "windows":
        return pl.any_horizontal(pl.col(MEASURES) != 0)
    return pl.col("events") > 0 if what == "sessions" else ~pl.col("is_withdrawn")


def test_every_table_of_a_stream_is_drawn() -> None:
    assert set(EVENTS) == set(TABLES)
    assert BY == ("gaming_day", "window_start")
