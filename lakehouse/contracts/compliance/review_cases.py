"""Decisions on review cases: a log that only grows."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

DECISIONS = ("assign", "escalate", "file", "no_file", "merge")


@table(
    "case_decisions",
    layer="restricted",
    grain="one row per decision",
    partitioned=False,
    confidential=True,
)
class CaseDecisions(dy.Schema):
    """Who decided what on a case, and when. A case's state follows from these rows alone.

    No document is required for a decision not to file, yet a reason is kept for each.
    """

    decision_id = c.text("Decision, unique.", key=True)
    case_id = c.text("Review case.")
    decision = c.code(
        DECISIONS,
        "assign: to an analyst; escalate: to a senior; file: a SAR is to be filed; no_file: "
        "closed without one; merge: goes on as part of another case.",
    )
    decided_by = c.text("Who decided.")
    decided_at = c.utc("When.")
    reason = c.text("Why; required for no_file.", nullable=True)
    assignee = c.text("assign and escalate: who has the case now.", nullable=True)
    merged_into = c.text("merge: the case that goes on.", nullable=True)
    narrative = c.text(
        "file: the narrative as an officer reviewed it; without it a form carries the draft.",
        nullable=True,
    )

    @dy.rule()
    def no_file_has_its_reason(cls) -> pl.Expr:
        """A decision not to file has its reason."""
        return (pl.col("decision") != "no_file") | pl.col("reason").is_not_null()

    @dy.rule()
    def merge_names_another_case(cls) -> pl.Expr:
        """A merge names another case than its own."""
        return (pl.col("decision") != "merge") | (
            pl.col("merged_into").is_not_null() & (pl.col("merged_into") != pl.col("case_id"))
        )

    @dy.rule()
    def assignment_names_a_person(cls) -> pl.Expr:
        """An assignment or escalation names who has the case."""
        assigns = pl.col("decision").is_in(["assign", "escalate"])
        return ~assigns | pl.col("assignee").is_not_null()
