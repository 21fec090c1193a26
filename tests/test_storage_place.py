"""Where a lake may lie, and who may read what lies there."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from stored_wins import BY, DAY, TABLE, D, content, rows

from lakehouse.errors import BadInput, StorageError
from lakehouse.serve.sql.catalog import Catalog
from lakehouse.settings import Settings
from lakehouse.storage import Lake, stored_schema


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


@pytest.fixture
def ordinary_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.parametrize("name", ["a b", "a#b", "50% off", "été?"])
def test_a_folder_may_have_any_name(tmp_path: Path, name: str) -> None:
    lake = Lake.open(Settings(root=str(tmp_path / name)))
    for mark in "ab":
        lake.write_days(
            "silver", TABLE, rows(D(2025, 1, 5), mark=mark, layer="silver"), DAY, commit=BY
        )
    assert content(lake, "silver") == {D(2025, 1, 5): ["b"]}
    assert lake.scan("silver", TABLE, days=DAY).collect().height == 1
    with Catalog(lake, restricted=True) as catalog:
        assert catalog.frame(f"SELECT count(*) FROM silver.{TABLE}").item() == 1


def test_whoever_opens_a_lake_in_one_process_shares_its_open_tables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(root=str(tmp_path / "lake"))
    Lake.open(settings).write_days("bronze", TABLE, rows(DAY[0]), DAY, commit=BY)

    def opened_again(*_: object) -> None:
        raise AssertionError("opened again")

    monkeypatch.setattr(Lake, "_open", opened_again)
    assert content(Lake.open(settings)) == {DAY[0]: ["a"]}
    by_another_key = settings.model_copy(update={"storage_options": {"KEY": "b"}})
    with pytest.raises(AssertionError, match="opened again"):
        content(Lake.open(by_another_key))


def test_a_name_that_delta_would_read_as_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="choose a folder without it"):
        Lake.open(Settings(root=str(tmp_path / "a%20b")))


def test_a_root_that_is_a_file_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("")
    lake = Lake(str(tmp_path / "lake"))
    with pytest.raises(StorageError, match=r"cannot create .*/lake/bronze") as caught:
        lake.write_days("bronze", TABLE, rows(), (D(2025, 1, 1), D(2025, 1, 1)), commit=BY)
    assert "\n" not in str(caught.value)


def test_object_store_urls_go_through_unharmed(tmp_path: Path) -> None:
    lake = Lake.open(Settings(root="s3://bucket/a/lake/", storage_options={"AWS_REGION": "x"}))
    assert lake.uri("gold", "player_day") == "s3://bucket/a/lake/gold/player_day"
    assert lake.storage_options == {"AWS_REGION": "x"}
    as_url = Lake.open(Settings(root=f"file://{tmp_path}/by-url"))
    as_url.write_days("bronze", TABLE, rows(D(2025, 1, 1)), (D(2025, 1, 1),) * 2, commit=BY)
    assert content(as_url) == content(Lake(str(tmp_path / "by-url"))) == {D(2025, 1, 1): ["a"]}


def test_all_but_silver_and_gold_is_for_the_owner_only(lake: Lake, ordinary_umask: None) -> None:
    for layer, table, mode in [
        ("bronze", "player_profile", 0o700),
        ("quarantine", "player_profile", 0o700),
        ("duplicates", "player_profile", 0o700),
        ("truth", "plants", 0o700),
        ("bronze", "slot_telemetry", 0o700),
        ("quarantine", "slot_telemetry", 0o700),
        ("silver", "slot_telemetry", 0o755),
        ("gold", "player_day", 0o755),
    ]:
        empty = pl.DataFrame(schema=stored_schema(layer, table))
        lake.write_days(layer, table, empty, (D(2025, 1, 1), D(2025, 1, 1)), commit=BY)
        assert stat.S_IMODE(Path(lake.uri(layer, table)).stat().st_mode) == mode, (layer, table)
        private = Path(lake.root, layer).stat().st_mode & 0o777
        assert private == mode, layer


def test_a_layer_that_an_older_version_left_open_is_shut_by_the_next_write(lake: Lake) -> None:
    days = (D(2025, 1, 1), D(2025, 1, 1))
    lake.write_days("bronze", TABLE, rows(D(2025, 1, 1)), days, commit=BY)
    for folder in (Path(lake.root, "bronze"), Path(lake.uri("bronze", TABLE))):
        folder.chmod(0o755)
    lake.write_days("bronze", TABLE, rows(D(2025, 1, 1)), days, commit=BY)
    assert stat.S_IMODE(Path(lake.root, "bronze").stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(lake.uri("bronze", TABLE)).stat().st_mode) == 0o700


def test_a_table_in_one_piece_is_read_in_a_folder_with_a_space(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "first use"))
    schema = stored_schema("silver", "player_profile")
    one = pl.DataFrame({n: [None] for n in schema} | {"player_id": ["P1"]}, schema=schema)
    lake.rebuild("silver", "player_profile", lambda _: one, commit=BY)
    found = lake.scan("silver", "player_profile", columns=["player_id"]).collect()
    assert found["player_id"].to_list() == ["P1"]
