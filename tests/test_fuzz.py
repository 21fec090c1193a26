"""Malformed files lose nothing: each row is kept or rejected, each file read or put aside."""

from pathlib import Path

import pytest

from tests.fuzzing import fuzz
from tests.fuzzing_lakes import fuzz_lake
from tests.malformed import FORMS

FILES = 300


@pytest.mark.slow
def test_no_row_of_a_malformed_file_is_lost(tmp_path: Path) -> None:
    tally = fuzz(range(FILES), tmp_path)
    assert tally.faults == []
    assert tally.files == FILES
    assert min(tally.rejected, tally.good, tally.bad) > 50


@pytest.mark.slow
def test_malformed_files_land_and_every_row_is_in_the_ledger(tmp_path: Path) -> None:
    files = 2 * len(FORMS)
    tally = fuzz_lake(range(files), tmp_path)
    assert tally.faults == []
    assert tally.files == files
    assert min(tally.good, tally.bad, tally.left_out, tally.made) > 0
