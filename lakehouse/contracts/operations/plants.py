"""The truth table: all that the simulator planted. Nothing in silver or gold reads it."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

ENTITIES = (
    "row",
    "player",
    "employee",
    "filing",
    "machine",
    "table",
    "badge",
    "account",
    "server",
    "map",
)


@table("plants", layer="truth", grain="one row per planted row or scenario part", confidential=True)
class Plants(dy.Schema):
    """Defects, misconduct and filing faults, with the rule that should find each."""

    plant_id = c.text("Plant; the parts of one scenario share it.")
    kind = c.text("Kind of defect, typology or filing fault.")
    entity_type = c.code(ENTITIES, "What it was planted on.")
    entity_id = c.text("Which one.")
    window_start = c.day("First gaming day concerned.")
    window_end = c.day("Last gaming day concerned.")
    table_name = c.text("Table it shows in.")
    row_key = c.text("Key of the row; empty for a whole scenario.", nullable=True)
    expected_rule = c.text("Rule or typology that should find it.")
    intensity = dy.Float64(
        nullable=True,
        min=0,
        max=1,
        description="1: blatant, 0: nearly nothing, or how close honest play comes to the kind; "
        "empty for defects and filing faults.",
    )
    strength = c.code(
        c.STRENGTHS,
        "Intensity in words: blatant from 2/3, faint below 1/3, middling between.",
        nullable=True,
    )
    is_look_alike = c.flag("Honest behaviour that resembles the kind: nothing to find.")
    gaming_day = c.gaming_day()
