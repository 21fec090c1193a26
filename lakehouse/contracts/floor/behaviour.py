"""How a patron played in a day: what the protection of players is judged from."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table


@table("player_behaviour", layer="gold", grain="one row per player and gaming day on the floor")
class PlayerBehaviour(dy.Schema):
    """How one patron played in one gaming day (any carded machine row, any row of the pit), as sums
    that merge: of any days, add the columns;
    of `longest_…` and `most_…`, take the greatest.

    A session is a carded session at one machine or a rating at a table. A stretch is play without
    a break of 30 minutes, whatever the machines and tables. A session is lost where the house won.
    """

    player_id = c.text("Patron.", key=True, refs="player_profile.player_id")
    gaming_day = c.gaming_day(key=True)
    sessions = c.count("Sessions.")
    slot_sessions = c.count("Of them at machines.")
    minutes = c.count("Time on device and rated hours, as in player_day.", unit="minutes")
    night_minutes = c.count(
        "Time in sessions between midnight and 06:00 at the property.", unit="minutes"
    )
    longest_session_minutes = c.count("Longest session.", unit="minutes")
    longest_stretch_minutes = c.count(
        "Longest stretch of play, its short breaks within.", unit="minutes"
    )
    long_stretches = c.count("Stretches of more than three hours.")
    rounds = c.count("Games at machines and decisions at tables.")
    games_played = c.count("Of them games at machines, as in player_day.")
    staked = c.money("Coin-in, and average bet x decisions.")
    stake_squares = c.number(
        "Sum over rounds of the squared stake, in squared cents; a machine's row counts its mean.",
        unit="cents squared",
    )
    highest_stake = c.money("Mean stake of a round in the session where it was highest.")
    coin_in = c.money("Carded slot wagers, as in player_day.")
    loss = c.money("The house's win of the play, as actual in player_day.", minimum=None)
    games = c.count("Different games: themes of machines, and table games.")
    rows_behind = c.count(
        "Rows of machine play that follow another of their session while the session has lost."
    )
    rows_raised = c.count("Of them those whose mean bet is up by a quarter or more.")
    sessions_behind = c.count(
        "Sessions that follow, on the day, a lost one of the same kind (machine, table)."
    )
    sessions_raised = c.count("Of them those whose mean stake is up by a quarter or more.")
    run_freedom = c.count(
        "Sessions with a stake less the kinds (machine, table) of the day: what the next three "
        "rest on."
    )
    run_squares = c.count(
        "Of those sessions: squared deviation of the sessions lost in a row just before each, "
        "three at the most, from the kind's mean of the day.",
        unit="thousandths",
    )
    run_stakes = c.count(
        "Product of that deviation and that of the logarithm of the mean stake.",
        minimum=None,
        unit="thousandths",
    )
    stake_spread = c.count(
        "Squared deviation of the logarithm of the mean stake.", unit="thousandths squared"
    )
    deposits = c.count("Times that money came in play: bills, chips bought, markers drawn.")
    most_deposits = c.count("Most of them in one session.")
    deposited = c.money("What those put in.")
    withdrawn = c.money("Tickets printed, hand-pays, chips carried off tables.")
    cash_outs = c.count("Payments of currency by the cage for chips, tickets or money kept there.")
    reversals = c.count("Of them those after which money came in play within 30 minutes.")

    @dy.rule()
    def counts_are_of_what_they_count(cls) -> pl.Expr:
        """Night, lost, raised and reversed are parts of what they are counted from."""
        parts = {
            "slot_sessions": "sessions",
            "games_played": "rounds",
            "rows_raised": "rows_behind",
            "sessions_raised": "sessions_behind",
            "reversals": "cash_outs",
            "most_deposits": "deposits",
            "longest_session_minutes": "longest_stretch_minutes",
        }
        return pl.all_horizontal(pl.col(part) <= pl.col(whole) for part, whole in parts.items())
