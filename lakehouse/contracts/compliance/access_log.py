"""Who looked into the restricted zone, for what purpose: an append-only chain of hashes."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

SHA256 = r"^[0-9a-f]{64}$"


@table(
    "access_log",
    layer="restricted",
    grain="one row per access, written before it happens",
    partitioned=False,
    confidential=True,
)
class AccessLog(dy.Schema):
    """Accesses to the restricted zone. Each row seals the one before it, so that an edited,
    removed or inserted row breaks the chain."""

    entry = dy.Int64(
        primary_key=True, min=1, description="Number of the entry, without gaps.", metadata={}
    )
    accessed_at = c.utc("When.")
    accessed_by = c.text("Who.")
    purpose = c.text("What for, in the person's own words.")
    query = c.text("What was asked.")
    previous_hash = c.text("Hash of the entry before; 64 zeros for the first.", regex=SHA256)
    hash = c.text("SHA-256 of this entry's fields and the previous hash.", regex=SHA256)
