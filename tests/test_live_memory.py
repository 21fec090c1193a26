"""What is remembered of events that came: no more than what later ones may change."""

import datetime as dt
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from live_streams import LATENESS, SILENCE, ZONE, bet, stream

from lakehouse.live import fraud
from lakehouse.live.alerts import ALERT, after, nothing_said, versions
from lakehouse.live.watch import State, Watch, absorbed, begun, told

JUNE = dt.datetime(2026, 6, 15, 20, tzinfo=dt.UTC)
ALERT_OF_MANY: dict[str, Any] = {
    "alert_id": "tuned-T1",
    "family": "fraud",
    "rule": "profile",
    "level": "HIGH",
    "score": 0.9,
    "account": "user:1",
    "said": "900 payments in an hour",
    "context": '{"payments":900}',
    "evidence": [{"table_name": "shop_orders", "record_id": f"T{n}"} for n in range(900)],
    "event_time": JUNE,
    "partition": 0,
    "offset": 4,
    "is_withdrawn": False,
    "gaming_day": JUNE.date(),
}


def alerts(**changed: Any) -> pl.DataFrame:
    return pl.DataFrame([ALERT_OF_MANY | changed], schema=ALERT)


def test_an_alert_that_was_told_is_small_whatever_it_rests_on() -> None:
    known = after(nothing_said(), alerts())
    assert known.estimated_size() < 500
    judged = known.select("alert_id")
    assert versions(known, alerts(), judged).is_empty()
    [more] = versions(known, alerts(context='{"payments":901}'), judged).rows(named=True)
    assert (more["context"], len(more["evidence"]), more["is_first"]) == (
        '{"payments":901}', 900, False,
    )  # fmt: skip
    [back] = versions(known, alerts().clear(), judged).rows(named=True)
    assert (back["said"], back["is_withdrawn"]) == ("900 payments in an hour", True)
    gone = after(known, alerts(**{n: back[n] for n in ALERT}))
    assert versions(gone, alerts().clear(), judged).is_empty()
    assert versions(gone, alerts(), judged).height == 1


def order(user: str, at: dt.datetime, n: int) -> dict[str, Any]:
    return {
        "transaction_id": f"T{user}{n}",
        "user_id": user,
        "user_email": f"{user}@b.example",
        "user_name": user,
        "product_id": "p1",
        "product_name": "A card",
        "product_category": "Gift Cards",
        "amount": Decimal("5000.00"),
        "currency": "USD",
        "payment_method": "credit_card",
        "status": "completed",
        "timestamp": at,
        "country": "EE",
        "device_type": "mobile",
        "browser": "chrome",
        "ip_address": "10.0.0.1",
        "order_id": f"O{user}{n}",
        "quantity": 1,
        "unit_price": Decimal("5000.00"),
    }


def move(user: str, at: dt.datetime, n: int) -> dict[str, Any]:
    return {
        "event_id": f"E{user}{n}",
        "player_id": user,
        "session_id": "S1",
        "event_type": "move",
        "level_id": "level_01",
        "map_id": "map_05",
        "timestamp": at,
    }


MADE = {"shop_orders": order, "player_events": move, "clickstream": bet}


@pytest.mark.parametrize("table", MADE)
def test_an_account_that_is_long_silent_is_forgotten(table: str) -> None:
    """After 40 days: payments are measured against those of 30 days before."""
    watch = Watch(table, ZONE, LATENESS, SILENCE)
    state = begun(watch)
    old, later = [f"A{n}" for n in range(8)], [f"B{n}" for n in range(8)]
    events = [
        MADE[table](user, JUNE + dt.timedelta(days=days, minutes=n), days * 100 + n)
        for users, days in ((old, 0), (later, 40), (later, 41))
        for n in range(25)
        for user in users
    ]
    begun_with, *others = stream(table, events).bronze.partition_by("gaming_day")
    state, _ = told(watch, absorbed(watch, state, watch.judged(begun_with))[0])
    assert accounts(state) == set(old)
    for rows in others:
        state, _ = told(watch, absorbed(watch, state, watch.judged(rows))[0])
    assert accounts(state) == set(later)


