"""What an account did in the online casino in a day."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table


@table("player_metrics", layer="gold", grain="one row per online account and gaming day of play")
class PlayerMetrics(dy.Schema):
    """What one account did in the online casino in one gaming day, as sums that merge.

    A session is what the client told, or, where it told nothing, play without a silence of half
    an hour (setting `session_silence_minutes`); one that is under way when the gaming day closes
    is two. Stakes are of players' money and of bonuses alike: GGR = stakes - wins, and NGR = GGR -
    bonus, before taxes and fees.
    """

    user_id = c.text("Online account.", key=True, refs="online_accounts.account_id")
    gaming_day = c.gaming_day(key=True)
    player_id = c.text(
        "Patron, where the account is linked to a card.",
        nullable=True,
        refs="player_profile.player_id",
    )
    sessions = c.count("Sessions.")
    rounds = c.count("Stakes placed.")
    stakes = c.money("Stakes, bonuses and free bets among them.")
    bonus = c.money("Of them stakes of bonuses and free bets.")
    wins = c.money("What rounds paid.")
    ggr = c.money("Gross gaming revenue: stakes - wins.", minimum=None)
    ngr = c.money("Net gaming revenue: GGR - bonus, before taxes and fees.", minimum=None)
    hold = c.number("GGR / stakes; null without a stake.", nullable=True, unit="fraction")
    minutes = c.count("Time from first to last event of each session.", unit="minutes")
    longest_session_minutes = c.count("Longest session.", unit="minutes")
    high_frequency_actions = c.count(
        "Events in runs of which each comes less than two seconds after the one before (setting "
        "`high_frequency_seconds`), the first of a run among them."
    )
    games = c.ids("Games played, in order of name.")
    devices = c.ids("Kinds of device used, in order of name.")
    first_seen = c.utc("First event.")
    last_seen = c.utc("Last event.")

    @dy.rule()
    def ggr_is_stakes_less_wins(cls) -> pl.Expr:
        """ggr = stakes - wins, and ngr = ggr - bonus."""
        gross = pl.col("ggr") == pl.col("stakes") - pl.col("wins")
        return gross & (pl.col("ngr") == pl.col("ggr") - pl.col("bonus"))

    @dy.rule()
    def bonus_is_a_part_of_stakes(cls) -> pl.Expr:
        """Bonuses and free bets are stakes."""
        return pl.col("bonus") <= pl.col("stakes")
