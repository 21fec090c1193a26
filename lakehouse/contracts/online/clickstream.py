"""The online casino's clickstream and its games."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

EVENT_TYPES = ("game_start", "bet_placed", "bet_result", "game_end")


@table("games", layer="source", grain="one row per game and gaming day", event_time=None)
class Games(dy.Schema):
    """The games of the online casino, with what each returns to players in the long run."""

    game_name = c.text("Game.", key=True, names=("game",))
    return_to_player = c.rate("Part of stakes that is won back in the long run.", minimum=0)
    lowest_stake = c.money("Least stake.")
    highest_stake = c.money("Highest stake.")
    gaming_day = c.gaming_day(key=True)
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()


@table(
    "clickstream",
    layer="source",
    grain="one row per event of a game",
    event_time="timestamp",
    kind="event_type",
    monthly_rows=300_000,
    topic="clickstream",
    topic_key="user_id",
)
class Clickstream(dy.Schema):
    """What players of the online casino did: a game is opened, rounds are staked and settled,
    the game is left."""

    timestamp = c.utc("When it happened.")
    user_id = c.account()
    event_type = c.code(EVENT_TYPES, "What happened.")
    game_name = c.text("Game.", refs="games.game_name")
    bet_amount = c.money("Stake of a bet_placed; 0 of all else.")
    win_amount = c.money("What the round paid, of a bet_result; 0 of all else.")
    device = c.code(c.DEVICES, "Kind of device.")
    country = c.text("ISO 3166 country of the player.", regex="^[A-Z]{2}$", upper=True)
    event_id = c.text("Event number, unique.", key=True)
    session_id = c.text("Session, where the client tells it.", nullable=True)
    round_id = c.text("Round that a stake and its result belong to.", nullable=True)
    is_bonus = c.flag("The stake was a bonus or a free bet: none of the player's money.")
    time_zone = c.text("Time zone of the player, by its IANA name.", nullable=True)
    ip_address = c.ip_address()
    gaming_day = c.gaming_day()
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()

    @dy.rule()
    def only_a_bet_has_a_stake(cls) -> pl.Expr:
        """A stake stands on a bet_placed, and there alone."""
        return (pl.col("bet_amount") == 0) | (pl.col("event_type") == "bet_placed")

    @dy.rule()
    def only_a_result_has_a_win(cls) -> pl.Expr:
        """A win stands on a bet_result, and there alone."""
        return (pl.col("win_amount") == 0) | (pl.col("event_type") == "bet_result")
