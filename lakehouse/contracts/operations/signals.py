"""How the signals of the monitor stand, and since when: a log that only grows."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

LEVELS = ("INFO", "WARNING", "CRITICAL")
"""From the mildest to the gravest."""


@table("signal_states", layer="ops", grain="one row per change of a signal", partitioned=False)
class SignalStates(dy.Schema):
    """What the monitor saw change, and whom it told. The last row of a signal and subject holds;
    a monitor that is started again goes on from there."""

    number = c.count("Counts rows; the greatest of a signal and subject holds.", key=True)
    signal = c.text("Signal, such as topic_lag.")
    subject = c.text("What it is of: a topic, a table, a volume.")
    level = c.code(LEVELS, "Level that holds: the last looks agreed on it.")
    since = c.utc("Since when it holds.")
    read_level = c.code(LEVELS, "Level of the last look.")
    value = c.number("What the last look read.", nullable=True)
    unit = c.text("Unit of the value.")
    said = c.text("What was read, in a sentence.")
    to_do = c.text("What to do about it.")
    looks = c.structs(
        {"level": dy.String(), "at": dy.Datetime(time_zone="UTC", time_unit="us")},
        "Levels and moments of the last looks, the oldest first.",
    )
    is_told = c.flag("Whether somebody is to be told of the level, and was, by all ways.")
    told = c.ids("Ways by which the level was told: log, webhook, mail.")
    looked_at = c.utc("When the look was.")
