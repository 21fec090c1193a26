"""Every row once: copies, renamed files, corrections, and a process killed at every step."""

import os
import shutil
from pathlib import Path

import pytest

from lakehouse.ingest.files import reading, records
from lakehouse.ingest.files.conservation import conservation
from lakehouse.ingest.files.rejects import retry
from lakehouse.storage import Lake
from tests.landed import (
    AS_OF,
    CAGE,
    LANDING_DAY,
    bronze,
    cage_csv,
    cage_row,
    drop,
    files_correct_each_other,
    lake_at,
    quarantined,
    take_in,
)
from tests.processes import Warm
from tests.small_lake import COMMIT

OLD = cage_csv(cage_row(1), cage_row(2), cage_row(3, "bad"), cage_row(4))
NEW = cage_csv(
    cage_row(2, "22.00"), cage_row(3, "33.00"), cage_row(5, "bad"), cage_row(6), cage_row(7)
)
ROWS = [
    ("t1", "1.00"),
    ("t2", "22.00"),
    ("t3", "33.00"),
    ("t4", "1.00"),
    ("t6", "1.00"),
    ("t7", "1.00"),
]


def amounts(lake: Lake) -> list[tuple[str, str]]:
    return [(str(n), str(a)) for n, a in bronze(lake, "transaction_id", "amount")]


def states(lake: Lake) -> list[str]:
    return [o for (o,) in lake.scan("ops", "ingest_ledger").select("state").collect().rows()]


