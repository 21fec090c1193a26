"""Episodes: alerts of one rule and entity on consecutive gaming days."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.alert_shape import ENTITIES, FAMILIES, SEVERITIES
from lakehouse.contracts.registry import table

LONGEST = 60
"""Gaming days: an episode that goes on beyond them goes on as one of that many days."""


@table("alert_episodes", layer="gold", grain="one row per alert, with the episode it is part of")
class AlertEpisodes(dy.Schema):
    """What a person works on: the same thing seen day after day is one matter, not many."""

    episode_id = c.text("Episode: rule, first gaming day and entity.")
    gaming_day = c.gaming_day(key=True)
    rule = c.text("Rule that found it.", key=True)
    entity_id = c.text("Of whom or what.", key=True)
    alert_id = c.text("Alert of this gaming day.")
    family = c.code(FAMILIES, "What the rule is about.")
    entity_type = c.code(ENTITIES, "What `entity_id` is.")
    first_day = c.day("First of the consecutive gaming days with an alert.")
    day_of_episode = c.count("Number of this day in the episode.", minimum=1, unit="days")
    severity = c.code(SEVERITIES, "The gravest so far.")
    score = c.number("The highest so far.", unit="fraction")

    @dy.rule()
    def episode_begins_first(cls) -> pl.Expr:
        """An episode begins on its day or before."""
        return pl.col("first_day") <= pl.col("gaming_day")
