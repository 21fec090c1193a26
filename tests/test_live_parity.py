"""What is said live of any stream, however it is cut, is what the batch says of the same events."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from live_streams import (
    EVENTS,
    IN_TIME,
    SILENCE,
    ZONE,
    Run,
    Stream,
    batch_alerts,
    bet,
    order,
    stream,
    streams,
)
from polars.testing import assert_frame_equal

from lakehouse.contracts import contract
from lakehouse.contracts.shop.fraud import IN_FORCE, PROFILES
from lakehouse.gold.marts import marts
from lakehouse.gold.online.play import with_cents
from lakehouse.gold.platform.windows import item_windows, play_windows
from lakehouse.gold.shop.sales_windows import (
    action_parts,
    alert_counts,
    from_parts,
    order_parts,
    windows,
)
from lakehouse.gold.windows import BY, MEASURES, in_windows, standing
from lakehouse.live.watch import TABLES
from lakehouse.live.windows import KEY, KINDS
from lakehouse.settings import Settings
from lakehouse.silver import clean
from lakehouse.silver.sessions import sessions
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.world import World

BRIEF = settings(max_examples=8, deadline=None, phases=[Phase.explicit, Phase.generate])
SHOP = "shop_orders", "shop_actions"


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
    return standing(summed).sort(key).collect()


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
    """Over payments and visits of all partitions, with who visited and what is alerted of."""
    both = [data.draw(streams(table)) for table in SHOP]
    runs = [run(data.draw, s) for s in both]
    live = [standing(r.of(r.windows, KEY).lazy()) for r in runs]
    said = runs[0].of(runs[0].alerts, ("alert_id",)).lazy()
    holds = said.filter(~pl.col("is_withdrawn"), pl.col("rule") == IN_FORCE)
    orders, actions = (s.good for s in both)
    told = batch_alerts(orders.collect(), IN_FORCE).lazy()
    assert_frame_equal(
        from_parts(*live, alert_counts(holds, "event_time")).collect(),
        windows(orders, actions, told).collect(),
    )


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
    batch = pl.concat(
        batch_alerts(good, p).select(
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
    stream = data.draw(streams(table, late=data.draw(st.sampled_from([IN_TIME, 600]))))
    whole = Run(table)
    whole.take(stream.bronze, tell=True)
    parted = []
    for partition in range(2):
        mine = pl.col("_source").str.contains(f"/{partition}@")
        part = Stream(table, stream.bronze.filter(mine))
        if len(part.bronze):
            parted.append(run(data.draw, part))
    assert_same(whole, *parted)


def assert_same(whole: Run, *parted: Run) -> None:
    """Together the others say what the one does."""
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
        columns = [c for c in alone.columns if c not in ("people", "is_first")]
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


def played(user: str, start: str, count: int, apart: float, **more: Any) -> list[dict[str, Any]]:
    """Stakes of an account from a moment on, so many seconds apart."""
    begin = dt.datetime.fromisoformat(start).replace(tzinfo=dt.UTC)
    return [
        bet(user, begin + dt.timedelta(seconds=n * apart), n)
        | {"event_id": f"{user}{start}{n}", "session_id": None, **more}
        for n in range(count)
    ]


def hard_days() -> Stream:
    """U1 plays a session of 200 minutes, U2 25 rounds at its night, U3 50 sessions that it names,
    U4 three days of small stakes and one of large ones. A gaming day begins at 13:00 UTC."""
    events = [
        *played("U1", "2026-06-15T15:00", 21, 600),
        *played("U2", "2026-06-15T22:00", 25, 10),
        *(e for k in range(50) for e in played("U3", f"2026-06-15T{14 + k % 8}:{k:02}", 1, 0,
                                               session_id=f"S{k}")),
        *(e for d in (12, 13, 14) for e in played("U4", f"2026-06-{d}T15:00", 3, 10)),
        *played("U4", "2026-06-15T15:00", 3, 10, bet_amount=Decimal("4.00")),
    ]  # fmt: skip
    return stream("clickstream", sorted(events, key=lambda e: e["timestamp"]))


@BRIEF
@given(data=st.data())
def test_alerts_of_protection_are_the_reasons_of_the_days_mart(data: st.DataObject) -> None:
    made = run(data.draw, hard_days())
    live = made.of(made.alerts, ("alert_id",)).filter(~pl.col("is_withdrawn"))
    assert sorted(live.select("account", "rule").rows()) == [
        ("U1", "long_session"),
        ("U2", "night_play"),
        ("U3", "many_sessions"),
        ("U4", "rise_over_days"),
    ]
    days = dt.date(2026, 6, 12), dt.date(2026, 6, 15)
    known = {"settings": Settings(), "days": days, "as_of": dt.datetime(2026, 7, 1, tzinfo=dt.UTC)}
    good = hard_days().good
    accounts = contract("online_accounts").empty().lazy()
    metrics = marts()["player_metrics"].rows(
        {"clickstream": good, "online_accounts": accounts}, **known
    )
    batch = marts()["responsible_gaming"].rows(
        {"clickstream": good, "player_metrics": metrics.collect().lazy()}, **known
    )
    reasons = batch.select("user_id", "reasons").explode("reasons").drop_nulls().collect()
    assert sorted(reasons.rows()) == sorted(live.select("account", "said").rows())


def test_what_held_and_holds_no_longer_is_taken_back() -> None:
    """20 rounds at night are half of 40, and less than half of 41."""
    events = [*played("U1", "2026-06-15T22:00", 20, 10), *played("U1", "2026-06-16T04:00", 21, 10)]
    whole = stream("clickstream", events)
    made = Run("clickstream")
    made.take(whole.bronze.head(40), tell=True)
    made.take(whole.bronze.tail(1), tell=True)
    versions = pl.concat(made.alerts).select("rule", "is_first", "is_withdrawn")
    assert versions.rows() == [("night_play", True, False), ("night_play", False, True)]


def test_an_alert_is_told_anew_when_it_rests_on_another_payment() -> None:
    """Of three within 5 s the first goes, as its number comes with another amount too; a late one
    of its moment takes its place. All that the alert measures is as it was."""
    at = dt.datetime(2026, 6, 15, 15, tzinfo=dt.UTC)

    def paid(n: int, second: int, amount: str = "9.50") -> dict[str, Any]:
        like = order(n, at + dt.timedelta(seconds=second), "U1", lambda held: held.elements[0])
        return like | {"order_id": "O1", "amount": Decimal(amount), "unit_price": Decimal(amount)}

    pieces_ = [paid(1, 0), paid(2, 1), paid(3, 2)], [paid(1, 0, "100.00"), paid(4, 0)]
    come = stream("shop_orders", [e for piece in pieces_ for e in piece]).bronze
    whole, parted = Run("shop_orders"), Run("shop_orders")
    whole.take(come, tell=True)
    parted.take(come.head(3), tell=True)
    parted.take(come.tail(2), tell=True)
    last = pl.col("alert_id").str.ends_with("-T3")
    [told, *_] = parted.of(parted.alerts, ("alert_id",)).filter(last).iter_rows(named=True)
    assert [one["record_id"] for one in told["evidence"]] == ["T4", "T2", "T3"]
    assert_same(whole, parted)


def test_an_event_that_is_too_late_is_counted_as_late_and_changes_nothing() -> None:
    """30 s are allowed: the event after three is 31 s older than they are, the next 29."""
    at = "2026-06-15T15:00:{:02}"
    events = [
        {**played("U1", at.format(s), 1, 0)[0], "session_id": "S1", "event_id": f"E{s}"}
        for s in (45, 46, 47, 14, 16)
    ]
    whole = stream("clickstream", events)
    made = Run("clickstream")
    made.take(whole.bronze, tell=False)
    assert made.state is not None
    assert made.state.memory.counts[1].late == 1
    made.tell()
    [session] = made.sessions[0].iter_rows(named=True)
    assert session["events"] == 4


def test_one_clock_that_is_wrong_makes_no_other_event_late() -> None:
    """An event from a day ahead; then the others go on."""
    ahead = played("U1", "2026-06-16T15:00", 1, 0)
    events = [
        *played("U3", "2026-06-15T15:00", 3, 1),
        *ahead,
        *played("U5", "2026-06-15T15:01", 3, 1),
    ]
    made = Run("clickstream")
    made.take(stream("clickstream", events).bronze, tell=True)
    assert made.state is not None
    assert made.state.memory.counts == {}
    assert made.state.memory.marks[1] == dt.datetime(2026, 6, 15, 15, 0, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize("table", TABLES)
def test_a_simulated_day_in_pieces_says_what_it_says_at_once(table: str) -> None:
    """With the defects that are planted in it; its own time and order, in two partitions."""
    world = World(WorldConfig(seed=5, scale=0.2))
    time = str(contract(table).event_time)
    user = contract(table).topic_key
    rows = pl.concat(world.frames(table, range(2))).drop_nulls([time, user]).sort(time)
    side = (rows[user].hash() % 2).cast(pl.Int64)
    at = pl.int_range(pl.len()).over("p")
    bronze = rows.with_columns(p=side).with_columns(
        _source=pl.format("topic:" + contract(table).topic + "/{}@{}", "p", at)
    ).drop("p")  # fmt: skip
    whole, parted = Run(table), Run(table)
    whole.take(bronze, tell=True)
    for k in range(0, len(bronze), 400):
        parted.take(bronze.slice(k, 400), tell=True)
    assert_same(whole, parted)
    if table in BATCH:
        good = clean(table, _in_a_life(bronze, whole), timezone=ZONE).good.lazy()
        live = parted.of(parted.windows, KEY)
        assert_frame_equal(as_table(live), as_table(BATCH[table](good)))


def _in_a_life(bronze: pl.DataFrame, run_: Run) -> pl.DataFrame:
    """But for events that came after their windows had closed: they are late, and no more."""
    assert run_.state is not None
    assert sum(c.late for c in run_.state.memory.counts.values()) == 0
    return bronze
