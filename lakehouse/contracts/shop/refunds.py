"""What the shop gave back, beside what was paid."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table
from lakehouse.contracts.shop.orders import CATEGORIES


@table("refunds", layer="gold", grain="one row per refund and gaming day")
class Refunds(dy.Schema):
    """Each refund with the payment that it names, looked for in the 90 gaming days before."""

    transaction_id = c.text("The refund.", key=True)
    gaming_day = c.gaming_day(key=True)
    user_id = c.text("Online account.", refs="online_accounts.account_id")
    order_id = c.text("Order.")
    product_category = c.code(CATEGORIES, "Category.")
    product_name = c.text("Product.")
    amount = c.money("What was given back.")
    refund_of = c.text("Payment that it names.", nullable=True)
    paid_on = c.day("Gaming day of the payment; empty where none is found.", nullable=True)
    paid_amount = c.money("What was paid.", nullable=True)
    refunded_before = c.money("What was given back of the payment till then.")
    is_covered = c.flag(
        "Names a completed payment of the order, and all that was given back of it is no more than "
        "was paid."
    )
