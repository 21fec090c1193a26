"""Checks of one step: declared once, looked for damage once, and each with its turn."""

import datetime as dt
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from deltalake import DeltaTable, TableFeatures

from igaming_assets import assets
from igaming_assets.assembly import assemble
from igaming_assets.running import run_days
from lakehouse.errors import LakehouseError
from lakehouse.quality import registry
from lakehouse.quality.recorded import results
from lakehouse.quality.registry import checks, declares
from lakehouse.quality.results import Check, Family, Judgement
from lakehouse.settings import Settings
from lakehouse.storage import Lake, Looked, Read, damage, sound
from tests import small_lake

DAY = small_lake.FIRST
NOW = dt.datetime(2025, 1, 5, 18, tzinfo=dt.UTC)
HOME = ("bronze", "gaming_wins")


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test declares is declared in it alone."""
    assert checks(Settings(start=DAY), NOW), "all are found before others stand beside them"
    monkeypatch.setattr(registry, "_declared", dict(registry._declared))


@pytest.mark.slow
@pytest.mark.usefixtures("apart")
def test_one_that_cannot_run_beside_its_table_leaves_the_others_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is written, the other check judged, and the run fails."""
    monkeypatch.setattr(assets, "RETRIES", dg.RetryPolicy(max_retries=assets.RETRIES.max_retries))

    def broken(lake: Lake, days: Any) -> Any:
        raise ZeroDivisionError("of nothing")

    def holds(lake: Lake, days: Any) -> Any:
        return {DAY: Judgement(passed=True)}

    @declares
    def _two(settings: Settings, now: dt.datetime) -> Any:
        for name, judge in (("a", broken), ("b", holds)):
            yield Check(name, HOME, Family.ROWS, "error", "So.", "It.", judge, at_once=True)

    settings = Settings(root=str(tmp_path / "lake"), start=DAY, scale=0.05)
    with (
        dg.DagsterInstance.ephemeral() as instance,
        pytest.raises(LakehouseError, match="of nothing"),
    ):
        run_days(
            settings, (DAY, DAY), now=NOW, select='key:"bronze/gaming_wins"', instance=instance
        )
    lake = Lake.open(settings)
    assert lake.exists(*HOME)
    found = results(lake, checks(settings, NOW).values())
    assert dict(found.select("check_name", "status").iter_rows()) == {
        "a": "could_not_run",
        "b": "passed",
        "contract": "passed",
    }


@pytest.mark.usefixtures("apart")
def test_all_steps_share_one_declaration(tmp_path: Path) -> None:
    """Which reads the files of suites: once, not for each table."""
    declared = []

    @declares
    def _one(settings: Settings, now: dt.datetime) -> Any:
        declared.append(now)
        return []

    assemble(Settings(root=str(tmp_path / "lake"), start=DAY))
    assert len(declared) == 1


def test_files_that_were_looked_at_are_not_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(str(tmp_path / "lake"))
    small_lake.put(lake, "gold", "player_value", {"player_id": ["P1"], "gaming_day": [DAY]})
    real, seen = damage._of_other_size, []

    def look(lake: Lake, read: Read) -> Any:
        seen.append(read)
        return real(lake, read)

    monkeypatch.setattr(damage, "_of_other_size", look)
    looked: Looked = {}
    reads = [Read("gold", "player_value", (DAY, DAY))]
    for _ in range(3):
        with sound(lake, reads, looked):
            pass
    assert seen == reads
    [file] = Path(lake.uri("gold", "player_value")).rglob("*.parquet")
    file.write_bytes(file.read_bytes()[:-1])
    for known in ({}, None):
        with pytest.raises(LakehouseError, match=file.name), sound(lake, reads, known):
            pytest.fail("a damaged file was read")


def test_a_frame_is_read_from_the_files_of_its_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by way of the log, which costs more than the rows of a day do; but where later protocols
    may have it that not all rows of a file count."""
    lake = Lake(str(tmp_path / "lake"))
    days = [DAY, DAY + dt.timedelta(days=1)]
    small_lake.put(lake, "gold", "player_value", {"player_id": ["P1", "P2"], "gaming_day": days})
    by_log = []
    scan_delta = pl.scan_delta
    monkeypatch.setattr(pl, "scan_delta", lambda d: by_log.append(d) or scan_delta(d))
    frame = lake.scan("gold", "player_value", days=(DAY, DAY), columns=["player_id"])
    plan = frame.explain()
    assert "Parquet SCAN" in plan
    assert str(DAY) in plan
    assert str(days[1]) not in plan
    assert frame.collect()["player_id"].to_list() == ["P1"]
    none = lake.scan("gold", "player_value", days=(dt.date(2024, 1, 1),) * 2).collect()
    assert none.is_empty()
    assert by_log == []
    assert (
        none.schema
        == pl.DataFrame(schema=lake.scan("gold", "player_value").collect_schema()).schema
    )
    table = DeltaTable(lake.uri("gold", "player_value"))
    table.alter.add_feature(TableFeatures.DeletionVectors, allow_protocol_versions_increase=True)
    found = lake.scan("gold", "player_value", days=(DAY, DAY), columns=["player_id"]).collect()
    assert found["player_id"].to_list() == ["P1"]
    assert len(by_log) == 1
