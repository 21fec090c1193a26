"""Files that are cut short, spoiled or gone: named with table and day; the rest goes on."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
import small_lake
from test_dagster_flow import NOW, WEEK, settings_at

from benchmarks.instances import short_lived
from igaming_assets.running import run_days
from lakehouse.cli import run
from lakehouse.errors import Damaged, LakehouseError, StorageError
from lakehouse.settings import Settings
from lakehouse.storage import Lake, Read, as_far_as_sound, find_damage, sound

FIRST, SECOND, LAST = small_lake.DAYS


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def spoil(file: Path) -> None:
    """Bits of the data pages turned, the size kept."""
    content = bytearray(file.read_bytes())
    for at in range(4, len(content) * 2 // 3):
        content[at] ^= 0x5A
    file.write_bytes(bytes(content))


def spoil_end(file: Path) -> None:
    content = bytearray(file.read_bytes())
    for at in range(len(content) - 150, len(content) - 8):
        content[at] ^= 0x5A
    file.write_bytes(bytes(content))


def empty(file: Path) -> None:
    file.write_bytes(b"")


HARMS: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut short": (cut, " bytes of "),
    "empty": (empty, "has 0 bytes of"),
    "gone": (Path.unlink, "is missing"),
    "spoiled pages": (spoil, "cannot be decoded"),
    "spoiled end": (spoil_end, "cannot be decoded"),
}
TABLES = [("bronze", "compliance"), ("silver", "compliance"), ("gold", "player_day")]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    small_lake.fill(Lake(str(folder)))
    return folder


@pytest.fixture
def lake(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A copy, to be damaged."""
    shutil.copytree(filled, tmp_path / "lake")
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    return Lake(str(tmp_path / "lake"))


def file_of(lake: Lake, layer: str, table: str, day: dt.date = FIRST) -> Path:
    delta = lake.table(layer, table)
    assert delta is not None
    [file] = [f for f in delta.file_uris() if f"gaming_day={day}" in f]
    return Path(file)


@pytest.mark.slow
@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize(("layer", "table"), TABLES)
def test_reading_names_table_day_and_file(lake: Lake, layer: str, table: str, harm: str) -> None:
    spoiler, said = HARMS[harm]
    file = file_of(lake, layer, table)
    spoiler(file)
    with pytest.raises(Damaged) as caught, sound(lake, [Read(layer, table)]):
        lake.scan(layer, table).collect()
    message = str(caught.value)
    assert f"{layer}.{table} of {FIRST}: file {file.name} " in message
    assert said in message
    assert "\n" not in message
    assert caught.value.day == FIRST


@pytest.mark.slow
@pytest.mark.parametrize("harm", HARMS)
def test_other_days_are_read_all_the_same(lake: Lake, harm: str) -> None:
    HARMS[harm][0](file_of(lake, "gold", "player_day"))
    days = (SECOND, LAST)
    with sound(lake, [Read("gold", "player_day", days)]):
        assert lake.scan("gold", "player_day", days=days).collect().height == 2


@pytest.mark.slow
@pytest.mark.parametrize("harm", HARMS)
@pytest.mark.parametrize(
    "command",
    [
        ["sql", "SELECT sum(theo), max(player_id) FROM gold.player_day"],
        ["report", str(FIRST)],
        ["checks", "--from", str(FIRST), "--truth", "carded_play_is_in_both_marts"],
    ],
)
def test_commands_say_it_in_one_line(
    lake: Lake, capfd: pytest.CaptureFixture[str], command: list[str], harm: str
) -> None:
    small_lake.put(lake, "gold", "property_day", {"gaming_day": [FIRST]})
    table = "property_day" if command[0] == "report" else "player_day"
    file = file_of(lake, "gold", table)
    HARMS[harm][0](file)
    assert run(command) == 1
    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("lakehouse:")]
    assert len(told) == 1
    assert f"gold.{table} of {FIRST}: file {file.name} " in told[0]


def test_a_query_that_is_wrong_itself_is_told_so(
    lake: Lake, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["sql", "SELECT cast('x' AS DATE) FROM gold.player_day"]) == 1
    assert "Conversion Error" in capfd.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (empty, "00000000000000000001.json is empty"),
        (cut, "00000000000000000001.json is empty or cut short"),
        (Path.unlink, "00000000000000000001.json is missing"),
    ],
)
def test_a_damaged_log_names_table_and_commit(
    lake: Lake, harm: Callable[[Path], object], said: str
) -> None:
    small_lake.put(lake, "gold", "player_day", {"player_id": ["P9"], "gaming_day": [LAST]})
    harm(Path(lake.uri("gold", "player_day")) / "_delta_log" / "00000000000000000001.json")
    with pytest.raises(Damaged, match=r"gold\.player_day: its Delta log is damaged") as caught:
        Lake(lake.root).scan("gold", "player_day").collect()
    assert said in str(caught.value)


