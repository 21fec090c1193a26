"""Tables that grow all the time: their logs and files stay few, and nothing is lost by that."""

import datetime as dt
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable

from lakehouse.errors import BadInput, StorageError
from lakehouse.ingest.streams.compaction import kept
from lakehouse.settings import Settings
from lakehouse.storage import Kept, Lake, damage, maintenance, stream, tend
from tests.tended import AN_HOUR, HOUR, NOTHING, age, checkpoint, cut, entries
from tests.test_storage_offsets import BY, CAGE, brought, frame, places

DAY = dt.date(2025, 1, 5)
HOME = ("bronze", CAGE)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path))


@pytest.fixture(scope="module")
def in_forty_commits(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(str(tmp_path_factory.mktemp("forty")))
    for n in range(40):
        brought(lake, n, n + 1)
    return lake


@pytest.fixture
def forty(in_forty_commits: Lake, tmp_path: Path) -> Lake:
    """A lake of its own, of forty rows that came in so many commits."""
    shutil.copytree(in_forty_commits.root, tmp_path / "forty")
    return Lake(str(tmp_path / "forty"))


def files(lake: Lake) -> int:
    return len(list(Path(lake.uri("bronze", CAGE)).glob("gaming_day=*/*.parquet")))


def test_a_log_is_cut_to_the_checkpoint_before_the_time_that_is_kept(lake: Lake) -> None:
    for n in range(20):
        brought(lake, n, n + 1)
        if n in (7, 15):
            checkpoint(lake, *HOME)
    age(lake, *HOME, 12)
    tend(lake, "bronze", CAGE, HOUR)
    assert entries(lake, *HOME)[0] == 8
    newest = max(entries(lake, *HOME))
    for version in range(13, newest + 1):
        assert lake.scan("bronze", CAGE, as_of=version).collect().height == min(version, 20)
    age(lake, *HOME, 17)
    brought(lake, 20, 21)
    tend(lake, "bronze", CAGE, HOUR)
    assert entries(lake, *HOME)[0] == 16
    assert places(Lake(lake.root)) == sorted(f"topic:cage/0@{n}" for n in range(21))


def test_a_version_before_a_cut_is_refused_by_what_there_is(lake: Lake) -> None:
    for n in range(4):
        brought(lake, n, n + 1)
    cut(lake, *HOME)
    first, last = entries(lake, *HOME)[0], max(entries(lake, *HOME))
    with pytest.raises(BadInput, match=rf"no version 2; versions {first} to {last}$"):
        lake.scan("bronze", CAGE, as_of=2)
    with pytest.raises(BadInput, match=r"no longer known as it was at 2020-01-01 .*; it is since"):
        lake.scan("bronze", CAGE, as_of=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))


def test_offsets_outlive_the_log_that_told_them(lake: Lake) -> None:
    for n in range(9):
        brought(lake, n, n + 1, "cage/0")
        brought(lake, n, n + 1, "cage/1")
    cut(lake, *HOME)
    assert entries(lake, *HOME)[0] > 17
    anew = Lake(lake.root)
    assert anew.reached("bronze", CAGE, ["cage/0", "cage/1"]) == {"cage/0": 9, "cage/1": 9}
    assert brought(anew, 0, 9) == 0
    assert brought(anew, 4, 12, "cage/1") == 3
    assert len(places(anew)) == 9 + 12


def test_files_that_were_put_together_go_after_the_time_that_is_kept(forty: Lake) -> None:
    tend(forty, "bronze", CAGE, HOUR)
    assert files(forty) == 41
    assert forty.scan("bronze", CAGE, as_of=30).collect().height == 30
    tend(forty, "bronze", CAGE, NOTHING)
    assert files(forty) == 1
    assert len(places(Lake(forty.root))) == 40


