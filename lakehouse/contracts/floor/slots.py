"""Slot machine telemetry, as the slot accounting system reports it."""

from decimal import Decimal

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

ZONES = ("North", "South", "East", "West", "VIP", "High Limit", "Penny")
EVENT_TYPES = (
    "GAME_PLAY",
    "METER_UPDATE",
    "BILL_IN",
    "TICKET_OUT",
    "TILT",
    "JACKPOT",
    "DOOR_OPEN",
    "DOOR_CLOSE",
    "POWER_ON",
    "POWER_OFF",
)
MACHINE_TYPES = ("Video Slots", "Mechanical Reels", "Video Poker", "Progressive")
DENOMINATIONS = tuple(
    Decimal(d) for d in ("0.01", "0.05", "0.25", "0.50", "1", "2", "5", "10", "25", "100")
)


@table(
    "slot_telemetry",
    layer="source",
    grain="one row per machine event",
    event_time="event_timestamp",
    monthly_rows=500_000,
    kind="event_type",
)
class SlotTelemetry(dy.Schema):
    """Play, money and state of every slot machine; about 60% of play is carded."""

    event_id = c.text("Event number, unique.", key=True)
    machine_id = c.text("Machine, SLOT-0001 and on.")
    asset_number = c.text("Asset tag, AST-n.")
    location_id = c.text("Place on the floor.")
    zone = c.code(ZONES, "Part of the floor.")
    event_type = c.code(
        EVENT_TYPES,
        "What happened.",
        also={
            "Bill inserted": "BILL_IN",
            "Ticket printed": "TICKET_OUT",
            "Voucher out": "TICKET_OUT",
        },
    )
    event_timestamp = c.utc("When it happened.")
    denomination = c.money("Value of one credit.")
    coin_in = c.money(
        "GAME_PLAY: wagered in this row; METER_UPDATE: the meter, where meter_coin_in is null.",
        nullable=True,
    )
    coin_out = c.money(
        "GAME_PLAY: won to the credit meter in this row, hand-pays apart.", nullable=True
    )
    jackpot_amount = c.money("Won and paid by hand.", nullable=True)
    games_played = c.count("GAME_PLAY: games in this row.", nullable=True)
    theoretical_hold = c.rate("Share of coin-in the game keeps.", minimum=0, maximum=1)
    actual_hold = c.rate(
        "(coin_in - coin_out - jackpot_amount) / coin_in of this row.", nullable=True
    )
    player_id = c.player("Patron whose card is in; null for uncarded play.")
    session_id = c.text("Play session on one machine.", nullable=True)
    machine_type = c.code(
        MACHINE_TYPES,
        "Kind of machine.",
        also={"Video slot": "Video Slots", "Mechanical reel": "Mechanical Reels"},
    )
    manufacturer = c.text("Maker.")
    game_theme = c.text("Game installed.")
    error_code = c.text("Tilt or door code.", nullable=True)
    error_message = c.text("Tilt or door text.", nullable=True)
    amount = c.money(
        "BILL_IN: value of the bills; TICKET_OUT: of the ticket; JACKPOT: the hand-pay.",
        nullable=True,
    )
    meter_coin_in = c.money("METER_UPDATE: cumulative coin-in meter.", nullable=True)
    gaming_day = c.gaming_day()
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()

    @dy.rule()
    def denomination_is_known(cls) -> pl.Expr:
        """The denomination is one of those that machines have, from 0.01 to 100."""
        return pl.col("denomination").is_in(DENOMINATIONS)

    @dy.rule()
    def play_has_its_wager(cls) -> pl.Expr:
        """A GAME_PLAY row has its coin_in."""
        return (pl.col("event_type") != "GAME_PLAY") | pl.col("coin_in").is_not_null()

    @dy.rule()
    def money_event_has_its_amount(cls) -> pl.Expr:
        """A BILL_IN, TICKET_OUT or JACKPOT row has its amount."""
        money = pl.col("event_type").is_in(["BILL_IN", "TICKET_OUT", "JACKPOT"])
        return ~money | pl.col("amount").is_not_null()
