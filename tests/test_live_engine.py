"""The engine over a lake and a log: killed anywhere and started again, it loses and doubles
nothing, and what it stored in the end is what the batch says."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from live_house import House
from live_streams import streams
from polars.testing import assert_frame_equal

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
