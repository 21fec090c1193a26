"""How players get on in the game: what each did on a level's map, and how levels hold them."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table


@table("player_levels", layer="gold", grain="one row per player, level, map and gaming day")
class PlayerLevels(dy.Schema):
    """What each player did on a level's map in a gaming day: the partial that retention and
    stuck points are judged from."""

    player_id = c.text("Online account of the player.", key=True)
    level_id = c.text("Level.", key=True)
    map_id = c.text("Map.", key=True)
    gaming_day = c.gaming_day(key=True)
    events = c.count("Events.", minimum=1)
    sessions = c.count("Sessions that came here.", minimum=1)
    session_seconds = c.count("Length of these sessions, whole.", unit="seconds")
    seconds = c.count("Time on the level's map.", unit="seconds")
    deaths = c.count("Deaths.")
    completions = c.count("Times that the level was completed.")
    disconnections = c.count("Sessions that were cut here.")
    moves_to = c.ids("Where the player went on to in a session, as level/map; each time.")


@table("level_engagement", layer="gold", grain="one row per level, map and gaming day")
class LevelEngagement(dy.Schema):
    """How many played a level's map, for how long, who came back, where they went, and whether
    they get stuck there. Days settle as later days come: retention is empty until its day has."""

    level_id = c.text("Level.", key=True)
    map_id = c.text("Map.", key=True)
    gaming_day = c.gaming_day(key=True)
    active_players = c.count("Players who were here.", minimum=1)
    sessions = c.count("Sessions that came here.", minimum=1)
    average_session_minutes = c.number(
        "Mean length of these sessions, whole, to a tenth.", unit="minutes"
    )
    events = c.count("Events.", minimum=1)
    deaths = c.count("Deaths.")
    completions = c.count("Times that the level was completed.")
    disconnections = c.count("Sessions that were cut here.")
    completion_rate = c.rate(
        "Of the players who were here, those who completed it.", minimum=0, maximum=1
    )
    retention_d1 = c.rate(
        "Of the players, those who played anything a day later.",
        nullable=True,
        minimum=0,
        maximum=1,
        later=True,
    )
    retention_d7 = c.rate("The same 7 days later.", nullable=True, minimum=0, maximum=1, later=True)
    retention_d30 = c.rate(
        "The same 30 days later.", nullable=True, minimum=0, maximum=1, later=True
    )
    moves_to = c.structs(
        {"level_id": dy.String(), "map_id": dy.String(), "moves": dy.Int64()},
        "Where sessions went on to from here, most first.",
    )
    tries = c.count("Players' days here in the 7 days until this one.", minimum=1)
    like_levels = c.count("Levels' maps that it is held against: those of like difficulty.")
    expected_rate = c.rate(
        "Completion rate of these over the 7 days: the middle one.",
        nullable=True,
        minimum=0,
        maximum=1,
    )
    stuck_score = c.number(
        "Standard errors by which its own rate of the 7 days is below the expected one; empty "
        "where it has nothing like it.",
        nullable=True,
    )
    is_stuck = c.flag("Players get stuck here: a score of 3 or more.")

    @dy.rule()
    def stuck_is_a_score_of_3(cls) -> pl.Expr:
        """Who is called stuck has a score of 3 or more, and nobody else has."""
        is_high = pl.col("stuck_score").is_not_null() & (pl.col("stuck_score") >= 3)
        return is_high == pl.col("is_stuck")
