"""What people did with alerts: a log that only grows."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

ACTIONS = ("ack", "close", "reopen")
OUTCOMES = ("confirmed", "explained", "false_alarm", "duplicate")


@table("alert_actions", layer="ops", grain="one row per action on an alert", partitioned=False)
class AlertActions(dy.Schema):
    """Who did what with an alert of `gold.anomalies`, and why. How an alert stands follows from
    these rows alone, so that alerts can be made again without losing it."""

    action_id = c.text("Action, unique.", key=True)
    alert_id = c.text("Alert.")
    action = c.code(
        ACTIONS,
        "ack: somebody looks into it; close: it is settled; reopen: it is not, after all.",
    )
    outcome = c.code(OUTCOMES, "close: what it turned out to be.", nullable=True)
    reason = c.text("Why; required to close and to reopen.", nullable=True)
    acted_by = c.text("Who.")
    acted_at = c.utc("When.")

    @dy.rule()
    def closing_says_what_it_was(cls) -> pl.Expr:
        """A closed alert has an outcome and a reason, and no other has an outcome."""
        closes = pl.col("action") == "close"
        has_outcome = pl.col("outcome").is_not_null()
        return (closes == has_outcome) & (~closes | pl.col("reason").is_not_null())