def test_a_log_that_is_gone_is_told(lake: Lake) -> None:
    for commit in (Path(lake.uri("gold", "player_day")) / "_delta_log").iterdir():
        commit.unlink()
    with pytest.raises(StorageError, match="data files but no Delta log"):
        lake.scan("gold", "player_day")


def test_a_sound_lake_has_no_damage(lake: Lake) -> None:
    assert find_damage(lake, [Read(*pair) for pair in lake.stored()]) is None
    with pytest.raises(ZeroDivisionError), sound(lake, [Read("gold", "player_day")]):
        1 / 0  # noqa: B018


D = dt.date
MONTH = (D(2025, 1, 1), D(2025, 1, 30))


@pytest.mark.parametrize("bad", [set(), {1}, {30}, {6, 7, 20}, set(range(1, 30))])
@pytest.mark.parametrize("named", [True, False])
def test_all_days_but_the_damaged_are_made(bad: set[int], named: bool) -> None:
    def make(days: tuple[D, D]) -> list[int]:
        asked = list(range(days[0].day, days[1].day + 1))
        hit = sorted(bad & set(asked))
        if hit:
            raise Damaged(f"day {hit[0]}", D(2025, 1, hit[0]) if named else None)
        return asked

    found = list(as_far_as_sound([MONTH], make))
    made = [part for _, part in found if not isinstance(part, Damaged)]
    assert {days[0].day for days, part in found if isinstance(part, Damaged)} == bad
    assert [n for part in made for n in part] == sorted(set(range(1, 31)) - bad)
    assert [d for days, _ in found for d in days] == sorted(d for days, _ in found for d in days)


def test_where_no_day_can_be_made_that_is_an_error() -> None:
    def make(days: tuple[D, D]) -> None:
        raise Damaged("history", None)

    with pytest.raises(Damaged, match="history"):
        list(as_far_as_sound([MONTH], make))


@pytest.fixture(scope="module")
def week(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Settings, dg.DagsterInstance]]:
    settings = settings_at(tmp_path_factory.mktemp("damage"))
    with short_lived() as instance:
        run_days(settings, WEEK, now=NOW, instance=instance, select=SELECT)
        yield settings, instance


SELECT = "key:bronze/slot_telemetry or key:silver/slot_telemetry or key:gold/slot_performance"
BAD = D(2025, 3, 8)


def rows(settings: Settings, layer: str, table: str) -> pl.DataFrame:
    return Lake.open(settings).scan(layer, table).sort(pl.all()).collect()


@pytest.mark.slow
def test_a_range_keeps_the_damaged_day_as_it_was_and_makes_the_others(
    week: tuple[Settings, dg.DagsterInstance],
) -> None:
    settings, instance = week
    lake = Lake.open(settings)
    before = rows(settings, "silver", "slot_telemetry")
    versions = lake.version("silver", "slot_telemetry")
    file = file_of(lake, "bronze", "slot_telemetry", BAD)
    content = file.read_bytes()
    spoil(file)
    select = "key:silver/slot_telemetry or key:gold/slot_performance"
    outcome = run_days(settings, WEEK, now=NOW, instance=instance, select=select)
    assert list(outcome.stale) == [f"silver/slot_telemetry of {BAD}"]
    assert f"bronze.slot_telemetry of {BAD}: file {file.name}" in next(iter(outcome.stale.values()))
    assert rows(settings, "silver", "slot_telemetry").equals(before)
    written = lake.history("silver", "slot_telemetry", lake.version("silver", "slot_telemetry"))
    assert {v.days for v in written if v.version > (versions or 0) and v.days} == {
        "2025-03-07..2025-03-07",
        "2025-03-09..2025-03-09",
    }
    made = instance.fetch_materializations(dg.AssetKey(["silver", "slot_telemetry"]), limit=3)
    stale = {r.partition_key for r in made.records if "stale" in r.asset_materialization.metadata}
    assert stale == {str(BAD)}
    file.write_bytes(content)
    healed = run_days(settings, WEEK, now=NOW, instance=instance, select=select)
    assert (healed.stale, healed.checks_failed) == ({}, 0)


@pytest.mark.slow
def test_damage_is_never_tried_again(week: tuple[Settings, dg.DagsterInstance]) -> None:
    settings, instance = week
    file = file_of(Lake.open(settings), "silver", "slot_telemetry", BAD)
    content = file.read_bytes()
    cut(file)
    with pytest.raises(LakehouseError, match=f"silver.slot_telemetry of {BAD}: file") as caught:
        run_days(
            settings, (BAD, BAD), now=NOW, instance=instance, select="key:gold/slot_performance"
        )
    assert "\n" not in str(caught.value)
    [newest] = instance.get_runs(limit=1)
    retried = instance.all_logs(newest.run_id, of_type=dg.DagsterEventType.STEP_UP_FOR_RETRY)
    assert list(retried) == []
    file.write_bytes(content)
