"""What views tell of a lake that an engine has followed, worked by hand; and when a window is told
as final."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from live_house import House
from live_streams import BORDER, stream

from lakehouse.errors import BadInput
from lakehouse.live.views import answer, views
from lakehouse.settings import load_settings

AT = BORDER.replace(hour=9)
"""A whole minute, long before the gaming day ends."""


def paid(n: int, second: float, user: str, usd: str = "10.00", **more: Any) -> dict[str, Any]:
    return {
        "transaction_id": f"T{n}", "user_id": user, "user_email": "a@b.example",
        "user_name": "A B", "product_id": "p1", "product_name": "Atlas",
        "product_category": "Books", "amount": Decimal(usd), "currency": "USD",
        "payment_method": "paypal", "status": "completed",
        "timestamp": AT + dt.timedelta(seconds=second), "country": "EE",
        "device_type": "mobile", "browser": "chrome", "ip_address": "10.0.0.1",
        "order_id": f"O{n}", "quantity": 1, "unit_price": Decimal(usd),
    } | more  # fmt: skip


def did(n: int, second: float, user: str, action: str = "view_product") -> dict[str, Any]:
    at = AT + dt.timedelta(seconds=second)
    return {"event_id": f"E{n}", "user_id": user, "action": action, "timestamp": at}


@pytest.fixture
def shop(tmp_path: Path) -> House:
    """U2 and U1 look and pay within a minute; U4 looks; U2's second payment is refused."""
    house = House(tmp_path / "house", "shop_orders", "shop_actions")
    house.store(
        "shop_orders",
        stream("shop_orders", [
            paid(1, 0, "U1"), paid(2, 20, "U2", "5000.00"),
            paid(3, 25, "U2", "7.50", status="failed"), paid(4, 29, "U2", "2.50",
                                                             product_id="p2", product_name="Kite",
                                                             product_category="Toys"),
        ]).bronze,
    )  # fmt: skip
    seen = [did(1, 5, "U1"), did(2, 6, "U2"), did(3, 7, "U4"), did(4, 8, "U2", "add_to_cart")]
    house.store("shop_actions", stream("shop_actions", seen).bronze)
    house.flush()
    return house


def ask(house: House, view: str, **params: str) -> list[dict[str, Any]]:
    return answer(house.lake, house.settings, view, params).to_dicts()


def test_sales_are_those_of_all_partitions_while_the_window_is_open(shop: House) -> None:
    whole = {r["window_start"]: r for r in ask(shop, "sales")}[AT]
    assert (whole["transactions"], whole["sales"]) == (3, Decimal("5012.50"))
    assert (whole["orders"], whole["unique_users"]) == (3, 2)
    # 5,012.50 of three orders.
    assert whole["average_order_value"] == Decimal("1670.83")
    assert whole["top_products"][0] == {
        "product_id": "p1", "product_name": "Atlas", "sales": Decimal("5010.00"),
        "transactions": 2,
    }  # fmt: skip
    assert (whole["failed"], whole["refunds"], whole["payments"]) == (1, 0, 4)
    tuned = [a for a in ask(shop, "alerts") if a["rule"] == "tuned"]
    assert tuned
    assert whole["fraud_rate"] == len(tuned) / 4
    assert whole["visitors"] is None
    assert not whole["is_final"]


def go_on(house: House, second: int, user: str) -> None:
    """Three events of each topic, as many as move a watermark."""
    names = [int(f"{second}{user[1]}{k}") for k in range(3)]
    house.store("shop_orders", house.next("shop_orders", *(paid(n, second, user) for n in names)))
    house.store("shop_actions", house.next("shop_actions", *(did(n, second, user) for n in names)))


def test_who_visited_is_known_once_a_window_is_final(shop: House) -> None:
    """A minute, and the 30 s that events may be late, are over for all partitions."""
    for user in ("U1", "U2"):
        go_on(shop, 200, user)
    shop.flush()
    whole = {r["window_start"]: r for r in ask(shop, "sales")}[AT]
    assert whole["is_final"]
    # U1, U2 and U4 came, two of them paid.
    assert (whole["visitors"], whole["conversion_rate"]) == (3, round(2 / 3, 6))


def test_a_partition_that_is_silent_holds_no_window_open(shop: House) -> None:
    """Only U2's partition goes on; after a minute of the others' silence its word is enough."""
    go_on(shop, 200, "U2")
    shop.flush()
    assert not {r["window_start"]: r for r in ask(shop, "sales")}[AT]["is_final"]
    shop.now += dt.timedelta(seconds=120)
    for table, event in (
        ("shop_orders", paid(91, 201, "U2")),
        ("shop_actions", did(91, 201, "U2")),
    ):
        shop.store(table, shop.next(table, event))
    shop.flush()
    assert {r["window_start"]: r for r in ask(shop, "sales")}[AT]["is_final"]


