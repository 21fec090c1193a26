"""A suite in Python: whatever is bound to `suite` when the file has run is judged."""

import great_expectations as gx
import great_expectations.expectations as gxe

LARGE = 1_000_000

suite = gx.ExpectationSuite(
    name="cage",
    expectations=[
        gxe.ExpectColumnValuesToNotBeNull(
            column="player_id", mostly=0.5, severity="warning", meta={"owner": "cage"}
        ),
        gxe.ExpectColumnMaxToBeBetween(
            column="amount", max_value=LARGE, severity="info", notes="Worth a look, no more."
        ),
        gxe.ExpectCompoundColumnsToBeUnique(column_list=["gaming_day", "transaction_id"]),
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A="_ingested_at", column_B="transaction_timestamp", or_equal=True
        ),
    ],
)
