"""The engine over a lake and a log: killed anywhere and started again, it loses and doubles
nothing, and what it stored in the end is what the batch says."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from live_house import COMMIT, House
from live_streams import BORDER, order, stream, streams
from polars.testing import assert_frame_equal

from lakehouse.errors import StorageError
from lakehouse.ingest.streams import compaction
from lakehouse.storage import Lake

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


def test_of_two_engines_with_one_partition_one_is_overtaken_and_sends_nothing(
    tmp_path: Path,
) -> None:
    """The other was thought dead: it has judged the same payment, and comes too late with it."""
    house = House(tmp_path / "house", "shop_orders")
    other = house.engine
    house.start()
    rows = stream("shop_orders", [large("T1"), large("T2")]).bronze
    house.store("shop_orders", rows)
    other.take("sales_stream", 0, rows, 2, house.now)
    house.flush()
    other.flush(house.now)
    told = [a["alert_id"] for a in house.sent("fraud_alerts")]
    assert len(told) == len(set(told)) > 0
    assert house.newest("live_windows", WINDOW_KEY).filter(kind="progress")["events"].sum() == 2


def test_an_alert_that_was_stored_and_not_sent_is_sent_by_the_next_engine(tmp_path: Path) -> None:
    house = House(tmp_path / "house", "shop_orders")
    house.store("shop_orders", stream("shop_orders", [large("T1")]).bronze)
    house.flush_or_die(2, 1)
    stored = house.lake.scan("gold", "live_alerts").collect()
    assert sorted(a["alert_id"] for a in house.sent("fraud_alerts")) == sorted(stored["alert_id"])
    house.start()
    house.flush()
    assert len(house.sent("fraud_alerts")) == len(stored) > 0


def test_what_was_paid_before_the_stream_counts(tmp_path: Path) -> None:
    """Ten payments of 1.00 on the days before, that came by file: 999 dollars are much then."""
    paid = [order_of(f"T{n}", "1.00", days=-n) for n in range(1, 11)]
    new = order_of("T99", "999.00", days=0)
    house = House(tmp_path / "house", "shop_orders")
    landed = stream("shop_orders", paid).bronze.with_columns(_source=pl.lit("landed.csv"))
    house.lake.append("bronze", "shop_orders", landed, commit=COMMIT)
    house.start()
    house.store("shop_orders", stream("shop_orders", [new]).bronze)
    house.flush()
    said = house.newest("live_alerts", ALERT_KEY)["said"].to_list()
    assert any("deviations over the 10 payments before" in s for s in said)


def visits(house: House) -> dict[str, int]:
    """Visits by the window's minute and second, those of 60 s every 30 s."""
    rows = house.newest("live_windows", WINDOW_KEY).filter(kind="visits", dimension="all")
    moment = pl.col("window_start").dt.to_string("%M:%S")
    return dict(rows.filter(pl.col("events") > 0).select(moment, "events").iter_rows())


def viewed(number: int, minute: int, second: float) -> dict[str, Any]:
    at = BORDER + dt.timedelta(minutes=minute, seconds=second)
    return {"event_id": f"E{number}", "user_id": "U1", "action": "view_product", "timestamp": at}


def test_what_came_before_the_watermark_s_own_events_counts_after_a_kill(tmp_path: Path) -> None:
    """The watermark is 30 s before the least of three, which is the second: the first is later by
    more than the lateness, and its windows are open."""
    house = House(tmp_path / "house", "shop_actions")
    first = [viewed(n, 57, second) for n, second in enumerate((34.5, 30.5, 55.5))]
    house.store("shop_actions", stream("shop_actions", first).bronze)
    house.flush()
    house.start()
    house.store("shop_actions", house.next("shop_actions", viewed(3, 57, 56)))
    house.flush()
    assert visits(house) == {"57:00": 4, "57:30": 4}


