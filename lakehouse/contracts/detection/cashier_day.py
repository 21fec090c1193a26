"""What each cashier did in a day: the partial that cashiers are held against their peers from."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table


@table("cashier_day", layer="gold", grain="one row per cashier and gaming day")
class CashierDay(dy.Schema):
    """Transactions at the cage by who served. Sums merge over days."""

    cashier_id = c.text("Cashier.", key=True)
    gaming_day = c.gaming_day(key=True)
    transactions = c.count("Transactions.")
    amount = c.money("Value of them all.")
    small = c.count("Of them, those that need no approval (house.approval in games.toml).")
    overrides = c.count("Of these, those that a supervisor approved all the same.")
    overridden = c.money("Value of the overrides.")
    voids = c.count("Transactions that were voided and entered again, by their note.")
    voided = c.money("Value of the voids.")
    main_approver_id = c.text("Supervisor of most overrides; null without any.", nullable=True)

    @dy.rule()
    def parts_are_within_the_whole(cls) -> pl.Expr:
        """Overrides are small transactions, and both they and voids are transactions."""
        every = pl.col("transactions")
        parts = (pl.col("small") <= every) & (pl.col("voids") <= every)
        return parts & (pl.col("overrides") <= pl.col("small"))
