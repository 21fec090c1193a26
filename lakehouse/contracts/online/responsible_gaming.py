"""Signs of play that may do harm, as a clickstream shows them."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table


@table(
    "responsible_gaming",
    layer="gold",
    grain="one row per online account and gaming day with a stake",
)
class ResponsibleGaming(dy.Schema):
    """What one day of online play shows of the markers that research and regulators name:
    frequency, intensity, trajectory of stakes (Braverman and Shaffer), chasing (Auer and
    Griffiths), night play and long sessions; and of an account that two play at once, or a
    program. Reasons are where it is unusual by house-set thresholds. They are a cause to look,
    and no diagnosis.
    """

    user_id = c.text("Online account.", key=True, refs="online_accounts.account_id")
    gaming_day = c.gaming_day(key=True)
    sessions = c.count("Sessions, as in player_metrics.")
    minutes = c.count("Time in sessions.", unit="minutes")
    longest_session_minutes = c.count("Longest session.", unit="minutes")
    rounds = c.count("Stakes placed.")
    mean_stake = c.money("Mean stake.")
    loss = c.money("Stakes less wins: positive where the player lost.", minimum=None)
    night_rounds = c.count("Stakes placed from 00:00 to 06:00 by the clock of the player's place.")
    rounds_behind = c.count("Rounds that follow a lost one on the day.")
    chasing = c.number(
        "Mean stake after a lost round over that after one that was not; null without both.",
        nullable=True,
        unit="ratio",
    )
    rise_in_day = c.number(
        "Mean stake of the last third of the day's rounds over that of the first; null under "
        "three rounds.",
        nullable=True,
        unit="ratio",
    )
    rise_over_days = c.number(
        "Mean stake of the day over that of the days of play in the 29 before; null without one.",
        nullable=True,
        unit="ratio",
    )
    days_played = c.count("Days of play in 30, this one among them.", minimum=1, unit="days")
    minutes_at_once = c.count(
        "Time in which two sessions of the account ran from different networks; null where no "
        "session was told.",
        nullable=True,
        unit="minutes",
    )
    even_rounds = c.count(
        "Stakes of the longest session whose events follow one another evenly: a standard "
        "deviation under .3 of their mean gap; null where no session was told.",
        nullable=True,
    )
    reasons = c.ids("What is unusual, in words; empty where nothing is.")

    @dy.rule()
    def parts_of_rounds(cls) -> pl.Expr:
        """Rounds at night and rounds after a lost one are rounds of the day."""
        return (pl.col("night_rounds") <= pl.col("rounds")) & (
            pl.col("rounds_behind") <= pl.col("rounds")
        )
