"""Who played with which dealer, and how it went: the partial that pairs are judged from."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table


@table(
    "dealer_play", layer="gold", grain="one row per dealer, rated player and gaming day together"
)
class DealerPlay(dy.Schema):
    """Closed ratings of games against the house. Sums merge over days."""

    dealer_id = c.text("Dealer at the end of the rating.", key=True)
    player_id = c.text("Rated patron.", key=True)
    gaming_day = c.gaming_day(key=True)
    ratings = c.count("Ratings closed.")
    hands_played = c.count("Decisions played.")
    theo = c.money("The house's expected win.")
    player_win = c.money("What the patron won; negative where he lost.", minimum=None)
    luck = c.number(
        "Sum over ratings of (player_win + theo) in standard deviations of the game (games.toml): "
        "0 on average, of variance 1 a rating, in honest play.",
        unit="standard deviations",
    )
    luck_squares = c.number("Sum over ratings of the square of each one's luck.")
