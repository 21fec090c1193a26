"""Malformed files lose nothing: each row is kept or rejected, each file read or put aside."""

from pathlib import Path

import pytest

from lakehouse.ingest.files.conservation import conservation
from tests.fuzzing import fuzz
from tests.landed import CAGE, drop, lake_at, take_in
from tests.malformed import malformed

FILES = 400


@pytest.mark.slow
def test_no_row_of_a_malformed_file_is_lost(tmp_path: Path) -> None:
    tally = fuzz(range(FILES), tmp_path)
    assert tally.faults == []
    assert tally.files == FILES
    assert min(tally.rejected, tally.good, tally.bad) > 50


@pytest.mark.slow
def test_malformed_files_land_and_every_row_is_in_the_ledger(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    for number in range(12):
        made = malformed(number)
        drop(lake, f"{CAGE}/{made.name}", made.content)
    report = take_in(lake, settings)
    assert {o.state for o in report.outcomes} == {"ingested", "rejected"}
    assert len(report.outcomes) == 12
    for o in report.of("ingested"):
        assert o.rows == o.bronze_rows + o.quarantine_rows
    assert conservation(lake, CAGE).holds
