"""Streams of events as bronze has them: drawn worlds in any order that is in time, with copies,
clashes and faults, and what the batch says of the same events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import strategies as st

from lakehouse.contracts import contract
from lakehouse.detection.fraud.alerts import alerted
from lakehouse.detection.fraud.measures import measured, nothing_remembered, remembered
from lakehouse.detection.fraud.rules import judged
from lakehouse.live.rows import place
from lakehouse.live.watch import State, Watch, absorbed, begun, told
from lakehouse.regulation.gaming_day import gaming_day_of
from lakehouse.silver import clean

ZONE = "America/Los_Angeles"
LATENESS, SILENCE = dt.timedelta(seconds=30), dt.timedelta(minutes=30)
IN_TIME = 29
"""Seconds, less than the lateness."""
PARTITIONS = 2
# A gaming day ends at 13:00 UTC: windows and sessions run across its border.
BORDER = dt.datetime(2026, 6, 15, 13, 0, tzinfo=dt.UTC)
Event = dict[str, Any]


def order(n: int, at: dt.datetime, user: str, draw: Callable[..., Any]) -> Event:
    usd = draw(st.sampled_from(["0.99", "9.50", "100.00", "999.00", "5000.00"]))
    product = draw(st.sampled_from([("p1", "Atlas", "Books"), ("p2", "Kite", "Toys"),
                                    ("p3", "A card", "Gift Cards")]))  # fmt: skip
    return {
        "transaction_id": f"T{n}",
        "user_id": user,
        "user_email": "a@b.example",
        "user_name": "A B",
        "product_id": product[0],
        "product_name": product[1],
        "product_category": product[2],
        "amount": Decimal(usd),
        "currency": "USD",
        "payment_method": draw(st.sampled_from(["paypal", "credit_card"])),
        "status": draw(st.sampled_from(["completed", "completed", "failed", "refunded"])),
        "timestamp": at,
        "country": draw(st.sampled_from(["EE", "FI"])),
        "latitude": draw(st.sampled_from([59.44, 40.71, None])),
        "longitude": 24.75,
        "device_type": "mobile",
        "browser": "chrome",
        "ip_address": draw(st.sampled_from(["10.0.0.1", "10.0.0.2"])),
        "device_id": draw(st.sampled_from(["d1", "d2", None])),
        "order_id": f"O{n // 2}{user}",
        "quantity": 1,
        "unit_price": Decimal(usd),
    }


def bet(user: str, at: dt.datetime, n: int) -> Event:
    """A stake online, of an account."""
    return {
        "event_id": f"E{user}{n}",
        "user_id": user,
        "session_id": "S1",
        "event_type": "bet_placed",
        "game_name": "slots",
        "bet_amount": Decimal("2.00"),
        "win_amount": Decimal(0),
        "device": "mobile",
        "country": "EE",
        "is_bonus": False,
        "time_zone": "Europe/Tallinn",
        "timestamp": at,
    }


def action(n: int, at: dt.datetime, user: str, draw: Callable[..., Any]) -> Event:
    did = draw(st.sampled_from(["view_product", "add_to_cart", "purchase"]))
    return {"event_id": f"E{n}", "user_id": user, "action": did, "timestamp": at}


def move(n: int, at: dt.datetime, user: str, draw: Callable[..., Any]) -> Event:
    return {
        "event_id": f"E{n}",
        "player_id": user,
        "session_id": draw(st.sampled_from(["S1", None, None])),
        "event_type": draw(st.sampled_from(["move", "interaction"])),
        "level_id": draw(st.sampled_from(["level_01", "level_02"])),
        "map_id": "map_05",
        "timestamp": at,
    }


def purchase(n: int, at: dt.datetime, user: str, draw: Callable[..., Any]) -> Event:
    return {
        "transaction_id": f"T{n}",
        "player_id": user,
        "item_id": draw(st.sampled_from(["sword", "shield"])),
        "price": Decimal(draw(st.sampled_from(["0.99", "29.99"]))),
        "currency": "USD",
        "purchase_timestamp": at,
    }


def click(n: int, at: dt.datetime, user: str, draw: Callable[..., Any]) -> Event:
    kind = draw(st.sampled_from(["game_start", "bet_placed", "bet_placed", "bet_result"]))
    usd = Decimal(draw(st.sampled_from(["1.00", "2.50"])))
    return {
        "event_id": f"E{n}",
        "user_id": user,
        "session_id": draw(st.sampled_from(["S1", None, None])),
        "event_type": kind,
        "game_name": "slots",
        "bet_amount": usd if kind == "bet_placed" else Decimal(0),
        "win_amount": usd if kind == "bet_result" else Decimal(0),
        "device": "mobile",
        "country": "EE",
        "round_id": f"R{n}",
        "is_bonus": False,
        "time_zone": "Europe/Tallinn",
        "timestamp": at,
    }


EVENTS = {
    "shop_orders": order,
    "shop_actions": action,
    "player_events": move,
    "purchases": purchase,
    "clickstream": click,
}
BROKEN = {
    "shop_orders": "status",
    "shop_actions": "action",
    "player_events": "event_type",
    "purchases": "currency",
    "clickstream": "event_type",
}
"""Table → a column that its rows may lack; the rule of it is broken then."""


@dataclass(frozen=True)
class Stream:
    """Events of a table in order of partition and offset, as bronze has them."""

    table: str
    bronze: pl.DataFrame

    @property
    def good(self) -> pl.LazyFrame:
        """What the batch makes of them, without what it says of other tables."""
        return clean(self.table, self.bronze, timezone=ZONE).good.lazy()


@st.composite
def streams(draw: Any, table: str, most: int = 40, late: int = IN_TIME) -> Stream:
    """Events of few accounts within an hour and a half around the end of a gaming day, or after.
    `late`: seconds by which one may come late; beyond `IN_TIME` some count for nothing."""
    count = draw(st.integers(1, most))
    spread = draw(st.sampled_from([60, 300, 6_000]))
    middle = BORDER + dt.timedelta(hours=draw(st.sampled_from([0, 0, 1])))
    events: list[tuple[float, Event]] = []
    for n in range(count):
        second = draw(st.integers(0, spread * 2)) / 2
        at = middle + dt.timedelta(seconds=second - spread / 2)
        user = f"U{draw(st.integers(0, 3))}"
        event = EVENTS[table](n, at, user, draw)
        if draw(st.integers(0, 11)) == 0:
            event[BROKEN[table]] = None
        events.append((second + _late(draw, late), event))
        fate = draw(st.integers(0, 11))
        if fate in (0, 2):  # it comes again
            events.append((second + _late(draw, late), event))
        if fate in (1, 2):  # another event goes by its number
            aside = EVENTS[table](n, at + dt.timedelta(seconds=draw(st.integers(0, 3))), user, draw)
            events.append((second + 3 + _late(draw, late - 3), aside))
    events.sort(key=lambda e: e[0])
    return stream(table, [e for _, e in events])


def _late(draw: Callable[..., Any], most: int) -> float:
    return draw(st.sampled_from([0, 0, 0, 1])) * draw(st.integers(0, most))


def stream(table: str, events: list[Event]) -> Stream:
    """These events in the order in which they come, each account's in a partition of its own."""
    c = contract(table)
    schema = c.bronze_schema()
    user = "user_id" if "user_id" in schema else "player_id"
    ends: dict[int, int] = {}
    rows = []
    for event in events:
        partition = int(event[user][1:]) % PARTITIONS
        offset = ends[partition] = ends.get(partition, -1) + 1
        at = event[str(c.event_time)]
        told = {
            "gaming_day": gaming_day_of(at, ZONE),
            "_ingested_at": at + dt.timedelta(days=1),
            "_source": place(c.topic, partition, offset),
            "_batch_id": "b",
        }
        rows.append({n: None for n in schema} | event | told)
    return Stream(table, pl.DataFrame(rows, schema=schema, orient="row"))


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
        self.state, alerts = absorbed(self.watch, self.state or begun(self.watch), rows)
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


def batch_alerts(orders: pl.DataFrame, profile: str) -> pl.DataFrame:
    measures, _ = measured(orders, nothing_remembered())
    return alerted(judged(measures, profile), remembered(orders), profile)
