"""Frames as one commit, and batches taken out again."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from lakehouse.errors import BadInput, ContractError, Overtaken
from lakehouse.storage import Commit, Lake, stored_schema

CAGE = "financial_txn"
BY = Commit("test", "bronze/financial_txn", "1")
FILE = "0123456789abcdef01234567."


def frame(batch: str, *ids: str, day: str = "2025-01-05") -> pl.DataFrame:
    schema = stored_schema("bronze", CAGE)
    given = {"transaction_id": ids, "_batch_id": [FILE + batch] * len(ids)}
    rows = pl.DataFrame(given).with_columns(gaming_day=pl.lit(day).str.to_date())
    missing = [pl.lit(None, dtype=t).alias(n) for n, t in schema.items() if n not in rows.columns]
    return rows.with_columns(missing)


def ids(lake: Lake) -> list[str]:
    return sorted(lake.scan("bronze", CAGE).collect()["transaction_id"])


def test_many_frames_are_one_commit(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    frames = iter([frame("1-1", "t1"), frame("1-1", "t2", "t3", day="2025-01-06")])
    added = lake.append_stream("bronze", CAGE, frames, commit=BY, app_transaction=("f", 1))
    assert added == 3
    assert ids(lake) == ["t1", "t2", "t3"]
    assert lake.version("bronze", CAGE) == 1


def test_a_number_that_was_reached_takes_no_frame(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    left = []
    for number, key in ((2, "t1"), (2, "t2"), (1, "t3"), (3, "t4")):
        frames = iter([frame("1-1", key)])
        lake.append_stream("bronze", CAGE, frames, commit=BY, app_transaction=("f", number))
        left.append(len(list(frames)))
    assert left == [0, 1, 1, 0]
    assert ids(lake) == ["t1", "t4"]


def test_a_source_that_fails_half_way_adds_nothing(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))

    def broken() -> Iterator[pl.DataFrame]:
        yield frame("1-1", "t1")
        raise BadInput("the source broke")

    with pytest.raises(BadInput, match="the source broke"):
        lake.append_stream("bronze", CAGE, broken(), commit=BY, app_transaction=("f", 1))
    wrong = iter([frame("1-1", "t1").drop("amount")])
    with pytest.raises(ContractError, match="lacks amount"):
        lake.append_stream("bronze", CAGE, wrong, commit=BY, app_transaction=("f", 1))
    assert ids(lake) == []


def test_a_commit_of_somebody_else_in_between_is_told_and_adds_nothing(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))

    def slow() -> Iterator[pl.DataFrame]:
        lake_of_others.append("bronze", CAGE, frame("9-1", "t9"), commit=BY)
        yield frame("1-1", "t1")

    lake_of_others = Lake(str(tmp_path))
    lake.append("bronze", CAGE, frame("9-0", "t0"), commit=BY)
    with pytest.raises(Overtaken):
        lake.append_stream("bronze", CAGE, slow(), commit=BY, app_transaction=("f", 1))
    assert ids(lake) == ["t0", "t9"]


def test_batches_are_taken_out_in_one_commit_and_stay_in_the_history(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    lake.append("bronze", CAGE, frame("1-1", "t1", "t2"), commit=BY)
    lake.append("bronze", CAGE, frame("2-1", "t3"), commit=BY)
    before = lake.version("bronze", CAGE)
    assert lake.take_out("bronze", CAGE, FILE, but=FILE + "2-", commit=BY) == 2
    assert ids(lake) == ["t3"]
    assert lake.version("bronze", CAGE) == 3
    assert lake.scan("bronze", CAGE, as_of=before).collect().height == 3
    assert lake.take_out("bronze", CAGE, FILE + "1-", commit=BY) == 0
    assert lake.version("bronze", CAGE) == 3
    assert lake.take_out("quarantine", CAGE, FILE, commit=BY) == 0


@pytest.mark.parametrize("beginning", ["", "%", "0123", "' OR true --", FILE + "'"])
def test_only_the_beginning_of_a_batch_is_taken_out(tmp_path: Path, beginning: str) -> None:
    with pytest.raises(BadInput, match="no beginning of a batch"):
        Lake(str(tmp_path)).take_out("bronze", CAGE, beginning, commit=BY)


def test_what_is_streamed_is_packed(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    lake = Lake(str(tmp_path))
    rows = iter([frame("1-1", *(f"t{n}" for n in range(1_000)))])
    lake.append_stream("bronze", CAGE, rows, commit=BY, app_transaction=("f", 1))
    (file,) = tmp_path.glob(f"bronze/{CAGE}/**/*.parquet")
    group = pq.ParquetFile(file).metadata.row_group(0)
    packed = {group.column(i).compression for i in range(group.num_columns)}
    assert packed == {"ZSTD"}
