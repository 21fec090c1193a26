"""Rows of the shop for which each window of its marts matters, by hand, around D."""

from __future__ import annotations

import datetime as dt

Row = dict[str, object]
D = dt.date(2026, 6, 15)


def _on(days: int, time: str) -> str:
    return f"{D + dt.timedelta(days)} {time}"


def payment(key: str, user: str, days: int, **more: object) -> Row:
    """Ten dollars for a book."""
    return {
        "transaction_id": key,
        "user_id": user,
        "order_id": f"o{key}",
        "product_id": "SKU-1",
        "product_name": "Atlas",
        "product_category": "Books",
        "amount": "10.00",
        "status": "completed",
        "timestamp": _on(days, "16:00"),
        "payment_method": "paypal",
        "country": "EE",
        "device_type": "mobile",
        "quantity": 1,
        "unit_price": "10.00",
    } | more


def action(user: str, days: int, what: str) -> Row:
    return {
        "event_id": f"{user}{days}{what}",
        "user_id": user,
        "action": what,
        "category": "Books",
        "amount": "10.00",
        "timestamp": _on(days, "16:00"),
        "session_id": user,
    }


ORDERS: list[Row] = [
    # A customer on D who paid 30 days before, and so is not new.
    payment("p1", "SA", 0),
    payment("p2", "SA", -30),
    # Given back on D, what was paid 90 days before.
    payment("p3", "SB", -90),
    payment("r3", "SB", 0, status="refunded", refund_of="p3", order_id="op3"),
]
ACTIONS: list[Row] = [
    action("SA", 0, "view_product"),
    action("SA", 0, "purchase"),
    action("SC", 0, "view_product"),
]
# 16:00 at the property is 02:00 at home: night.
ACCOUNTS: list[Row] = [{"account_id": "SA", "gaming_day": D, "time_zone": "Europe/Tallinn"}]
