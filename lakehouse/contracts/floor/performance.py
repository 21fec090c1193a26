"""Performance of machines, tables and the property, by gaming day."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.floor.slots import MACHINE_TYPES
from lakehouse.contracts.floor.slots import ZONES as SLOT_ZONES
from lakehouse.contracts.floor.tables import GAMES
from lakehouse.contracts.floor.tables import ZONES as PITS
from lakehouse.contracts.registry import table

WIN_BASES = ("inventory", "ratings")


@table("slot_performance", layer="gold", grain="one row per machine and gaming day")
class SlotPerformance(dy.Schema):
    """Play, win and hold of a machine. Identity columns are those of the day's last row."""

    machine_id = c.text("Machine.", key=True)
    gaming_day = c.gaming_day(key=True)
    zone = c.code(SLOT_ZONES, "Part of the floor.")
    denomination = c.money("Value of one credit.")
    machine_type = c.code(MACHINE_TYPES, "Kind of machine.")
    manufacturer = c.text("Maker.")
    game_theme = c.text("Game installed.")
    sessions = c.count("Play sessions, carded or not.")
    games_played = c.count("Games.")
    coin_in = c.money("Sum of wagers.")
    carded_coin_in = c.money("Sum of wagers with a card in.")
    coin_out = c.money("Sum won to the credit meter.")
    jackpots = c.count("Hand-pays.")
    jackpot_amount = c.money("Sum of hand-pays.")
    win = c.money("coin_in - coin_out - jackpot_amount.", minimum=None)
    theo = c.money("Sum of coin-in x theoretical hold by row, exact, rounded half up once.")
    bills_in = c.money("Bills accepted: the drop.")
    tickets_out = c.money("Tickets printed.")
    theoretical_hold = c.number(
        "Coin-in weighted theoretical hold; the last row's without play.", unit="fraction"
    )
    actual_hold = c.number("win / coin_in; null without play.", nullable=True, unit="fraction")
    hold_low = c.number(
        "Lower end of the 99% interval of actual hold: theoretical_hold - 2.5758 sd, where sd x "
        "coin_in is the root of the sum over rows of coin-in^2 / games x ((1 - h) m - (1 - h)^2), "
        "m the prize multiple of the machine type (games.toml). A normal approximation: too "
        "narrow above and too wide below for few games.",
        nullable=True,
        unit="fraction",
    )
    hold_high = c.number("Upper end of that interval, at most 1.", nullable=True, unit="fraction")
    is_hold_outside = c.flag("actual_hold lies outside [hold_low, hold_high].")
    occupancy = c.number(
        "Share of the gaming day (23, 24 or 25 hours) between first and last row of a session.",
        unit="fraction",
    )
    meter_variance = c.money(
        "Advance of the coin-in meter between the day's first and last reading less the coin-in "
        "reported between them; null with fewer than two readings.",
        nullable=True,
        minimum=None,
    )

    @dy.rule()
    def win_is_what_was_not_paid(cls) -> pl.Expr:
        """win = coin_in - coin_out - jackpot_amount."""
        paid = pl.col("coin_out") + pl.col("jackpot_amount")
        return pl.col("win") == pl.col("coin_in") - paid


@table("slot_sessions", layer="gold", grain="one row per machine, gaming day and session")
class SlotSessions(dy.Schema):
    """What a session at a machine wagered and was paid. Rows without a session are left out."""

    machine_id = c.text("Machine.", key=True)
    gaming_day = c.gaming_day(key=True)
    session_id = c.text("Session.", key=True)
    machine_type = c.code(MACHINE_TYPES, "Kind of machine.")
    games_played = c.count("Games.")
    coin_in = c.money("Sum of wagers.")
    coin_out = c.money("Sum won to the credit meter.")
    jackpot_amount = c.money("Sum of hand-pays.")
    theo = c.money("Sum of coin-in x theoretical hold by row, exact, rounded half up once.")
    payout_deviation = c.money(
        "Standard deviation of what is paid: the root of the sum over rows of coin-in^2 / games x "
        "((1 - h) m - (1 - h)^2), m the prize multiple of the machine type (games.toml)."
    )


