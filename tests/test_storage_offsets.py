"""Rows and the offsets that they came from, in one commit."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.errors import ContractError, Gap
from lakehouse.storage import Commit, Lake, maintain, stored_schema
from lakehouse.storage.marks import recorded

CAGE = "financial_txn"
BY = Commit("test", "bronze/financial_txn", "1")


def frame(*places: str, day: str = "2025-01-05") -> pl.DataFrame:
    schema = stored_schema("bronze", CAGE)
    sources = pl.Series("_source", [f"topic:{p}" for p in places], dtype=pl.String)
    rows = pl.DataFrame({"transaction_id": sources, "_source": sources})
    rows = rows.with_columns(gaming_day=pl.lit(day).str.to_date())
    missing = [pl.lit(None, dtype=t).alias(n) for n, t in schema.items() if n not in rows.columns]
    return rows.with_columns(missing)


def brought(lake: Lake, first: int, after: int, name: str = "cage/0", **more: object) -> int:
    rows = frame(*(f"{name}@{n}" for n in range(first, after)))
    begin = {"begin": {name: first}} | more
    return lake.append_offsets("bronze", CAGE, rows, {name: after}, commit=BY, **begin).rows


def places(lake: Lake) -> list[str]:
    return sorted(lake.scan("bronze", CAGE).collect()["_source"])


def test_what_was_brought_before_is_left_out(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    assert lake.reached("bronze", CAGE, ["cage/0"]) == {}
    assert brought(lake, 0, 3) == 3
    assert brought(lake, 0, 3) == 0
    assert lake.version("bronze", CAGE) == 1
    assert brought(lake, 1, 5) == 2
    assert brought(lake, 0, 2) == 0
    assert lake.reached("bronze", CAGE, ["cage/0", "cage/1"]) == {"cage/0": 5}
    assert places(lake) == [f"topic:cage/0@{n}" for n in range(5)]


def test_a_gap_is_refused_and_adds_nothing(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    brought(lake, 40, 42)
    with pytest.raises(Gap, match=r"reached offset 42 of cage/0, .* begins at 43: go on from 42"):
        brought(lake, 43, 44)
    assert places(lake) == ["topic:cage/0@40", "topic:cage/0@41"]
    assert brought(lake, 43, 44, begin=None) == 1


def test_partitions_reach_apart_and_none_goes_back(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    brought(lake, 0, 9, "cage/0")
    both = frame("cage/0@4", "cage/1@0", "cage/1@1")
    written = lake.append_offsets("bronze", CAGE, both, {"cage/0": 5, "cage/1": 2}, commit=BY)
    assert written.rows == 2
    assert lake.reached("bronze", CAGE, ["cage/0", "cage/1"]) == {"cage/0": 9, "cage/1": 2}


def test_the_log_is_looked_through_for_old_entries_now_and_then_and_not_at_each_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look asks the age of all entries: a commit would cost the more the more there were."""
    monkeypatch.setattr("lakehouse.storage.stream.FORGETS_EVERY", 10)
    lake = Lake(str(tmp_path))
    lake.make("bronze", CAGE)
    delta = DeltaTable(lake.uri("bronze", CAGE))
    delta.alter.set_table_properties({"delta.logRetentionDuration": "interval 0 seconds"})
    brought(lake, 0, 1)
    entry = Path(lake.uri("bronze", CAGE)) / "_delta_log" / f"{0:020}.json"
    DeltaTable(lake.uri("bronze", CAGE)).create_checkpoint()
    for n in range(1, 8):
        brought(lake, n, n + 1)
        assert entry.exists(), lake.version("bronze", CAGE)
    brought(lake, 8, 9)
    assert lake.version("bronze", CAGE) == 10
    assert not entry.exists()
    assert len(places(lake)) == 9


