"""The ingest ledger: what became of every landed file."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

STATES = ("begun", "stored", "ingested", "withdrawn", "duplicate", "rejected", "retried", "made")


@table(
    "ingest_ledger",
    layer="ops",
    grain="one row per step in the life of a landed file",
    partitioned=False,
    confidential=True,
)
class IngestLedger(dy.Schema):
    """Append-only. `begun` comes before a file's first row and `ingested` after its last, so a
    file that has only the former was interrupted and is taken up again. `stored` comes between
    them where rows of other files are to be replaced: from then on the file itself is no longer
    needed. One that was interrupted before, and is gone, is `withdrawn`: its rows are taken out.
    `made` says how many minimal profiles bronze has since, of patrons whom files name.
    For an ingested file rows = bronze_rows + quarantine_rows + left_out_rows. Closed, because it
    counts rows of restricted tables too."""

    file_id = c.text(
        "Table and hash (BLAKE2b-256) of the content; of a file that was rejected, its path."
    )
    table_name = c.text("Table that the file belongs to.")
    state = c.code(STATES, "What happened.")
    path = c.text("File, relative to the landing zone.")
    size_bytes = c.count("Size as landed.", unit="bytes")
    modified_ns = c.count("Modification time.", unit="ns")
    at = c.utc("When.")
    reason = c.text(
        "Why a file was rejected; of a duplicate, the file that came first; of an ingested one, "
        "the files that have keys of it too."
    )
    rows = c.count("Rows in the file; of a retry, rows tried.")
    bronze_rows = c.count("Rows that went to bronze.")
    quarantine_rows = c.count("Rows that went to quarantine, or stayed there.")
    left_out_rows = dy.Int64(
        nullable=True,
        min=0,
        description="Rows that the mapping's where leaves out; nothing before there was one.",
        metadata={},
    )
    replaced_rows = c.count(
        "Typed rows that gave way: older ones of other files by key, with on_same_key = "
        "keep_first the file's own, and those of an earlier reading of the file."
    )
    healed_rows = c.count("Rows in quarantine that gave way likewise.")
    first_day = c.day("First gaming day in the file.", nullable=True)
    last_day = c.day("Last gaming day in the file.", nullable=True)
    gaming_days = c.text("All gaming days in the file, separated by blanks.")
    file_columns = c.text(
        "The file's columns, as a JSON list; those that no column of the table takes by number, "
        "as their names may be values; empty for JSON files."
    )
    ignored_columns = c.text(
        "Numbers of the columns that no column of the table takes; of JSON, how many fields."
    )
    mapping = c.text("The mapping used, as JSON.")
    mapping_given = c.text(
        "The mapping as it was given, as JSON: without what was found out. Another one, and the "
        "file is read again.",
        nullable=True,
    )
    bronze_version = dy.Int64(
        nullable=True,
        description="Version of the bronze table before the file's first row.",
        metadata={},
    )
    attempt = c.count(
        "Which beginning this is: 2 and on where the mapping changed, or batches are cut anew.",
        minimum=0,
    )
    layout = c.text("How the file was cut into batches.")
    quarantine_version = dy.Int64(
        nullable=True,
        description="Version of the quarantine table before the file's first row.",
        metadata={},
    )

    @dy.rule()
    def rows_are_conserved(cls) -> pl.Expr:
        """rows = bronze_rows + quarantine_rows + left_out_rows, of an ingested file."""
        left_out = pl.col("left_out_rows").fill_null(0)
        accounted = pl.col("bronze_rows") + pl.col("quarantine_rows") + left_out
        return (pl.col("state") != "ingested") | (pl.col("rows") == accounted)
