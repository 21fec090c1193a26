"""What staff saw: the human facts that open a review case.

Restricted as a whole: that somebody wrote one down is a suspicion, and shows that a case is
being considered (31 U.S.C. 5318(g)(2)).
"""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

KINDS = (
    "THRESHOLD_ENQUIRY",
    "TRANSACTION_REDUCED",
    "ID_REFUSED",
    "AGENT_DISCLOSED",
    "SUSPECT_UNKNOWN",
    "OTHER",
)


@table(
    "staff_observations",
    layer="source",
    grain="one row per observation",
    event_time="observed_at",
    confidential=True,
    restricted=True,
)
class StaffObservations(dy.Schema):
    """Observations of one transaction make one review case (31 CFR 1021.320)."""

    observation_id = c.text("Observation, unique.", key=True)
    observed_at = c.utc("When it was seen.")
    player_id = c.player("Patron; null for a person nobody could name.")
    employee_id = c.text("Who saw it.", nullable=True)
    kind = c.code(KINDS, "What was seen.")
    transaction_id = c.text(
        "Cage transaction it concerns.", nullable=True, refs="financial_txn.transaction_id"
    )
    amount_before = c.money("Amount first offered.", nullable=True)
    amount_after = c.money("Amount then paid.", nullable=True)
    text = c.text("What the employee wrote.", nullable=True)
    gaming_day = c.gaming_day()
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()