def test_offsets_of_no_rows_are_noted(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    lake.append_offsets("bronze", CAGE, frame(), {"cage/0": 7}, commit=BY)
    assert lake.reached("bronze", CAGE, ["cage/0"]) == {"cage/0": 7}


def test_rows_of_another_partition_are_refused(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    with pytest.raises(ContractError, match="rows of cage/1, not asked for"):
        lake.append_offsets("bronze", CAGE, frame("cage/1@0"), {"cage/0": 1}, commit=BY)


def test_two_who_have_seen_the_same_add_once(tmp_path: Path) -> None:
    """A worker that lost its partition, and goes on with what it had read."""
    first, second = Lake(str(tmp_path)), Lake(str(tmp_path))
    brought(first, 0, 2)
    brought(second, 0, 2)
    brought(first, 2, 6)
    brought(second, 2, 4)
    assert len(places(first)) == 6
    assert second.reached("bronze", CAGE, ["cage/0"]) == {"cage/0": 6}


def test_the_log_is_asked_for_an_offset_once_while_nobody_else_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    look = DeltaTable.transaction_version

    def noted(delta: DeltaTable, name: str) -> int | None:
        asked.append(name)
        return look(delta, name)

    monkeypatch.setattr(DeltaTable, "transaction_version", noted)
    mine, other = Lake(str(tmp_path)), Lake(str(tmp_path))
    for n in range(5):
        assert brought(mine, n, n + 1) == 1
    assert mine.reached("bronze", CAGE, ["cage/0"]) == {"cage/0": 5}
    assert asked == ["cage/0"]
    assert brought(other, 5, 8) == 3
    assert brought(mine, 5, 9) == 1
    assert mine.reached("bronze", CAGE, ["cage/0"]) == {"cage/0": 9}
    assert places(mine) == [f"topic:cage/0@{n}" for n in range(9)]


def test_days_keep_what_they_were_derived_from_through_appends_by_offsets(tmp_path: Path) -> None:
    lake, day = Lake(str(tmp_path)), dt.date(2025, 1, 5)
    lake.write_days("bronze", CAGE, frame("x@0"), (day, day), commit=BY.deriving({day: "a mark"}))
    for n in range(3):
        brought(lake, n, n + 1)
    assert recorded(DeltaTable(lake.uri("bronze", CAGE))) == {day: "a mark"}


def test_compaction_and_checkpoints_forget_no_offset(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    for n in range(12):
        brought(lake, n, n + 1)
    maintain(lake, "bronze", CAGE)
    assert Lake(str(tmp_path)).reached("bronze", CAGE, ["cage/0"]) == {"cage/0": 12}
    assert brought(lake, 11, 13) == 1


def test_files_of_a_commit_are_their_owners_alone(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    brought(lake, 0, 2)
    brought(lake, 2, 4)
    inside = Path(lake.uri("bronze", CAGE))
    open_to_others = [p for p in inside.rglob("*") if p.stat().st_mode & 0o077]
    assert {p.name for p in open_to_others} <= {"_delta_log", f"{0:020}.json"}


RACE = """
import sys
from tests.test_storage_offsets import brought
from lakehouse.storage import Lake
lake = Lake(sys.argv[1])
for n in range(0, 30, 3):
    brought(lake, n, n + 3, sys.argv[2])
"""


@pytest.mark.slow
def test_writers_of_one_partition_and_of_others_at_once(tmp_path: Path) -> None:
    brought(Lake(str(tmp_path)), 0, 1, "cage/9")
    names = ["cage/0", "cage/0", "cage/1"]
    started = [
        subprocess.Popen([sys.executable, "-c", RACE, str(tmp_path), name]) for name in names
    ]
    assert [p.wait(300) for p in started] == [0, 0, 0]
    wanted = ["cage/9@0", *(f"cage/{p}@{n}" for p in (0, 1) for n in range(30))]
    assert places(Lake(str(tmp_path))) == sorted(f"topic:{w}" for w in wanted)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 5)), max_size=8))
def test_any_reading_again_ends_in_each_row_once(
    tmp_path_factory: pytest.TempPathFactory, reads: list[tuple[int, int]]
) -> None:
    lake, after = Lake(str(tmp_path_factory.mktemp("lake"))), 0
    for first, many in reads:
        begin = min(first, after)
        brought(lake, begin, begin + many)
        after = max(after, begin + many)
    assert places(lake) == sorted(f"topic:cage/0@{n}" for n in range(after))