@pytest.mark.slow
def test_what_was_put_together_is_not_written_again_each_time(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of six rounds of 33 commits each row would be written again three and a half times."""
    monkeypatch.setattr(maintenance, "STEP", 128 * 2**10)
    monkeypatch.setattr(maintenance, "SMALL", 2**20)
    chance, written, at, many = random.Random(1), 0, 0, 80
    for _ in range(6):
        for _ in range(33):
            rows = frame(*(f"cage/0@{at + n}" for n in range(many)))
            ids = [chance.randbytes(12).hex() for _ in range(many)]
            rows, at = rows.with_columns(transaction_id=pl.Series(ids)), at + many
            lake.append_offsets(*HOME, rows, {"cage/0": at}, commit=BY)
        before = {file.path for file in lake.data_files(*HOME)}
        tend(lake, *HOME, HOUR)
        files = lake.data_files(*HOME)
        written += sum(file.rows or 0 for file in files if file.path not in before)
        assert len(files) < 20
    assert written < 2.5 * at
    assert lake.scan(*HOME).collect()["_source"].n_unique() == at


def test_files_of_a_commit_that_is_under_way_stay(forty: Lake) -> None:
    under_way = Path(forty.uri("bronze", CAGE)) / f"gaming_day={DAY}" / "part-under-way.parquet"
    under_way.write_bytes(b"PAR1")
    os.utime(under_way, (0, 0))
    tend(forty, "bronze", CAGE, NOTHING)
    assert under_way.exists()


@pytest.mark.parametrize(
    ("minutes", "hours", "wanted"),
    [(10, 1, (600, 7200)), (15, 3, (900, 14400)), (90, 1, (5400, 9000))],
)
def test_times_are_the_tables_own_and_follow_the_settings(
    lake: Lake, minutes: int, hours: int, wanted: tuple[int, int]
) -> None:
    """Files of a version that can be asked for stay, and are named for an hour more."""
    brought(lake, 0, 1)
    tend(lake, "bronze", CAGE, HOUR)
    as_set = kept(Settings(version_minutes=minutes, reading_hours=hours))
    tend(lake, "bronze", CAGE, as_set)
    assert DeltaTable(lake.uri("bronze", CAGE)).metadata().configuration == {
        "delta.logRetentionDuration": f"interval {wanted[0]} seconds",
        "delta.deletedFileRetentionDuration": f"interval {wanted[1]} seconds",
        "delta.enableExpiredLogCleanup": "false",
    }
    before = lake.version("bronze", CAGE)
    tend(lake, "bronze", CAGE, as_set)
    assert lake.version("bronze", CAGE) == before


def test_a_file_that_was_put_together_is_found_after_a_checkpoint(
    forty: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One is made between two times that the table is tended, by whoever commits."""
    with monkeypatch.context() as patch:
        patch.setattr(DeltaTable, "vacuum", lambda *_, **__: [])
        tend(forty, *HOME, NOTHING)
    checkpoint(forty, *HOME)
    brought(forty, 40, 41)
    assert files(forty) == 42
    tend(forty, *HOME, NOTHING)
    assert files(forty) == 2


def test_what_was_opened_is_read_on_after_its_version_is_forgotten(forty: Lake) -> None:
    opened = forty.scan("bronze", CAGE)
    seldom = Kept(dt.timedelta(0), AN_HOUR)
    tend(forty, "bronze", CAGE, seldom)
    brought(forty, 40, 41)
    checkpoint(forty, *HOME)
    tend(forty, "bronze", CAGE, seldom)
    assert entries(forty, *HOME)[0] > 40
    assert opened.collect().height == 40


def test_what_a_day_holds_is_told_the_same_through_all_of_it(lake: Lake) -> None:
    """Else each day of a stream would be due to be derived again whenever it is tended."""
    lake.write_days("bronze", CAGE, frame("x@0"), (DAY, DAY), commit=BY.deriving({DAY: "a mark"}))
    for n in range(40):
        brought(lake, n, n + 1)
    told = lake.tokens("bronze", CAGE)
    for time in (HOUR, NOTHING, HOUR):
        tend(lake, "bronze", CAGE, time)
        assert Lake(lake.root).tokens("bronze", CAGE) == told
    lake.append_offsets("bronze", CAGE, frame(), {"cage/0": 41}, commit=BY)
    cut(lake, *HOME)
    assert Lake(lake.root).tokens("bronze", CAGE) == told
    brought(lake, 41, 42)
    assert lake.tokens("bronze", CAGE) != told


def test_nothing_that_rearranges_cuts_the_log(lake: Lake) -> None:
    """The version before it is still asked for by what a day holds. Here the compaction is the one
    hundredth version, of which Delta makes a checkpoint."""
    lake.make("bronze", CAGE)
    tend(lake, "bronze", CAGE, HOUR)
    for n in range(97):
        brought(lake, n, n + 1)
    told = lake.tokens("bronze", CAGE)
    assert max(entries(lake, *HOME)) == 98
    age(lake, *HOME, 98)
    for _ in range(2):
        tend(lake, "bronze", CAGE, HOUR)
        assert Lake(lake.root).history("bronze", CAGE)[0].operation == "OPTIMIZE"
        assert entries(lake, *HOME) == list(range(100))
        assert Lake(lake.root).tokens("bronze", CAGE) == told
    brought(lake, 97, 98)
    tend(lake, "bronze", CAGE, HOUR)
    assert entries(lake, *HOME) == [99, 100]


@pytest.mark.parametrize("by_offsets", [True, False])
def test_a_commit_of_one_who_slept_while_the_log_was_cut_fails_and_can_be_made_again(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, by_offsets: bool
) -> None:
    """Were its entry written beneath the checkpoint, nobody would read it."""
    for n in range(5):
        brought(lake, n, n + 1)
    write: Callable[..., None] = stream.write_deltalake

    def late(*args: Any, **more: Any) -> None:
        monkeypatch.setattr(stream, "write_deltalake", write)
        other = Lake(lake.root)
        for n in range(6):
            brought(other, n, n + 1, "cage/1")
        cut(other, *HOME)
        write(*args, **more)

    def add() -> None:
        if by_offsets:
            brought(lake, 5, 7)
        else:
            rows = frame("cage/0@5", "cage/0@6")
            lake.append("bronze", CAGE, rows, commit=BY, app_transaction=("mine", 1))

    monkeypatch.setattr(stream, "write_deltalake", late)
    with pytest.raises(StorageError, match="cannot write"):
        add()
    for _ in range(2):
        add()
    wanted = [*(f"topic:cage/0@{n}" for n in range(7)), *(f"topic:cage/1@{n}" for n in range(6))]
    assert places(Lake(lake.root)) == sorted(wanted)
    assert places(lake) == sorted(wanted)


def test_an_entry_that_is_cut_while_somebody_opens_the_table_is_no_damage(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought(lake, 0, 1)
    listed: Callable[..., list[Path]] = damage._commits
    gone = Path(lake.uri(*HOME)) / "_delta_log" / f"{7:020}.json"
    monkeypatch.setattr(damage, "_commits", lambda *table: [gone, *listed(*table)])
    assert len(places(Lake(lake.root))) == 1
