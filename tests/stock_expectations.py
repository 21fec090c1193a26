"""Validates Parquet files by suites as anybody would: Great Expectations and pandas alone.

    python stock_expectations.py SUITE.json ROWS.parquet [SUITE.json ROWS.parquet ...]

Prints, as JSON, which rules of each held and which raised; imports nothing of this project.
"""

import json
import sys
import warnings
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import great_expectations as gx
    import pandas as pd

    context = gx.get_context(mode="ephemeral")
    source = context.data_sources.add_pandas("files")

    def told(suite: str, rows: str) -> dict[str, str]:
        batch = source.add_dataframe_asset(rows).add_batch_definition_whole_dataframe("all")
        expected = gx.ExpectationSuite(**json.loads(Path(suite).read_text(encoding="utf-8")))
        results = batch.get_batch({"dataframe": pd.read_parquet(rows)}).validate(expected).results
        return {
            result.expectation_config.meta["rule"]: "held"
            if result.success
            else "failed"
            if result.exception_info.get("raised_exception") is False
            else "raised"
            for result in results
        }

    rules = [told(*pair) for pair in zip(sys.argv[1::2], sys.argv[2::2], strict=True)]

own = [name for name in sys.modules if name.split(".")[0] in ("lakehouse", "igaming_assets")]
print(json.dumps({"rules": rules, "own": own}))  # noqa: T201
