"""Validates a Parquet file by a suite as anybody would: Great Expectations and pandas alone.

    python stock_expectations.py SUITE.json ROWS.parquet

Prints, as JSON, which rules held and which raised; imports nothing of this project.
"""

import json
import sys
import warnings
from pathlib import Path

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import great_expectations as gx
    import pandas as pd

    suite = gx.ExpectationSuite(**json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("files").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch(
        {"dataframe": pd.read_parquet(sys.argv[2])}
    )
    results = batch.validate(suite).results

told = {
    result.expectation_config.meta["rule"]: "held"
    if result.success
    else "failed"
    if result.exception_info.get("raised_exception") is False
    else "raised"
    for result in results
}
own = [name for name in sys.modules if name.split(".")[0] in ("lakehouse", "igaming_assets")]
print(json.dumps({"rules": told, "own": own}))  # noqa: T201
