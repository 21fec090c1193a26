"""Two processes write what one writes, and say so when they cannot."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lakehouse.errors import StorageError
from lakehouse.privacy import TokenKey
from lakehouse.simulate import output
from lakehouse.simulate.kernel.config import WorldConfig
from lakehouse.simulate.output import Target, Work, fill

KEY = TokenKey.of(bytes(range(32)))
ROWS = {"slot_telemetry": 900, "table_games": 300, "player_profile": 90}


def work(folder: Path) -> Work:
    targets = tuple(Target(t, folder / f"{t}.csv", n) for t, n in ROWS.items())
    config = WorldConfig(days=3, scale=0.02, rows=ROWS)
    return Work(config, targets, "csv", KEY)


def folder(tmp_path: Path, name: str) -> Path:
    made = tmp_path / name
    made.mkdir()
    return made


@pytest.mark.slow
def test_two_processes_write_the_bytes_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = folder(tmp_path, "one"), folder(tmp_path, "two")
    heard: dict[str, list[int]] = {"one": [], "two": []}
    alone = fill(work(one), heard["one"].append)
    monkeypatch.setattr(output, "WORTH_A_PROCESS", 10)
    together = fill(work(two), heard["two"].append)
    assert {t: f.rows for t, f in together.items()} == ROWS
    assert together == alone
    assert sum(heard["one"]) == sum(heard["two"]) == sum(ROWS.values())
    for table in ROWS:
        assert (two / f"{table}.csv").read_bytes() == (one / f"{table}.csv").read_bytes()


@pytest.mark.slow
def test_an_error_of_the_other_process_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "WORTH_A_PROCESS", 10)
    rows = {"slot_telemetry": 900, "player_profile": 4_000}
    config = WorldConfig(days=1, players=300, rows=rows)
    targets = tuple(Target(t, tmp_path / t, n) for t, n in rows.items())
    with pytest.raises(output.LakehouseError, match="of 300 players"):
        fill(Work(config, targets, "csv", KEY), lambda _: None)


def _dies(*_: object) -> None:
    os._exit(9)


@pytest.mark.slow
def test_a_process_that_dies_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "WORTH_A_PROCESS", 10)
    monkeypatch.setattr(output, "_in_another_process", _dies)
    with pytest.raises(StorageError, match="before its files were complete"):
        fill(work(tmp_path), lambda _: None)