@table("table_performance", layer="gold", grain="one row per table and gaming day")
class TablePerformance(dy.Schema):
    """Drop, win and hold of a table. Unrated play has drop but no theo."""

    table_id = c.text("Table.", key=True)
    gaming_day = c.gaming_day(key=True)
    game_type = c.code(GAMES, "Game dealt.")
    zone = c.code(PITS, "Pit.")
    ratings = c.count("Ratings closed.")
    hands_played = c.count("Rated decisions.")
    rated_minutes = c.count("Rated time, half up.", unit="minutes")
    average_bet = c.money(
        "Average bet of ratings, weighted by hours, half up; null without rated hours.",
        nullable=True,
    )
    cash_drop = c.money("Currency in the drop box.")
    marker_drop = c.money(
        "Marker slips in the drop box: drawn less paid at the table.", minimum=None
    )
    drop = c.money("cash_drop + marker_drop.", minimum=None)
    chips_out = c.money("Chips that patrons carried away from the table (CASH_OUT).")
    fills = c.money("Chips brought from the cage.")
    credits = c.money("Chips sent back to the cage.")
    opening = c.money("Chip inventory at the day's first SHIFT_START, if counted.", nullable=True)
    closing = c.money("Chip inventory at the day's last SHIFT_END, if counted.", nullable=True)
    win = c.money(
        "drop - (opening + fills - credits - closing) where both inventories were counted, else "
        "the house's win of the ratings.",
        minimum=None,
    )
    win_basis = c.code(WIN_BASES, "What win rests on.")
    rated_win = c.money("The house's win of the ratings.", minimum=None)
    theo = c.money(
        "Sum over ratings of average bet x decisions per hour x hours x edge (games.toml), each "
        "rounded half up to a cent."
    )
    hold = c.number("win / drop; not the edge. Null without drop.", nullable=True, unit="fraction")
    win_low = c.money(
        "Lower end of the 99% interval of rated win: theo - 2.5758 sd, sd^2 the sum of average "
        "bet^2 x decisions x deviation^2 (games.toml).",
        nullable=True,
        minimum=None,
    )
    win_high = c.money("Upper end of that interval.", nullable=True, minimum=None)
    is_win_outside = c.flag("rated_win lies outside [win_low, win_high].")

    @dy.rule()
    def drop_is_the_sum_of_its_parts(cls) -> pl.Expr:
        """drop = cash_drop + marker_drop."""
        return pl.col("drop") == pl.col("cash_drop") + pl.col("marker_drop")

    @dy.rule()
    def inventory_win_has_its_counts(cls) -> pl.Expr:
        """Win by inventory has both its counts, and no other has."""
        counted = pl.col("opening").is_not_null() & pl.col("closing").is_not_null()
        return counted == (pl.col("win_basis") == "inventory")


@table("property_day", layer="gold", grain="one row per gaming day")
class PropertyDay(dy.Schema):
    """The day's report, summed from the marts, with its difference from silver.

    A `…_difference` column is the mart's total less the same total taken straight from silver;
    anything but 0 is a fault of the pipeline.
    """

    gaming_day = c.gaming_day(key=True)
    machines = c.count("Machines that reported.")
    tables = c.count("Tables that reported.")
    headcount = c.count("Identified patrons on a trip.")
    new_players = c.count("Patrons who enrolled that day.")
    first_visits = c.count(
        "Patrons on their first trip since the books opened, as the day's profiles count."
    )
    uncarded_sessions = c.count("Slot sessions without a card.")
    slot_coin_in = c.money("Slot wagers.")
    slot_drop = c.money("Bills in machines.")
    slot_win = c.money("Slot win.", minimum=None)
    slot_theo = c.money("Slot theo.")
    slot_hold = c.number("slot_win / slot_coin_in.", nullable=True, unit="fraction")
    jackpot_amount = c.money("Hand-pays.")
    table_drop = c.money("Table drop, currency and markers.", minimum=None)
    table_win = c.money("Table win.", minimum=None)
    table_theo = c.money("Table theo of rated play.")
    table_hold = c.number("table_win / table_drop.", nullable=True, unit="fraction")
    drop = c.money("slot_drop + table_drop.", minimum=None)
    win = c.money("slot_win + table_win.", minimum=None)
    theo = c.money("slot_theo + table_theo.")
    cash_in = c.money("Currency taken by the cage, identified or not, as in player_day.")
    cash_out = c.money("Currency paid by the cage, as in player_day.")
    cash_position = c.money("cash_in - cash_out: change of the cage's currency.", minimum=None)
    markers_issued = c.money("Markers issued at the cage.")
    markers_paid = c.money("Markers paid at the cage.")
    free_play = c.money("Promotional credit used, as in player_day.")
    coin_in_difference = c.money("slot_performance less silver: coin-in.", minimum=None)
    slot_win_difference = c.money("slot_performance less silver: slot win.", minimum=None)
    drop_difference = c.money("Marts less silver: bills and table drop.", minimum=None)
    carded_coin_in_difference = c.money(
        "player_day less slot_performance: carded coin-in.", minimum=None
    )
    cash_difference = c.money(
        "player_day plus unidentified currency less silver, in and out together.", minimum=None
    )
    is_reconciled = c.flag("Every difference is 0.")
