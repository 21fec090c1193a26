"""The shape that alerts have, whoever may read them."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c

FAMILIES = ("machine", "access", "table", "staff", "presence", "player", "protection", "cash")
ENTITIES = ("machine", "table", "player", "employee", "badge", "pair", "property")
SEVERITIES = ("CRITICAL", "WARNING", "INFO")
"""The gravest first."""
MOST_EVIDENCE = 50
"""Rows that an alert of `gold.anomalies` names, at the most; `evidence_rows` says how many
there are."""


EVIDENCE: dict[str, dy.Column] = {
    "table_name": dy.String(),
    "record_id": dy.String(),
    "gaming_day": dy.Date(nullable=True),
}
"""A row that an alert rests on: its table, the values of its key with / between them, and its
gaming day, as another one may have that key on another day. Lakes made before have no day here."""
EVIDENCE_TYPE: pl.DataType = dy.List(dy.Struct(EVIDENCE)).dtype


class AlertShape(dy.Schema):
    """What every table of alerts has; a table may close the domain of a column further."""

    alert_id = c.text("Alert: rule, gaming day and entity; the same however often it is made.")
    gaming_day = c.gaming_day(key=True)
    rule: dy.Column = c.text("Rule that found it.", key=True)
    entity_id = c.text("Of whom or what; of a pair, both, with + between them.", key=True)
    family = c.code(FAMILIES, "What the rule is about.")
    entity_type = c.code(ENTITIES, "What `entity_id` is.")
    window_start = c.day("First gaming day that it rests on.")
    window_end = c.day("Last gaming day that it rests on.")
    severity = c.code(SEVERITIES, "How soon to act: CRITICAL at once, WARNING in the shift.")
    score = c.number("Strength, 0 to 1; compares alerts of one rule.", unit="fraction")
    evidence = c.structs(
        EVIDENCE,
        f"Keys of rows it rests on, in order; of anomalies {MOST_EVIDENCE} at the most.",
    )
    evidence_rows = c.count("Rows it rests on.")
    said = c.text("What was seen, in words, with its figures.")
    suggested_action = c.text("What to do first.")

    @dy.rule()
    def score_is_a_share(cls) -> pl.Expr:
        """The score is from 0 to 1."""
        return (pl.col("score") >= 0) & (pl.col("score") <= 1)

    @dy.rule()
    def window_ends_on_its_day(cls) -> pl.Expr:
        """The window is in order and ends on the gaming day."""
        starts_first = pl.col("window_start") <= pl.col("window_end")
        return starts_first & (pl.col("window_end") <= pl.col("gaming_day"))
