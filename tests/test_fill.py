"""Files are filled in one process, in pieces, and an error in the making is told."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import polars as pl
import pytest

from lakehouse.errors import BadInput
from lakehouse.privacy import TokenKey
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.output import Target, Work, fill

KEY = TokenKey.of(bytes(range(32)))


def work(folder: Path, config: WorldConfig, rows: dict[str, int]) -> Work:
    targets = tuple(Target(t, folder / f"{t}.parquet", n) for t, n in rows.items())
    return Work(config, targets, "parquet", KEY)


def test_files_of_many_rows_are_filled_by_this_process(tmp_path: Path) -> None:
    rows = {"slot_telemetry": 150_000, "table_games": 120_000}
    heard, others = [], []

    def advance(count: int) -> None:
        heard.append(count)
        others.extend(multiprocessing.active_children())

    filled = fill(work(tmp_path, WorldConfig(days=1, scale=0.1, rows=rows), rows), advance)
    assert {t: f.rows for t, f in filled.items()} == rows
    assert sum(heard) == sum(rows.values())
    assert not others
    for table, count in rows.items():
        written = pl.read_parquet(tmp_path / f"{table}.parquet")
        assert written.height == count
        assert written["event_id"].n_unique() > 0.99 * count


def test_an_error_in_the_making_is_told(tmp_path: Path) -> None:
    rows = {"slot_telemetry": 900, "player_profile": 4_000}
    config = WorldConfig(days=1, players=300, rows=rows)
    with pytest.raises(BadInput, match="of 300 players"):
        fill(work(tmp_path, config, rows), lambda _: None)
