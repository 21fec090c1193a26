"""Orders of the shop for which each window of the marts of fraud matters, by hand."""

from __future__ import annotations

import datetime as dt

import polars as pl
from law_rows import rows
from shop_rows import FAR, order

from lakehouse.contracts.shop.fraud import WINDOW
from lakehouse.detection.fraud.measures import REACH


def _taken_over(user: str, day: dt.date) -> list[dict]:
    """Somebody else's device, network and place, of one that was known as long before as may be."""
    known = day - dt.timedelta(days=REACH)
    return [
        order(f"{user}known", f"{known} 20:00", "9.00", user=user),
        order(f"{user}taken", f"{day} 20:00", "1500.00", user=user, place=FAR, device="d",
              network="n"),
    ]  # fmt: skip


def shop_orders(day: dt.date) -> pl.LazyFrame:
    """A takeover on the day, and one on the first of the four weeks up to it."""
    first = day - dt.timedelta(days=WINDOW - 1)
    return rows("shop_orders", *_taken_over("FW1", day), *_taken_over("FW2", first))


def plants(day: dt.date) -> list[dict[str, object]]:
    """Of the first of the four weeks."""
    first = day - dt.timedelta(days=WINDOW - 1)
    return [
        {
            "plant_id": "FW2",
            "kind": "account_takeover",
            "entity_type": "account",
            "entity_id": "A00000002",
            "window_start": first,
            "window_end": first,
            "table_name": "shop_orders",
            "row_key": "FW2taken",
            "expected_rule": "account_takeover",
            "intensity": 0.9,
            "strength": "blatant",
            "is_look_alike": False,
            "gaming_day": first,
        }
    ]
