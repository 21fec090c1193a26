"""How good each rule is, judged by what was planted."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.alert_shape import FAMILIES
from lakehouse.contracts.registry import table

EVERY = "all"
WINDOW = 28
"""Gaming days, up to and with the day itself, that the figures of a day are of."""

LONGEST = 42
"""Gaming days that a case goes on for, at the most."""


def _share(what: str) -> dy.Float64:
    return c.number(what, nullable=True, unit="fraction")


@table(
    "detection_quality",
    layer="gold",
    grain="one row per rule, strength of the cases and gaming day, where anything was planted",
)
class DetectionQuality(dy.Schema):
    """Alerts held against truth/plants, of simulated days: a real lake has no truth, and no rows.

    An alert is true where a case that its rule is to find shows on its entity within its window.
    Patterns of currency are judged in the restricted zone, and scored in docs/detection.md."""

    gaming_day = c.gaming_day(key=True)
    rule = c.text("Rule.", key=True)
    strength = c.text(
        "How strongly the cases were planted, or all; alerts that are true of other cases are "
        "left out.",
        key=True,
    )
    family = c.code(FAMILIES, "What the rule is about.")
    days = c.count(f"Gaming days with anything to alert of, of {WINDOW}.", unit="days")
    cases = c.count("Cases that show in these days.")
    cases_found = c.count("Of them, those with an alert.")
    cases_ended = c.count("Cases whose last day is among these days.", nullable=True)
    cases_ended_found = c.count("Of them, those with an alert on any day of theirs.", nullable=True)
    alerts = c.count("Alerts.")
    alerts_true = c.count("Alerts that are true.")
    alerts_on_look_alikes = c.count("Alerts that are false, on what was planted to look alike.")
    recall = _share("cases_found / cases, of which some have only begun.")
    recall_ended = _share("cases_ended_found / cases_ended; null where none ended.")
    precision = _share("alerts_true / alerts; null without an alert.")
    alerts_per_day = c.number("alerts / days.", nullable=True)
    alerts_per_case = c.number("alerts / cases_found.", nullable=True)
    lead_days = c.number(
        "Median over found cases of the days from the first alert to the case's end.",
        nullable=True,
        unit="days",
    )
    base_rate = _share("Share of the entities that a case shows on: precision by chance.")
    auprc = _share(
        "Average precision of entities ranked by the rule's highest score, 0 without an alert; of "
        "escalating_harm by player_protection's score on days of play."
    )
    amount_auprc = _share("The same, ranked by the amount alone that they moved.")

    @dy.rule()
    def strength_is_known(cls) -> pl.Expr:
        """The strength is one of those that are planted, or all."""
        return pl.col("strength").is_in([EVERY, *c.STRENGTHS])

    @dy.rule()
    def what_is_found_is_part_of_all(cls) -> pl.Expr:
        """Found cases are cases, and true alerts are alerts."""
        found = pl.col("cases_found") <= pl.col("cases")
        ended = pl.col("cases_ended_found") <= pl.col("cases_ended")
        return found & ended & (pl.col("alerts_true") <= pl.col("alerts"))