def test_what_was_told_apart_before_a_kill_is_so_after_it(tmp_path: Path) -> None:
    """E0 is two events, and counts as none. The windows of the first close as those of the other
    are open, of the clock that was ahead of the others."""
    house = House(tmp_path / "house", "shop_actions")
    clash = [viewed(0, 50, 0), viewed(0, 52, 10)]
    rest = [viewed(n, 52, second) for n, second in enumerate((11, 12, 13), start=1)]
    house.store("shop_actions", stream("shop_actions", [*clash, *rest]).bronze)
    house.flush()
    house.start()
    house.store("shop_actions", house.next("shop_actions", viewed(9, 52, 14)))
    house.flush()
    assert visits(house) == {"51:30": 4, "52:00": 4}


def order_of(number: str, usd: str, days: int) -> dict[str, Any]:
    event = order(1, BORDER + dt.timedelta(days=days), "U2", lambda s: s.elements[0])
    return event | {"transaction_id": number, "amount": Decimal(usd), "order_id": number}


def large(number: str) -> dict[str, Any]:
    """5,000 dollars: very high, by the seeds' thresholds."""
    return order_of(number, "5000.00", 0)


def test_what_cannot_be_stored_is_read_back_and_stored_when_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a disk that is full for a while; another partition comes and goes meanwhile."""
    house = House(tmp_path / "house", "shop_orders")
    house.store("shop_orders", stream("shop_orders", [large("T1")]).bronze)

    def full(*_: object, **__: object) -> None:
        raise StorageError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "append_offsets", full)
        house.flush()
    house.engine.revoked("sales_stream", 1)
    house.store("shop_orders", house.next("shop_orders", large("T2")))
    house.flush()
    stored = house.newest("live_alerts", ALERT_KEY)["alert_id"].to_list()
    assert {"streamify-2026-06-15-T1", "streamify-2026-06-15-T2"} <= set(stored)
    assert sorted(a["alert_id"] for a in house.sent("fraud_alerts")) == sorted(stored)


def test_a_partition_that_goes_takes_nothing_of_the_others_with_it(tmp_path: Path) -> None:
    house = House(tmp_path / "house", "shop_orders")
    both = [large("T1"), large("T2") | {"user_id": "U1"}]
    house.store("shop_orders", stream("shop_orders", both).bronze)
    house.engine.revoked("sales_stream", 1)
    house.flush()
    told = {a["alert_id"] for a in house.sent("fraud_alerts")}
    assert "streamify-2026-06-15-T1" in told
    assert "streamify-2026-06-15-T2" not in told


def test_an_alert_that_is_said_anew_is_stored_again_and_sent_once(tmp_path: Path) -> None:
    """A payment of 10 s before comes late: T2 is the second of the minute then."""
    house = House(tmp_path / "house", "shop_orders")
    house.store("shop_orders", stream("shop_orders", [large("T2")]).bronze)
    house.flush()
    before = large("T1")
    before["timestamp"] -= dt.timedelta(seconds=10)
    house.store("shop_orders", house.next("shop_orders", before))
    house.flush()
    versions = (
        house.lake.scan("gold", "live_alerts").filter(alert_id="streamify-2026-06-15-T2").collect()
    )
    first, second = versions.sort("version")["said"].to_list()
    assert "within a minute" not in first
    assert "$10000.00 within a minute, in 2 payments" in second
    told = [a["alert_id"] for a in house.sent("fraud_alerts")]
    assert told.count("streamify-2026-06-15-T2") == 1


def test_tables_of_results_keep_versions_for_as_long_as_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compaction, "COMMITS", 1)
    house = House(tmp_path / "house", "shop_orders")
    house.store("shop_orders", stream("shop_orders", [large("T1")]).bronze)
    house.flush()
    house.engine._compaction.close()
    delta = house.lake.table("gold", "live_windows")
    assert delta is not None
    told = delta.metadata().configuration
    assert told["delta.logRetentionDuration"] == "interval 600 seconds"
    assert told["delta.deletedFileRetentionDuration"] == "interval 7200 seconds"