def accounts(state: State) -> set[str]:
    """Who is named anywhere in what is remembered."""
    frames = (
        state.memory.rows,
        state.sessions.folded,
        state.sessions.open,
        state.fraud.known,
        state.fraud.said,
        state.protection.played,
        state.protection.said,
    )
    named = {"user_id", "player_id", "account"}
    return {user for f in frames for n in named & set(f.columns) for user in f[n].unique()}


def following(table: str, minutes: list[list[str]], each: int) -> list[State]:
    """What is remembered after each minute in which some accounts do something so often."""
    watch, second = Watch(table, ZONE, LATENESS, SILENCE), dt.timedelta(seconds=1)
    events = [
        MADE[table](user, JUNE + minute * 60 * second + n * 60 / each * second, minute * each + n)
        for minute, accounts in enumerate(minutes)
        for n in range(each)
        for user in accounts
    ]
    at = pl.col("timestamp").dt.truncate("1m")
    state, states = begun(watch), []
    for rows in (
        stream(table, events)
        .bronze.with_columns(minute=at)
        .partition_by("minute", include_key=False)
    ):
        state, _ = told(watch, absorbed(watch, state, watch.judged(rows))[0])
        states.append(state)
    return states


@pytest.mark.parametrize("table", ["player_events", "clickstream"])
def test_accounts_that_go_on_playing_take_no_more(table: str) -> None:
    accounts = [f"A{n}" for n in range(40)]
    states = following(table, [accounts] * 12, each=10)
    for state in states[3:]:
        assert len(state.sessions.open) == len(accounts)
        assert len(state.sessions.folded) <= 2 * len(accounts) + 1_000
        assert len(state.memory.rows) <= 2 * 10 * len(accounts)
        assert len(state.protection.played) == (len(accounts) if table == "clickstream" else 0)
        assert len(state.protection.said) <= len(accounts)


@pytest.mark.parametrize(("table", "most"), [("player_events", 300), ("clickstream", 350)])
def test_an_account_that_is_new_takes_no_more_than_is_said(table: str, most: int) -> None:
    """Bytes until its gaming day is over, as docs/live_windows.md has it for a thousand."""
    minutes = [[f"A{minute * 500 + n:018}" for n in range(500)] for minute in range(12)]
    states = following(table, minutes, each=3)
    assert (size(states[11]) - size(states[5])) / (6 * 500) < most


def test_payments_that_come_by_and_by_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Polars keeps 8 KiB of memory for the texts of each few, in whatever chunk they are."""
    monkeypatch.setattr(fraud, "CHUNKS", 4)
    watch, second = Watch("shop_orders", ZONE, LATENESS, SILENCE), dt.timedelta(seconds=1)
    payments = [order(f"A{n:018}", JUNE + n * second, n) for n in range(3 * 10)]
    rows = stream("shop_orders", payments).bronze.drop("user_id")
    state = begun(watch)
    for n in range(0, len(payments), 3):
        users = pl.Series("user_id", [str(p["user_id"]) for p in payments[n : n + 3]])
        state, _ = absorbed(watch, state, watch.judged(rows[n : n + 3].with_columns(users)))
    known = state.fraud.known["user_id"]
    assert sorted(known) == [p["user_id"] for p in payments]
    assert len(pieces(known)) <= 4


def test_alerts_that_are_told_by_and_by_are_put_together() -> None:
    said = nothing_said()
    for n in range(70):
        said = after(said, alerts(alert_id=f"tuned-T{n:018}"))
    assert said["alert_id"].to_list() == [f"tuned-T{n:018}" for n in range(70)]
    assert len(pieces(said["alert_id"])) < 10


def pieces(texts: pl.Series) -> set[int]:
    """The pieces of memory that the texts lie in, by address."""
    newest = pl.CompatLevel.newest()
    arrays = [chunk.to_arrow(compat_level=newest) for chunk in texts.get_chunks()]
    return {buffer.address for array in arrays for buffer in array.buffers()[2:]}


def size(state: State) -> int:
    return sum(
        f.rechunk().estimated_size()
        for f in (
            state.sessions.folded,
            state.sessions.open,
            state.protection.played,
            state.protection.said,
        )
    )