@pytest.mark.slow
def test_the_same_content_counts_once_whatever_its_name(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/a.csv", OLD)
    take_in(lake, settings)
    drop(lake, f"{CAGE}/deep/er/b.csv", OLD)
    (again,) = take_in(lake, settings).outcomes
    assert (again.state, again.reason) == ("duplicate", f"same content as {CAGE}/a.csv")
    shutil.move(f"{lake.root}/landing/{CAGE}/a.csv", f"{lake.root}/landing/{CAGE}/c.csv")
    os.utime(f"{lake.root}/landing/{CAGE}/c.csv", (10**9, 10**9))
    assert [o.state for o in take_in(lake, settings).outcomes] == ["duplicate"]
    assert take_in(lake, settings).outcomes == ()
    assert [n for n, _ in amounts(lake)] == ["t1", "t2", "t4"]
    assert conservation(lake, CAGE).holds


def test_rows_of_one_file_never_replace_each_other(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/a.csv", cage_csv(cage_row(1), cage_row(1), cage_row(1, "2.00")))
    take_in(lake, settings)
    assert amounts(lake) == [("t1", "1.00"), ("t1", "1.00"), ("t1", "2.00")]


def test_a_corrected_file_replaces_by_key_and_history_has_both(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/a.csv", OLD)
    take_in(lake, settings)
    before = lake.version("bronze", CAGE)
    drop(lake, f"{CAGE}/a.csv", NEW)
    (done,) = take_in(lake, settings).outcomes
    assert (done.rows, done.bronze_rows, done.quarantine_rows, done.replaced_rows) == (5, 4, 1, 1)
    assert amounts(lake) == ROWS
    assert [n for (n,) in quarantined(lake, "transaction_id")] == ["t5"]
    then = lake.scan("bronze", CAGE, as_of=before).collect()
    assert sorted(then["transaction_id"]) == ["t1", "t2", "t4"]
    assert conservation(lake, CAGE).holds


def test_a_correction_of_the_time_takes_the_row_to_its_new_day(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    drop(lake, f"{CAGE}/a.csv", cage_csv(cage_row(1), cage_row(2)))
    take_in(lake, settings)
    drop(lake, f"{CAGE}/a.csv", cage_csv("t1,2025-01-06T12:00:00-08:00,1.00"))
    take_in(lake, settings)
    days = [(n, str(d)) for n, d in bronze(lake, "transaction_id", "gaming_day")]
    assert days == [("t1", "2025-01-06"), ("t2", "2025-01-05")]


def test_rows_of_the_simulator_are_not_replaced(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    files_correct_each_other(lake)
    drop(lake, f"{CAGE}/a.csv", cage_csv(cage_row(1)))
    take_in(lake, settings)
    rows = lake.scan("bronze", CAGE).collect()
    simulated = rows.with_columns(_source=rows["_source"].str.replace(".*", "simulator"))
    lake.append("bronze", CAGE, simulated, commit=COMMIT)
    drop(lake, f"{CAGE}/b.csv", cage_csv(cage_row(1, "2.00")))
    take_in(lake, settings)
    assert amounts(lake) == [("t1", "1.00"), ("t1", "2.00")]


def killed(folder: Path, fatal: int, *what: str) -> int:
    process = Warm("tests.killed_ingest", str(folder), str(fatal), *what)
    _, said = process.communicate(timeout=300)
    assert process.returncode in (0, 9), said
    return process.returncode


@pytest.mark.slow
def test_a_process_killed_at_any_step_leaves_every_row_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writes of a correction in three batches, with a reject of each file and one unreadable
    file: each of them is the last one in turn, and the next run ends the work."""
    monkeypatch.setattr(reading, "BATCH_ROWS", 2)
    monkeypatch.setattr(reading, "HELD_ROWS", 1)
    monkeypatch.setattr(records, "WINDOW", 80)
    lake, settings = lake_at(tmp_path / "first")
    drop(lake, f"{CAGE}/a.csv", OLD)
    take_in(lake, settings)
    drop(lake, f"{CAGE}/a.csv", NEW)
    drop(lake, f"{CAGE}/z.csv", "nothing,of,ours\n1,2,3\n")
    fatal = 0
    while True:
        fatal += 1
        copy = tmp_path / str(fatal)
        shutil.copytree(tmp_path / "first", copy, symlinks=True)
        status = killed(copy, fatal)
        assert status in (0, 9)
        again, settings = lake_at(copy)
        take_in(again, settings)
        assert amounts(again) == ROWS, fatal
        assert [n for (n,) in quarantined(again, "transaction_id")] == ["t5"], fatal
        assert conservation(again, CAGE).holds, fatal
        assert sorted(set(states(again))) == ["begun", "ingested", "rejected", "stored"], fatal
        assert states(again).count("ingested") == 2, fatal
        assert (copy / f"lake/landing/_rejected/{CAGE}/z.csv.reason.txt").exists(), fatal
        if status == 0:
            break
    assert fatal > 9


@pytest.mark.slow
def test_a_retry_killed_at_any_step_heals_every_row_once(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path / "first")
    drop(lake, f"{CAGE}/a.csv", OLD.replace("-08:00", ""))
    take_in(lake, settings)
    assert amounts(lake) == []
    (tmp_path / f"first/lake/landing/{CAGE}/mapping.toml").write_text(
        'timezone = "America/Los_Angeles"\n'
    )
    for fatal in range(1, 5):
        copy = tmp_path / str(fatal)
        shutil.copytree(tmp_path / "first", copy)
        assert killed(copy, fatal, "retry") == (9 if fatal < 4 else 0)
        again, settings = lake_at(copy)
        retry(again, settings, CAGE, as_of=AS_OF.replace(hour=21))
        assert amounts(again) == [("t1", "1.00"), ("t2", "1.00"), ("t4", "1.00")], fatal
        assert quarantined(again, "transaction_id", "gaming_day") == [("t3", LANDING_DAY)]


@pytest.mark.slow
def test_a_file_that_was_begun_and_is_gone_leaves_no_row_or_all(tmp_path: Path) -> None:
    """A correction killed at each of its writes, and deleted before the next run: as long as
    some of its rows are missing, those that are there go, and the old ones stay."""
    lake, settings = lake_at(tmp_path / "first")
    files_correct_each_other(lake)
    drop(lake, f"{CAGE}/a.csv", OLD)
    take_in(lake, settings)
    old, held = amounts(lake), quarantined(lake, "transaction_id")
    drop(lake, f"{CAGE}/a.csv", NEW)
    seen = set()
    for fatal in range(1, 20):
        copy = tmp_path / str(fatal)
        shutil.copytree(tmp_path / "first", copy)
        status = killed(copy, fatal)
        again, settings = lake_at(copy)
        (copy / f"lake/landing/{CAGE}/a.csv").unlink()
        found = {o.state for o in take_in(again, settings).outcomes}
        seen |= found
        if "withdrawn" in found or fatal == 1:
            assert (amounts(again), quarantined(again, "transaction_id")) == (old, held), fatal
        else:
            assert amounts(again) == ROWS, fatal
        assert conservation(again, CAGE).holds, fatal
        assert take_in(again, settings).outcomes == ()
        drop(again, f"{CAGE}/new-name.csv", NEW)
        take_in(again, settings)
        assert amounts(again) == ROWS, fatal
        assert conservation(again, CAGE).holds, fatal
        if status == 0:
            break
    assert status == 0
    assert seen == {"withdrawn", "ingested"}


@pytest.mark.slow
def test_a_file_that_was_begun_and_is_gone_is_told(tmp_path: Path) -> None:
    lake, settings = lake_at(tmp_path)
    path = drop(lake, f"{CAGE}/a.csv", OLD)
    assert killed(tmp_path, 3) == 9
    path.unlink()
    waiting = drop(lake, f"{CAGE}/b.csv", OLD)
    waiting.with_name("b.csv.done").unlink()
    os.utime(waiting, (AS_OF.timestamp(), AS_OF.timestamp()))
    assert [o.state for o in take_in(lake, settings).failed] == ["interrupted"]
    waiting.unlink()
    (lost,) = take_in(lake, settings).failed
    assert (lost.state, lost.name) == ("withdrawn", f"{CAGE}/a.csv")
    assert (bronze(lake, "transaction_id"), quarantined(lake, "transaction_id")) == ([], [])
    # Batches are cut otherwise here than in the process that was killed.
    drop(lake, f"{CAGE}/new-name.csv", OLD)
    assert [o.state for o in take_in(lake, settings).outcomes] == ["ingested"]
    assert [n for n, _ in amounts(lake)] == ["t1", "t2", "t4"]


@pytest.mark.slow
def test_a_file_in_between_spares_the_rows_of_an_interrupted_one(tmp_path: Path) -> None:
    """The rows of both are counted right, whether the interrupted file comes again or not; and
    the one that came first stays the first."""
    lake, settings = lake_at(tmp_path)
    files_correct_each_other(lake)
    path = drop(lake, f"{CAGE}/a.csv", OLD)
    assert killed(tmp_path, 4) == 9
    assert amounts(lake) == [("t1", "1.00"), ("t2", "1.00")]
    path.rename(path.with_name("later.csv"))
    path.with_name("a.csv.done").unlink()
    os.utime(path.with_name("later.csv"), (AS_OF.timestamp(), AS_OF.timestamp()))
    drop(lake, f"{CAGE}/b.csv", cage_csv(cage_row(2, "5.00")))
    assert {o.state for o in take_in(lake, settings).outcomes} == {
        "ingested",
        "waiting",
        "interrupted",
    }
    assert amounts(lake) == [("t1", "1.00"), ("t2", "1.00"), ("t2", "5.00")]
    for name in ("gone", "comes"):
        shutil.copytree(tmp_path / "lake", tmp_path / name / "lake", symlinks=True)
        copy, settings = lake_at(tmp_path / name)
        later = Path(copy.root) / f"landing/{CAGE}/later.csv"
        if name == "gone":
            later.unlink()
        else:
            later.with_name("later.csv.done").touch()
        take_in(copy, settings)
        assert conservation(copy, CAGE).holds, name
        expected = {
            "gone": [("t2", "5.00")],
            "comes": [("t1", "1.00"), ("t2", "5.00"), ("t4", "1.00")],
        }
        assert amounts(copy) == expected[name]
