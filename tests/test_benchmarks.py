"""Benchmarks run, over days on which everything is simulated that ever is."""

from pathlib import Path

import pytest

from benchmarks import lake
from lakehouse.contracts import contracts
from lakehouse.storage import Lake


@pytest.mark.slow
def test_the_library_alone_makes_a_month_with_all_that_comes_in(tmp_path: Path) -> None:
    """Suspicious activity reports come in with other reports, weeks after the first day."""
    lake.library(tmp_path / "alone", 30, scale=0.1)
    made = Lake(str(tmp_path / "alone" / "lake"))
    others = [table for table, c in contracts("source").items() if c.door]
    assert others
    for layer in ("bronze", "silver"):
        rows = {table: made.partitions(layer, table)["rows"].sum() for table in others}
        assert min(rows.values()) > 0, rows
    assert made.partitions("gold", "detection_quality")["rows"].sum() > 0
