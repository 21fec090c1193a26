"""Files that have all rows there are: the last one stands for all of its folder."""

import os
import shutil
from pathlib import Path

import pytest

from lakehouse.ingest.files import reading, records
from lakehouse.ingest.files.conservation import conservation
from lakehouse.ingest.files.rejects import retry
from lakehouse.storage import Lake
from tests.killed_ingest import in_small_batches
from tests.landed import (
    AS_OF,
    CAGE,
    bronze,
    cage_csv,
    cage_row,
    drop,
    lake_at,
    mapped,
    quarantined,
    take_in,
)
from tests.test_exactly_once import killed

ALL = "snapshot = true\n"
A = cage_csv(cage_row(1), cage_row(2), cage_row(3, "bad"), ",2025-01-05T12:00:00-08:00,1.00")
B = cage_csv(cage_row(2, "9.00"), cage_row(4), cage_row(5, "bad"))
C = cage_csv(cage_row(6))


def rows(lake: Lake) -> list[tuple[object, str]]:
    assert conservation(lake, CAGE).holds
    return [(k, str(a)) for k, a in bronze(lake, "transaction_id", "amount")]


OF_A = [("t1", "1.00"), ("t2", "1.00")]
OF_B = [("t2", "9.00"), ("t4", "1.00")]


@pytest.mark.parametrize("at_once", [True, False])
def test_a_snapshot_leaves_nothing_of_the_one_before(tmp_path: Path, at_once: bool) -> None:
    lake, settings = lake_at(tmp_path)
    mapped(lake, ALL)
    path = drop(lake, f"{CAGE}/a.csv", A)
    os.utime(path, (10**9, 10**9))
    if not at_once:
        take_in(lake, settings)
        assert rows(lake) == OF_A
    drop(lake, f"{CAGE}/b.csv", B)
    last = take_in(lake, settings).outcomes[-1]
    assert (last.bronze_rows, last.quarantine_rows, last.replaced_rows) == (2, 1, 2)
    assert rows(lake) == OF_B
    assert quarantined(lake, "transaction_id") == [("t5",)]
    assert take_in(lake, settings).outcomes == ()


def test_rows_that_a_retry_healed_go_with_their_snapshot(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    mapped(lake, ALL)
    drop(lake, f"{CAGE}/a.csv", A)
    take_in(lake, settings)
    mapped(lake, ALL + 'nulls = ["bad"]\n')
    assert retry(lake, settings, CAGE, as_of=AS_OF).healed == 1
    mapped(lake, ALL)
    drop(lake, f"{CAGE}/b.csv", B)
    take_in(lake, settings)
    assert rows(lake) == OF_B


def test_files_of_other_folders_and_other_files_stay(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/c.csv", C)
    for folder, content in (("x", A), ("y", cage_csv(cage_row(7)))):
        drop(lake, f"{CAGE}/{folder}/1.csv", content)
        drop(lake, f"{CAGE}/{folder}/mapping.toml", ALL)
    take_in(lake, settings)
    drop(lake, f"{CAGE}/x/2.csv", B)
    take_in(lake, settings)
    assert rows(lake) == [*OF_B, ("t6", "1.00"), ("t7", "1.00")]


def test_what_was_before_can_be_so_again(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    mapped(lake, ALL)
    for name, content in (("1.csv", A), ("2.csv", B)):
        drop(lake, f"{CAGE}/{name}", content)
        take_in(lake, settings)
    drop(lake, f"{CAGE}/3.csv", A)
    (again,) = take_in(lake, settings).outcomes
    assert (again.state, again.replaced_rows) == ("ingested", 2)
    assert rows(lake) == OF_A
    drop(lake, f"{CAGE}/4.csv", A)
    assert [o.state for o in take_in(lake, settings).outcomes] == ["duplicate"]
    assert rows(lake) == OF_A
    drop(lake, f"{CAGE}/5.csv", B)
    take_in(lake, settings)
    assert rows(lake) == OF_B
    assert take_in(lake, settings).outcomes == ()


def test_a_mended_mapping_leaves_the_last_snapshot_the_last(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    mapped(lake, ALL)
    for name, content in (("1.csv", A), ("2.csv", B)):
        drop(lake, f"{CAGE}/{name}", content)
        take_in(lake, settings)
    mapped(lake, ALL + 'nulls = ["bad"]\n')
    take_in(lake, settings)
    assert [k for k, _ in rows(lake)] == ["t2", "t4", "t5"]


@pytest.mark.parametrize("content", [cage_csv(), cage_csv(cage_row(1, "bad"))])
def test_a_snapshot_without_a_good_row_replaces_nothing(tmp_path: Path, content: str) -> None:
    lake, settings = lake_at(tmp_path)
    mapped(lake, ALL)
    drop(lake, f"{CAGE}/a.csv", A)
    take_in(lake, settings)
    drop(lake, f"{CAGE}/b.csv", content)
    (refused,) = take_in(lake, settings).outcomes
    assert refused.state == "rejected"
    assert "is a snapshot of which none of" in refused.reason
    assert rows(lake) == OF_A


@pytest.mark.slow
def test_a_process_killed_at_any_step_leaves_the_last_snapshot_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every step of it; in batches of two rows, as the killed process has them."""
    for module, name in ((reading, "BATCH_ROWS"), (reading, "HELD_ROWS"), (records, "WINDOW")):
        monkeypatch.setattr(module, name, getattr(module, name))
    in_small_batches()
    lake, settings = lake_at(tmp_path / "start")
    mapped(lake, ALL)
    drop(lake, f"{CAGE}/a.csv", A)
    take_in(lake, settings)
    drop(lake, f"{CAGE}/b.csv", B)
    for fatal in range(1, 40):
        folder = tmp_path / str(fatal)
        shutil.copytree(tmp_path / "start", folder)
        status = killed(folder, fatal)
        lake, settings = lake_at(folder)
        take_in(lake, settings)
        assert rows(lake) == OF_B, fatal
        assert quarantined(lake, "transaction_id") == [("t5",)], fatal
        if status == 0:
            assert fatal > 5
            return
    raise AssertionError("the process was killed at every step")
