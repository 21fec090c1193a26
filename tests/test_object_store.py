"""A lake in an object store: what a folder's lake does, by S3's own protocol."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from object_store import SECRET, Store, served
from polars.testing import assert_frame_equal
from stored_wins import BY, DAY, TABLE, D, content, rows

from lakehouse import cli
from lakehouse.errors import StorageError
from lakehouse.settings import Settings
from lakehouse.storage import Lake, opened
from lakehouse.storage.maintenance import maintain
from tests.landed import up_to_silver

THREE = (D(2025, 1, 1), D(2025, 1, 2), D(2025, 1, 3))
RANGE = (THREE[0], THREE[-1])
_NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with served(tmp_path_factory.mktemp("store")) as found:
        yield found


@pytest.fixture
def lake(store: Store) -> Lake:
    return Lake(f"{store.bucket(f'lake-{next(_NUMBERS)}')}/house", store.options)


def test_days_are_written_replaced_and_read(lake: Lake, tmp_path: Path) -> None:
    here = Lake(str(tmp_path / "lake"))
    assert not lake.exists("bronze", TABLE)
    for one in (lake, here):
        one.write_days("bronze", TABLE, rows(*THREE), RANGE, commit=BY)
        one.write_days("bronze", TABLE, rows(*DAY, mark="b"), DAY, commit=BY)
        one.write_days("bronze", TABLE, rows(THREE[1], mark="c"), (THREE[1],) * 2, commit=BY)
    assert content(lake) == {THREE[0]: ["a"], THREE[1]: ["c"], THREE[2]: ["a"], DAY[0]: ["b", "b"]}
    assert content(lake) == content(here)
    for days in (RANGE, DAY, (D(2025, 2, 1),) * 2):
        found = [one.scan("bronze", TABLE, days=days).collect() for one in (lake, here)]
        assert_frame_equal(*found, check_row_order=False)
    first = lake.table("bronze", TABLE, as_of=1)
    assert first is not None
    assert first.version() == 1
    told = [one.partitions("bronze", TABLE).drop("bytes") for one in (lake, here)]
    assert_frame_equal(*told)


def test_writers_at_the_same_time_lose_nothing(lake: Lake) -> None:
    """The other commits between one's look and one's commit, four times."""
    other = lake.apart()
    for n in range(4):
        lake.append("bronze", TABLE, rows(DAY[0], mark=f"a{n}"), commit=BY)
        other.append("bronze", TABLE, rows(DAY[0], mark=f"b{n}"), commit=BY)
    wanted = sorted(f"{who}{n}" for who in "ab" for n in range(4))
    assert content(lake.apart()) == {DAY[0]: wanted}


def test_a_rebuild_sees_what_came_in_between(lake: Lake) -> None:
    other = lake.apart()
    lake.write_days("bronze", TABLE, rows(*THREE), RANGE, commit=BY)
    seen: list[int] = []

    def more(now: pl.LazyFrame) -> pl.DataFrame:
        seen.append(now.collect().height)
        if len(seen) == 1:
            other.append("bronze", TABLE, rows(THREE[0], mark="theirs"), commit=BY)
        return pl.concat([now.collect(), rows(THREE[0], mark="mine")])

    lake.rebuild("bronze", TABLE, more, commit=BY, days=(THREE[0],) * 2)
    assert seen == [1, 2]
    assert content(lake)[THREE[0]] == ["a", "mine", "theirs"]


def test_it_is_not_asked_again_at_once_and_own_rows_are_seen(
    lake: Lake, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = lake.apart()
    assert not other.exists("bronze", TABLE)
    lake.write_days("bronze", TABLE, rows(THREE[0]), (THREE[0],) * 2, commit=BY)
    assert content(lake) == {THREE[0]: ["a"]}
    before = store.requests()
    for _ in range(20):
        assert lake.version("bronze", TABLE) == 1
        assert not other.exists("bronze", TABLE)
    assert store.requests() == before
    lake.write_days("bronze", TABLE, rows(THREE[1]), (THREE[1],) * 2, commit=BY)
    assert set(content(lake)) == set(THREE[:2])
    monkeypatch.setattr(opened, "LOOK_AGAIN", 0.0)
    assert set(content(other)) == set(THREE[:2])
    lake.write_days("bronze", TABLE, rows(THREE[2]), (THREE[2],) * 2, commit=BY)
    assert set(content(other)) == set(THREE)


def test_small_files_are_put_together_and_rows_stay(lake: Lake) -> None:
    for n in range(5):
        lake.append("bronze", TABLE, rows(DAY[0], mark=str(n)), commit=BY)
    before = lake.tokens("bronze", TABLE)
    maintain(lake, "bronze", TABLE)
    assert len(lake.data_files("bronze", TABLE)) == 1
    assert content(lake) == {DAY[0]: list("01234")}
    assert lake.tokens("bronze", TABLE) == before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "does not answer"),
        ({"AWS_ALLOW_HTTP": "false"}, "not https"),
    ],
)
def test_a_store_that_cannot_be_reached_is_one_clear_line(
    lake: Lake, change: dict[str, str], said: str
) -> None:
    wrong = Lake(lake.root, {**lake.storage_options, **change, "max_retries": "0"})
    with pytest.raises(StorageError, match=f"cannot open s3://.*: .*{said}") as caught:
        wrong.exists("bronze", TABLE)
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is not caught.value
    assert SECRET not in str(caught.value)


def test_a_bucket_that_is_not_there_is_no_empty_lake(store: Store) -> None:
    nowhere = Lake("s3://nobody-made-this/house", store.options)
    with pytest.raises(StorageError, match="no such bucket: make it first"):
        nowhere.write_days("bronze", TABLE, rows(*DAY), DAY, commit=BY)


def test_what_stays_on_this_machine_is_named_by_the_lake(tmp_path: Path) -> None:
    there = Settings(root="s3://bucket/casino/")
    assert there.beside("keys") == Path("data/casino.keys")
    named = Settings(root="abfss://c@account/lake", local_root=tmp_path / "office")
    assert named.beside("topics") == tmp_path / "office.topics"
    assert Settings(root="data/lake", local_root=tmp_path).beside("docs") == Path("data/lake.docs")
    by_address = Settings(root=f"file://{tmp_path}/a%20lake")
    assert by_address.root == str(tmp_path / "a lake")


WINS = """win_id,game_type,won_at,paid_at,gross_amount,wager,is_free_play,machine_id,gaming_day
W1,slot,2025-01-05T20:00:00-08:00,2025-01-05T20:10:00-08:00,1500.00,1.00,false,SLOT-1,2025-01-05
W2,slot,2025-01-05T21:00:00-08:00,2025-01-05T21:10:00-08:00,2600.00,1.00,false,SLOT-2,2025-01-05
W3,slot,when,2025-01-05T21:10:00-08:00,2600.00,1.00,false,SLOT-2,2025-01-05
"""


@pytest.mark.slow
def test_files_are_landed_taken_in_and_asked(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By the commands alone, with nothing set but the address and how it is reached."""
    root = f"{store.bucket('by-command')}/casino"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    options = "\n".join(f'{n} = "{v}"' for n, v in store.options.items())
    (tmp_path / "lakehouse.toml").write_text(
        f'root = "{root}"\nsource = "landing"\nrejected_share = 1\n[storage_options]\n{options}\n'
    )
    up_to_silver(monkeypatch, TABLE)
    assert cli.run(["init"]) == 0
    (tmp_path / "wins.csv").write_text(WINS)
    assert cli.run(["land", "wins.csv", "--table", TABLE]) == 0
    assert cli.run(["ingest"]) == 0, capsys.readouterr().err
    assert cli.run(["ingest"]) == 0, "nothing new"
    lake = Lake(root, store.options)
    assert lake.scan("silver", TABLE).collect().height == 2
    assert {p.name for p in (tmp_path / "data").iterdir()} >= {"casino.keys", "casino.landing"}
    capsys.readouterr()
    assert cli.run(["tables"]) == 0
    assert f"silver.{TABLE}" in capsys.readouterr().out
    held = "".join(p.read_text(errors="replace") for p in (tmp_path / "dagster").rglob("*.log"))
    assert SECRET not in held + os.environ.get("LAKEHOUSE_ROOT", "")
