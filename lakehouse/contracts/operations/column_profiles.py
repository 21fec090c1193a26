"""Column profiles: small partials of each gaming day, so that its history need not be read."""

import dataframely as dy

from lakehouse.contracts import columns as c
from lakehouse.contracts.registry import table


@table(
    "column_profiles",
    layer="ops",
    grain="one row per stored table, column and gaming day",
    confidential=True,
)
class ColumnProfiles(dy.Schema):
    """How many rows and nulls a column has on a gaming day, and how its values are spread.

    Partials of days add up: a reference of four weeks is a sum. Restricted tables are not in it.
    """

    gaming_day = c.gaming_day(key=True)
    layer = c.text("Layer of the table.", key=True)
    table_name = c.text("Table.", key=True)
    column_name = c.text("Column.", key=True)
    rows = c.count("Rows of the day.")
    nulls = c.count("Rows in which the column is null.")
    bins = dy.List(
        dy.String(),
        nullable=False,
        description="Values of a category, or numbers of a numeric column's bins (eight to a "
        "doubling, in order); empty where the spread of a column says nothing.",
        metadata={},
    )
    counts = dy.List(
        dy.Int64(),
        nullable=False,
        description="Rows of each bin, in the order of bins.",
        metadata={},
    )
    counted_of = c.text("What the table held of the day when counted; if another, count again.")
