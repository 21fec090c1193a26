"""What players of the game platform do."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

EVENT_TYPES = (
    "level_start",
    "move",
    "interaction",
    "player_death",
    "level_complete",
    "disconnect",
)
PLATFORMS = ("PC", "Console")


@table(
    "player_events",
    layer="source",
    grain="one row per event of a player in a session",
    event_time="timestamp",
    kind="event_type",
    monthly_rows=240_000,
    topic="player_events",
    topic_key="player_id",
)
class PlayerEvents(dy.Schema):
    """What players did in the game, level by level. A session ends with its last event; one
    that the server, the map or the network cut ends with a disconnect."""

    player_id = c.account("Online account of the player.")
    session_id = c.text(
        "Session, where the client tells it; else 30 minutes of silence end one.", nullable=True
    )
    event_type = c.code(EVENT_TYPES, "What happened.")
    level_id = c.text("Level that the player was on.", refs="game_maps.level_id")
    map_id = c.text("Map that the player was on.", refs="game_maps.map_id")
    timestamp = c.utc("When it happened.")
    event_id = c.text("Event number, unique.", key=True)
    server_id = c.text("Server of the session.", nullable=True, refs="servers.server_id")
    platform = c.code(PLATFORMS, "What it was played on.", nullable=True)
    ip_address = c.ip_address()
    gaming_day = c.gaming_day()
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()


@table(
    "purchases",
    layer="source",
    grain="one row per item bought in the game",
    event_time="purchase_timestamp",
    topic="purchases",
    topic_key="player_id",
)
class Purchases(dy.Schema):
    """Items that players bought in the game, from within a session."""

    player_id = c.account("Online account of the player.")
    item_id = c.text("Item.")
    price = c.money("Price paid, in dollars.")
    currency = c.text("ISO 4217 currency.", regex="^[A-Z]{3}$", upper=True)
    purchase_timestamp = c.utc("When it was bought.")
    ip_address = c.ip_address()
    transaction_id = c.text("Transaction number, unique.", key=True)
    item_type = c.text("Kind of item.", nullable=True)
    session_id = c.text("Session that it was bought in, where the client tells it.", nullable=True)
    platform = c.code(PLATFORMS, "What was played on.", nullable=True)
    gaming_day = c.gaming_day()
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()


@table(
    "server_metrics",
    layer="source",
    grain="one row per server and minute",
    event_time="timestamp",
    topic="server_metrics",
    topic_key="server_id",
)
class ServerMetrics(dy.Schema):
    """How each server was in the last second of a minute, and whom it lost in that minute."""

    server_id = c.text("Server.", refs="servers.server_id")
    cpu_load = c.number("Processor load.", unit="percent")
    memory_usage = c.number("Memory in use.", unit="percent")
    latency = c.number("Time to a player and back.", unit="milliseconds")
    timestamp = c.utc("When it was measured.")
    metric_id = c.text("Measurement number, unique.", key=True)
    disconnections = c.count("Sessions cut within the minute.", nullable=True)
    players_online = c.count("Players in a session.", nullable=True)
    response_time = c.number(
        "Time that the server took to answer.", nullable=True, unit="milliseconds"
    )
    region = c.text("Part of the world that it serves.", nullable=True)
    server_type = c.text("Kind of server.", nullable=True)
    gaming_day = c.gaming_day()
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()

    @dy.rule()
    def load_is_a_percentage(cls) -> pl.Expr:
        """Processor and memory are used between 0 and 100 percent."""
        cpu, memory = pl.col("cpu_load"), pl.col("memory_usage")
        return (cpu >= 0) & (cpu <= 100) & (memory >= 0) & (memory <= 100)

    @dy.rule()
    def times_are_not_negative(cls) -> pl.Expr:
        """Neither latency nor response time is below 0."""
        answered = pl.col("response_time")
        return (pl.col("latency") >= 0) & (answered.is_null() | (answered >= 0))
