"""Orders of the shop by hand, as silver has them."""

from __future__ import annotations

from typing import Any

import polars as pl
from law_rows import rows

HOME, FAR = (59.44, 24.75), (40.71, -74.01)
"""Tallinn, and New York: 6,650 km away."""


def order(key: str, at: str, amount: str, user: str = "U1", **more: Any) -> dict[str, Any]:
    """A payment at home with the usual device; `place`, `device` and `network` say otherwise."""
    latitude, longitude = more.pop("place", HOME)
    return {
        "transaction_id": key,
        "user_id": user,
        "product_category": "Books",
        "amount": amount,
        "status": "completed",
        "timestamp": at,
        "latitude": latitude,
        "longitude": longitude,
        "device_id": more.pop("device", f"{user}'s own"),
        "ip_address": more.pop("network", f"{user}'s home"),
    } | more


def orders(*given: dict[str, Any]) -> pl.DataFrame:
    return rows("shop_orders", *given).collect()
