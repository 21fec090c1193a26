"""Malformed files lose nothing: each row is kept or rejected, each file read or put aside."""

import json
from pathlib import Path
from typing import Any

import pytest

from lakehouse.ingest.files.conservation import conservation
from lakehouse.ingest.files.mapping import MAPPING_SUFFIX
from tests.fuzzing import fuzz
from tests.landed import CAGE, drop, lake_at, take_in
from tests.malformed import FORMS, MAPPINGS, malformed

FILES = 600


def as_toml(mapping: dict[str, Any]) -> str:
    own = [f"{n} = {json.dumps(v)}" for n, v in mapping.items() if n != "columns"]
    columns = [
        f"columns.{n}.{entry} = {json.dumps(v)}"
        for n, rule in mapping.get("columns", {}).items()
        for entry, v in rule.items()
    ]
    return "\n".join([*own, *columns, ""])


@pytest.mark.slow
def test_no_row_of_a_malformed_file_is_lost(tmp_path: Path) -> None:
    tally = fuzz(range(FILES), tmp_path)
    assert tally.faults == []
    assert tally.files == FILES
    assert min(tally.rejected, tally.good, tally.bad) > 50


@pytest.mark.slow
def test_malformed_files_land_and_every_row_is_in_the_ledger(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    files = 2 * len(FORMS)
    for number in range(files):
        made = malformed(number)
        drop(lake, f"{CAGE}/{made.name}", made.content)
        drop(lake, f"{CAGE}/{made.name}{MAPPING_SUFFIX}", as_toml(MAPPINGS[made.form]))
    report = take_in(lake, settings)
    assert {o.state for o in report.outcomes} == {"ingested", "rejected"}
    assert len(report.outcomes) == files
    for o in report.of("ingested"):
        assert o.rows == o.bronze_rows + o.quarantine_rows
    assert conservation(lake, CAGE).holds
