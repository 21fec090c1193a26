"""The Dagster UI as `make ui` starts it: server, daemon and code server, each a process."""

import time
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.backfill import START, asked, assets, ended, started_run, terminated, ui
from lakehouse.settings import DOMAINS
from lakehouse.storage import Lake


@pytest.mark.slow
def test_backfills_that_are_asked_for_at_once_are_made_and_one_that_is_terminated_ends(
    tmp_path: Path,
) -> None:
    first, second = START, START + timedelta(days=1)
    with ui(tmp_path, DOMAINS) as address:
        keys = assets(address)
        wanted = [["bronze", "gaming_wins"], ["bronze", "table_games"]]
        assert len(keys) > 80
        assert all(key in keys for key in wanted)
        backfills = [asked(address, wanted, [day]) for day in (first, second)]
        found = [ended(address, backfill) for backfill in backfills]
        asked(address, keys, [first])
        run = started_run(address)
        time.sleep(2)
        assert terminated(address, run, 60) == "CANCELED"
    assert [b["status"] for b in found] == 2 * ["COMPLETED_SUCCESS"]
    assert [[run["status"] for run in b["runs"]] for b in found] == 2 * [["SUCCESS"]]
    lake = Lake(str(tmp_path / "lake"))
    for layer, table in wanted:
        stored = lake.scan(layer, table).select("gaming_day").unique().collect()
        assert sorted(stored["gaming_day"]) == [first, second]