def test_conversion_counts_who_looked_and_who_paid(shop: House) -> None:
    whole = {r["window_start"]: r for r in ask(shop, "conversion")}[AT]
    assert (whole["viewed"], whole["carted"], whole["paid"]) == (3, 1, 2)
    assert whole["conversion_rate"] == round(2 / 3, 6)


def test_alerts_hold_no_account_and_no_address_in_clear(shop: House) -> None:
    """5,000 dollars are very high by streamify."""
    told = ask(shop, "alerts")
    [alert] = [a for a in told if a["alert_id"] == "streamify-2026-06-14-T2"]
    assert (alert["topic"], alert["partition"], alert["offset"]) == ("sales_stream", 0, 0)
    assert alert["account"].startswith(f"{shop.key.key_id}:")
    sent = [str(m) for m in shop.sent("fraud_alerts") + shop.sent("analytics")]
    assert sent
    assert not any(clear in m for m in sent for clear in ("10.0.0.1", "a@b.example", "'U2'"))


def test_players_and_items_by_window(tmp_path: Path) -> None:
    house = House(tmp_path / "house", "player_events", "purchases")
    moved = [
        {"event_id": f"E{n}", "player_id": user, "event_type": "move", "level_id": "level_01",
         "map_id": "map_05", "timestamp": AT + dt.timedelta(seconds=n)}
        for n, user in enumerate(("U1", "U2", "U1", "U1", "U2", "U2"))
    ]  # fmt: skip
    bought = [
        {"transaction_id": f"T{n}", "player_id": user, "item_id": "sword", "price": Decimal("9.99"),
         "currency": "USD", "purchase_timestamp": AT + dt.timedelta(seconds=n)}
        for n, user in enumerate(("U1", "U2", "U2"))
    ]  # fmt: skip
    house.store("player_events", stream("player_events", moved).bronze)
    house.store("purchases", stream("purchases", bought).bronze)
    house.flush()
    here = ask(house, "active_players")
    assert [(r["level_id"], r["map_id"], r["active_players"], r["actions"]) for r in here] == [
        ("level_01", "map_05", 1, 1),
        ("level_01", "map_05", 2, 5),
    ]
    [sold] = ask(house, "item_sales")
    assert (sold["item_id"], sold["purchase_count"]) == ("sword", 3)
    assert (sold["total_revenue"], sold["buyers"]) == (Decimal("29.97"), 2)


def test_open_sessions_and_progress(tmp_path: Path) -> None:
    house = House(tmp_path / "house", "clickstream")
    events = [
        {"event_id": f"E{n}", "user_id": "U1", "event_type": "bet_placed", "game_name": "slots",
         "bet_amount": Decimal("2.00"), "win_amount": Decimal(0), "device": "mobile",
         "country": "EE", "is_bonus": False, "timestamp": AT + dt.timedelta(minutes=n)}
        for n in (0, 10, 39, 75)
    ]  # fmt: skip
    house.store("clickstream", stream("clickstream", events).bronze)
    house.flush()
    # 36 minutes of silence end the first session.
    [session] = ask(house, "sessions")
    assert (session["events"], session["stakes"]) == (1, Decimal("2.00"))
    [progress] = ask(house, "progress")
    assert (progress["offset"], progress["events"], progress["late"]) == (4, 4, 0)
    # The last three came to minute 10.
    assert progress["watermark"] == AT + dt.timedelta(minutes=10, seconds=-30)


@pytest.mark.parametrize("view", sorted(views()))
def test_every_view_answers_of_an_empty_lake(view: str, tmp_path: Path) -> None:
    assert ask(House(tmp_path / "house"), view) == []


def test_what_no_view_knows_is_refused(tmp_path: Path) -> None:
    house = House(tmp_path / "house")
    with pytest.raises(BadInput, match="no view 'wishes'; there are: sales, conversion"):
        ask(house, "wishes")
    with pytest.raises(BadInput, match="view sales has no parameter 'user'; known: windows"):
        ask(house, "sales", user="U1")
    for wrong in ("0", "-1", "1e3", "many", "10001", "", "٣"):
        with pytest.raises(BadInput, match="a whole number from 1 to 10000"):
            ask(house, "sales", windows=wrong)


def test_money_is_exact(shop: House) -> None:
    assert pl.DataFrame(ask(shop, "top_products"))["sales"].sum() == Decimal("5012.50")


def test_lateness_is_of_topics_and_not_negative() -> None:
    assert load_settings(lateness_seconds={"clickstream": 120}).lateness_seconds == {
        "clickstream": 120.0
    }
    with pytest.raises(BadInput, match="no topic 'clicks'; topics: clickstream, player_events"):
        load_settings(lateness_seconds={"clicks": 5})
    with pytest.raises(BadInput, match="greater than or equal to 0"):
        load_settings(lateness_seconds={"clickstream": -1})
