"""How the online casino's games did in a day."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.columns import DEVICES
from lakehouse.contracts.registry import table


@table("game_day", layer="gold", grain="one row per game, kind of device, country and gaming day")
class GameDay(dy.Schema):
    """What was staked on a game and won, by device and country, beside what the game returns to
    players in the long run."""

    game_name = c.text("Game.", key=True, refs="games.game_name")
    device = c.code(DEVICES, "Kind of device.", key=True)
    country = c.text("ISO 3166 country of the player.", key=True)
    gaming_day = c.gaming_day(key=True)
    players = c.count("Accounts that opened the game.")
    rounds = c.count("Stakes placed.")
    stakes = c.money("Stakes, bonuses and free bets among them.")
    bonus = c.money("Of them stakes of bonuses and free bets.")
    wins = c.money("What rounds paid.")
    ggr = c.money("Gross gaming revenue: stakes - wins.", minimum=None)
    ngr = c.money("Net gaming revenue: GGR - bonus, before taxes and fees.", minimum=None)
    hold = c.number("GGR / stakes; null without a stake.", nullable=True, unit="fraction")
    return_to_player = c.number(
        "Part of stakes that the game gives back in the long run; null where no table tells.",
        nullable=True,
        unit="fraction",
    )
    theo = c.money("Stakes x (1 - return_to_player), half up: GGR to be expected.", nullable=True)

    @dy.rule()
    def ggr_is_stakes_less_wins(cls) -> pl.Expr:
        """ggr = stakes - wins, and ngr = ggr - bonus."""
        gross = pl.col("ggr") == pl.col("stakes") - pl.col("wins")
        return gross & (pl.col("ngr") == pl.col("ggr") - pl.col("bonus"))
