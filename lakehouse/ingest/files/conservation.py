"""Whether the rows of all landed files are where the ledger says."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from lakehouse.contracts import MADE, stored_as
from lakehouse.ingest.files.ledger import LEDGER
from lakehouse.ingest.files.row_typing import SOURCE_PREFIX, STAGE
from lakehouse.ingest.files.supersede import HELD
from lakehouse.storage import Lake


@dataclass(frozen=True)
class Conservation:
    """Landed rows of a table, and minimal ones: what the ledger says and what is stored. Rows that
    wait for a clash to be settled count for bronze, as which they came."""

    said_bronze: int
    said_quarantine: int
    bronze: int
    quarantine: int

    @property
    def holds(self) -> bool:
        return (self.said_bronze, self.said_quarantine) == (self.bronze, self.quarantine)


def conservation(lake: Lake, table: str) -> Conservation:
    """Counts rows from the ledger, and in the tables that they are stored in."""
    ledger = lake.scan("ops", LEDGER).filter(pl.col("table_name") == table)
    n = pl.col("bronze_rows", "quarantine_rows", "replaced_rows", "healed_rows")
    ended = pl.col("state").is_in(["ingested", "withdrawn"])
    ingested = ledger.filter(ended).select(n.sum()).collect().row(0, named=True)
    healed = ledger.filter(state="retried").select(pl.col("bronze_rows").sum()).collect().item()
    made = ledger.filter(state="made").sort("attempt").select("bronze_rows").collect()
    came = pl.col("_source").str.contains(f"^({SOURCE_PREFIX}|{MADE})")
    tables = stored_as(table)
    bronze = pl.concat(lake.scan("bronze", t, columns=["_source"]) for t in tables).filter(came)
    held = pl.concat(lake.scan("quarantine", t, columns=["_stage", "_source"]) for t in tables)
    return Conservation(
        ingested["bronze_rows"]
        - ingested["replaced_rows"]
        + healed
        + sum(made["bronze_rows"].tail(1)),
        ingested["quarantine_rows"] - ingested["healed_rows"] - healed,
        bronze.select(pl.len()).collect().item()
        + held.filter(_stage=HELD).select(pl.len()).collect().item(),
        held.filter(came, _stage=STAGE).select(pl.len()).collect().item(),
    )
