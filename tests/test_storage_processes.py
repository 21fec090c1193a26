"""Several processes on one lake: nothing lost, nothing doubled, nothing half written."""

import datetime as dt
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from lakehouse.storage import Commit, Lake, stored_schema

TABLE = "staff_observations"
DAY = dt.date(2025, 1, 1)

WRITER = """
import datetime as dt, resource, signal, sys
import polars as pl
from lakehouse.errors import LakehouseError
from lakehouse.storage import Commit, Lake, stored_schema

root, what, name, times = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
lake, by = Lake(root), Commit(name, "test", "1")
TABLE, day = "staff_observations", dt.date(2025, 1, 1)

def frame(day, rows, mark):
    schema = stored_schema("bronze", TABLE)
    return pl.DataFrame(
        {n: [None] * rows for n in schema} | {"gaming_day": [day] * rows, "_source": [mark] * rows},
        schema=schema,
    )

def add_version(now):
    schema = stored_schema("silver", "player_profile")
    row = {n: [None] for n in schema} | {"player_id": [f"{name}-{now.collect().height}"]}
    return pl.concat([now.collect(), pl.DataFrame(row, schema=schema)])

print("ready", flush=True)
sys.stdin.readline()
for n in range(times):
    if what == "same day":
        lake.write_days("bronze", TABLE, frame(day, 3, f"{name}{n}"), (day, day), commit=by)
    elif what == "own day":
        own = day + dt.timedelta(int(name))
        lake.write_days("bronze", TABLE, frame(own, 2, name), (own, own), commit=by)
    elif what == "rebuild":
        lake.rebuild("silver", "player_profile", add_version, commit=by)
    elif what == "once":
        lake.append("bronze", TABLE, frame(day, 1, "x"), commit=by, app_transaction=("file", n + 1))
    elif what == "full disk":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        text = pl.int_range(200_000).hash().cast(pl.String).alias("_source")
        try:
            rows = frame(day, 200_000, "x").with_columns(text)
            lake.write_days("bronze", TABLE, rows, (day, day), commit=by)
        except LakehouseError as error:
            print(error)
            sys.exit(1)
"""


def start(root: Path, what: str, name: str, times: int) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(root), what, name, str(times)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def together(root: Path, what: str, names: list[str], times: int) -> None:
    processes = [start(root, what, name, times) for name in names]
    for process in processes:
        go(process)
    for process in processes:
        _, said = process.communicate(timeout=300)
        assert process.returncode == 0, said


def writes(root: Path) -> int:
    """Two that begin at once may both make the table; the second one's making changes nothing."""
    history = Lake(str(root)).history("bronze", TABLE)
    assert {v.operation for v in history} == {"WRITE", "CREATE TABLE"}
    return sum(v.operation == "WRITE" for v in history)


@pytest.mark.slow
def test_writers_of_different_days_all_succeed(tmp_path: Path) -> None:
    together(tmp_path, "own day", ["0", "1"], 8)
    stored = Lake(str(tmp_path)).partitions("bronze", TABLE)
    assert stored["rows"].to_list() == [2, 2]
    assert writes(tmp_path) == 16


@pytest.mark.slow
def test_writers_of_the_same_day_serialise(tmp_path: Path) -> None:
    together(tmp_path, "same day", ["a", "b"], 8)
    marks = Lake(str(tmp_path)).scan("bronze", TABLE).collect()["_source"].to_list()
    assert marks in (["a7"] * 3, ["b7"] * 3)
    assert writes(tmp_path) == 16


@pytest.mark.slow
def test_rebuilds_see_each_other(tmp_path: Path) -> None:
    together(tmp_path, "rebuild", ["a", "b"], 8)
    ids = Lake(str(tmp_path)).scan("silver", "player_profile").collect()["player_id"].to_list()
    assert [i.split("-")[1] for i in ids] == [str(n) for n in range(16)]
    assert sorted(i.split("-")[0] for i in ids) == ["a"] * 8 + ["b"] * 8


@pytest.mark.slow
def test_one_transaction_lands_once_whoever_brings_it(tmp_path: Path) -> None:
    together(tmp_path, "once", ["a", "b"], 5)
    assert Lake(str(tmp_path)).scan("bronze", TABLE).collect().height == 5


@pytest.mark.slow
@pytest.mark.parametrize("after", [0.0, 0.004, 0.011, 0.05])
def test_a_killed_writer_leaves_the_last_version_readable(tmp_path: Path, after: float) -> None:
    lake, by = Lake(str(tmp_path)), Commit("r", "test", "1")
    schema = stored_schema("bronze", TABLE)
    empty = pl.DataFrame(schema=schema)
    lake.write_days("bronze", TABLE, empty, (DAY, DAY), commit=by)
    process = start(tmp_path, "same day", "k", 100_000)
    go(process)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    marks = lake.scan("bronze", TABLE).collect()["_source"]
    assert marks.len() in (0, 3)
    assert marks.n_unique() <= 1
    lake.write_days("bronze", TABLE, empty, (DAY, DAY), commit=by)
    assert lake.scan("bronze", TABLE).collect().is_empty()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="file size limits as a full disk")
def test_a_full_disk_is_one_clear_line_and_a_lake_as_before(tmp_path: Path) -> None:
    together(tmp_path, "same day", ["a"], 1)
    process = start(tmp_path, "full disk", "f", 1)
    go(process)
    out, said = process.communicate(timeout=300)
    assert process.returncode == 1, said
    assert out.startswith(f"cannot write {tmp_path}/restricted/bronze/{TABLE}: ")
    assert out.count("\n") == 1
    assert Lake(str(tmp_path)).scan("bronze", TABLE).collect()["_source"].to_list() == ["a0"] * 3
    assert Lake(str(tmp_path)).version("bronze", TABLE) == 1
