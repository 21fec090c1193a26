"""Where the game is played: its levels and maps, and the servers that they run on."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table


@table("game_maps", layer="source", grain="one row per level, map and gaming day")
class GameMaps(dy.Schema):
    """The maps that each level is played on, with what its designers think of them."""

    level_id = c.text("Level.", key=True)
    map_id = c.text("Map that it is played on; a map serves several levels.", key=True)
    map_name = c.text("The map's name.")
    difficulty = c.count("Difficulty by design, from 1 to 100.", minimum=1)
    capacity = c.count("Most players on the map at a time.", minimum=1)
    gaming_day = c.gaming_day(key=True)
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()

    @dy.rule()
    def difficulty_is_at_most_100(cls) -> pl.Expr:
        """Difficulty is on a scale that ends at 100."""
        return pl.col("difficulty") <= 100


@table("servers", layer="source", grain="one row per server and gaming day")
class Servers(dy.Schema):
    """The game's servers, where they stand and how many players they can hold."""

    server_id = c.text("Server.", key=True)
    region = c.text("Part of the world that it serves.")
    server_type = c.text("Kind of server.")
    capacity = c.count("Players that it is made for.", minimum=1)
    gaming_day = c.gaming_day(key=True)
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()
