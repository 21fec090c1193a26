"""The truth table: all that the simulator planted. Nothing in silver or gold reads it."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

ENTITIES = ("row", "player", "employee", "filing")


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
    gaming_day = c.gaming_day()
