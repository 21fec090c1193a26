"""What was sold in the game, and by which purchases fraud is suspected."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table


@table("item_sales", layer="gold", grain="one row per item and gaming day")
class ItemSales(dy.Schema):
    """Purchases and revenue of each item, with who bought it suspiciously often.

    A purchase is suspicious where it is one of 6 that the account made within 10 minutes, or one
    of 3 that it made within 10 minutes from an address that another account bought from in the
    last 7 days."""

    item_id = c.text("Item.", key=True)
    gaming_day = c.gaming_day(key=True)
    item_type = c.text("Kind of item, where it is told.", nullable=True)
    purchases = c.count("Purchases.", minimum=1)
    revenue = c.money("What was paid for them.")
    buyers = c.count("Accounts that bought it.", minimum=1)
    type_purchases = c.count("Purchases of the day of all items of its kind.", minimum=1)
    type_revenue = c.money("What was paid for those.")
    suspicious_purchases = c.count("Purchases that are suspicious.")
    fraud_flags = c.structs(
        {
            "player_id": dy.String(),
            "ip_address": dy.String(nullable=True),
            "suspicious_purchase_count": dy.Int64(),
        },
        "By account and address, how many of its purchases are suspicious; most first.",
    )

    @dy.rule()
    def suspicious_are_purchases(cls) -> pl.Expr:
        """No more purchases are suspicious than there are."""
        return pl.col("suspicious_purchases") <= pl.col("purchases")
