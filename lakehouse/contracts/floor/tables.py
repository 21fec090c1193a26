"""Table games: ratings, chips, markers, fills and credits at the pit."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

GAMES = ("Blackjack", "Craps", "Roulette", "Baccarat", "Poker", "Pai Gow")
ZONES = ("Main Pit", "High Limit", "VIP Salon", "Poker Room", "Asian Gaming")
EVENT_TYPES = (
    "BUY_IN",
    "CASH_OUT",
    "RATING_START",
    "RATING_END",
    "FILL",
    "CREDIT",
    "MARKER_ISSUED",
    "MARKER_PAID",
    "SHIFT_START",
    "SHIFT_END",
)
SHIFTS = ("Day", "Swing", "Grave")
SHIFTS_SPELLED = {
    "Day shift": "Day",
    "Swing shift": "Swing",
    "Grave shift": "Grave",
    "Graveyard": "Grave",
    "Graveyard shift": "Grave",
}


@table(
    "table_games",
    layer="source",
    grain="one row per table event",
    event_time="event_timestamp",
    monthly_rows=100_000,
    kind="event_type",
)
class TableGames(dy.Schema):
    """What the pit records. BUY_IN and CASH_OUT describe money that the cage records too."""

    event_id = c.text("Event number, unique.", key=True)
    table_id = c.text("Table, TBL-XX-001.")
    game_type = c.code(GAMES, "Game dealt.", also={"BJ": "Blackjack"})
    table_number = c.count("Number on the layout.", minimum=1)
    zone = c.code(ZONES, "Pit.")
    event_type = c.code(
        EVENT_TYPES,
        "What happened.",
        also={"Marker issue": "MARKER_ISSUED", "Marker payment": "MARKER_PAID"},
    )
    event_timestamp = c.utc("When it happened.")
    player_id = c.player("Rated patron; null for unrated play and table events.")
    player_rating_id = c.text("Rating that the row belongs to.", nullable=True)
    dealer_id = c.text("Dealer at the table.")
    shift = c.code(SHIFTS, "Shift of the pit.", also=SHIFTS_SPELLED)
    amount = c.money("Chips or currency moved in this row.", nullable=True)
    chip_denomination = c.money("Main chip colour moved.", nullable=True)
    min_bet = c.money("Table minimum.")
    max_bet = c.money("Table maximum.")
    average_bet = c.money("RATING_END: average bet.", nullable=True)
    hands_played = c.count("RATING_END: decisions played.", nullable=True)
    hours_played = c.hours("RATING_END: hours played.", nullable=True)
    theoretical_win = c.money(
        "RATING_END: average bet x decisions per hour x hours x edge.", nullable=True
    )
    actual_win_loss = c.money(
        "RATING_END: the house's win; positive where the patron lost.",
        nullable=True,
        minimum=None,
    )
    marker_number = c.text("Marker drawn or paid.", nullable=True)
    fill_slip_number = c.text("Fill or credit slip.", nullable=True)
    drop_amount = c.money("Currency dropped into the box by this row.", nullable=True)
    gaming_day = c.gaming_day()
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()

    @dy.rule()
    def bets_are_ordered(cls) -> pl.Expr:
        """The least bet of a table is not over its most."""
        return pl.col("min_bet") <= pl.col("max_bet")

    @dy.rule()
    def chip_movement_has_its_amount(cls) -> pl.Expr:
        """A row that moves chips, cash or a marker has its amount."""
        moves = pl.col("event_type").is_in(
            ["BUY_IN", "CASH_OUT", "FILL", "CREDIT", "MARKER_ISSUED", "MARKER_PAID"]
        )
        return ~moves | pl.col("amount").is_not_null()

    @dy.rule()
    def rating_names_its_number(cls) -> pl.Expr:
        """A RATING_START or RATING_END row names its rating."""
        rated = pl.col("event_type").is_in(["RATING_START", "RATING_END"])
        return ~rated | pl.col("player_rating_id").is_not_null()
