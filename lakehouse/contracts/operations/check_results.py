"""What checks said of each gaming day: the newest result of each."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table

FAMILIES = (
    "schema",
    "rows",
    "keys",
    "conservation",
    "volume",
    "freshness",
    "nulls",
    "drift",
    "truth",
    "privacy",
    "expectation",
)
STATUSES = ("passed", "warned", "failed", "could_not_run")


@table("check_results", layer="gold", grain="one row per check, table and gaming day")
class CheckResults(dy.Schema):
    """Written by every run, whoever started it and however it ended; a later result of the same
    check, table and day takes the place of the earlier one. Of restricted tables it tells whether
    a check passed and nothing else, and that to those with the grant."""

    gaming_day = c.gaming_day(key=True)
    layer = c.text("Layer of the table that the check stands on.", key=True)
    table_name = c.text("Table that the check stands on.", key=True)
    check_name = c.text("Check.", key=True)
    family = c.code(FAMILIES, "What it is about.")
    severity = c.code(("error", "warn"), "What a day that does not pass is.")
    status = c.code(STATUSES, "What was found.")
    measure = c.number("What was looked at: a count, a share, a ratio.", nullable=True)
    bound = c.number("What it was held against.", nullable=True)
    failing_rows = c.count("Rows that break the rule.", nullable=True)
    checked_rows = c.count("Rows that were looked at.", nullable=True)
    said = c.text("What was found, in a sentence.")
    keys = c.text("Keys of some failing rows, as a JSON list.")
    sql = c.text("A query of the failing rows.", nullable=True)
    is_stale = c.flag(
        "Whether a table that the check reads has changed since: the result is of rows that are "
        "no longer there."
    )
    judged_of = c.text("Mark of what the tables held of the day.", nullable=True)
    run_id = c.text("Run of Dagster that judged.")
    judged_at = c.utc("When.")
