"""What was sent to FinCEN, and what FinCEN answered."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

FORMS = ("CTR", "SAR")
ANSWERS = ("Accepted", "Accepted with warnings", "Rejected")


@table(
    "filing_exports",
    layer="restricted",
    grain="one row per filing and batch that carried it",
    partitioned=False,
    confidential=True,
)
class FilingExports(dy.Schema):
    """The content list of each exported batch: an acknowledgement names filings by position."""

    batch_id = c.text("First 16 hex digits of the file's SHA-256.", key=True)
    position = c.count("Place of the filing in the batch, from 1.", minimum=1)
    form = c.code(FORMS, "Form.")
    filing_id = c.text("CTR or review case.", key=True)
    exported_at = c.utc("When the batch was written.")
    exported_by = c.text("Who wrote it.")
    is_production = c.flag("Made to be sent; otherwise a test.")
    amount = c.count("Dollars that the filing adds to the batch's total.", unit="USD")
    facts = c.text("Hash of all that the form says but identities: tells when late rows change it.")


@table(
    "filing_acknowledgements",
    layer="restricted",
    grain="one row per filing and batch that FinCEN answered",
    partitioned=False,
    confidential=True,
)
class FilingAcknowledgements(dy.Schema):
    """FinCEN's answer to each filing; the latest is its status."""

    batch_id = c.text("Batch.", key=True)
    filing_id = c.text("CTR or review case.", key=True)
    form = c.code(FORMS, "Form.")
    answer = c.code(ANSWERS, "What FinCEN said.")
    bsa_id = c.text("FinCEN's number of the filing; null where rejected.", nullable=True)
    messages = dy.List(
        dy.String(),
        description="Each message as level, code, element and text.",
        metadata={},
    )
    acknowledged_at = c.utc("When the acknowledgement was read in.")
