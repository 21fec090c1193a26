"""Wins that a tax form may be due for (26 CFR 1.6041-10, IRC 1441)."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.floor.tables import GAMES
from lakehouse.contracts.registry import table

PRIZE_TYPES = ("CASH", "CHIPS", "GOODS")


@table(
    "gaming_wins",
    layer="source",
    grain="one row per win that may be reportable",
    event_time="paid_at",
)
class GamingWins(dy.Schema):
    """One play's win with its wager. Net winnings are `gross_amount` less `wager`."""

    win_id = c.text("Win, unique.", key=True)
    player_id = c.player("Winner.")
    game_type = c.code(
        c.GAME_TYPES, "Kind of game, as the tax form has it.", also={"Slots": "SLOT"}
    )
    won_at = c.utc("When the play ended.")
    paid_at = c.utc("When it was paid; thresholds and years follow the payment.")
    gross_amount = c.money("All that is paid, stake included; fair value of goods.")
    wager = c.money("Stake of the play; buy-in of a tournament.")
    is_free_play = c.flag("Staked with free play: the wager counts as nothing.", nullable=True)
    table_game = c.code((*GAMES, "Big Six", "Other"), "Game, for table wins.", nullable=True)
    prize_type = c.code(PRIZE_TYPES, "How it was paid.", nullable=True)
    paid_in_currency = c.flag("Paid in currency.", nullable=True)
    machine_id = c.text("Machine.", nullable=True)
    table_id = c.text("Table.", nullable=True)
    transaction_id = c.text(
        "Cage transaction that paid it.", nullable=True, refs="financial_txn.transaction_id"
    )
    gaming_day = c.gaming_day()
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()

    @dy.rule()
    def paid_after_won(cls) -> pl.Expr:
        """A win is not paid before it was won."""
        return pl.col("paid_at") >= pl.col("won_at")
