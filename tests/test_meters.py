"""Counters of machines are readings, and no play: worked by hand."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lakehouse import cli
from lakehouse.gold.floor.player_day import player_day
from lakehouse.gold.floor.slot_performance import slot_performance
from lakehouse.quality.truths import TRUTHS
from tests.landed import deriving, drop, lake_at
from tests.silver_rows import mart, silver

DAY = dt.date(2025, 3, 7)
ZONE = "America/Los_Angeles"
MACHINE = {
    "gaming_day": DAY,
    "machine_id": "SLOT-0001",
    "machine_type": "Video Slots",
    "denomination": "1.00",
    "theoretical_hold": "0.1000",
    "player_id": "P1",
}


def play(at: str, coin_in: str, coin_out: str, games: int) -> dict[str, Any]:
    money = {"event_type": "GAME_PLAY", "coin_in": coin_in, "coin_out": coin_out}
    return MACHINE | money | {"at": at, "games_played": games}


def reading(at: str, column: str, counter: str) -> dict[str, Any]:
    """As a system reports it that has one column for both: out and games grow too."""
    return MACHINE | {
        "event_type": "METER_UPDATE",
        "at": at,
        column: counter,
        "coin_out": "7000000.00",
        "games_played": 900000,
    }


def day(column: str, last: str) -> list[dict[str, Any]]:
    """Two stretches of 40.00 and 60.00 between two readings."""
    return [
        reading("08:00", column, "8000000.00"),
        play("09:00", "40.00", "30.00", 40),
        play("10:00", "60.00", "45.00", 60),
        reading("11:00", column, last),
    ]


@pytest.mark.parametrize("column", ["coin_in", "meter_coin_in"])
def test_a_reading_is_no_play(column: str) -> None:
    rows = silver("slot_telemetry", day(column, "8000100.00"))
    found = slot_performance(rows, days=(DAY, DAY), timezone=ZONE).collect().row(0, named=True)
    names = ("coin_in", "carded_coin_in", "coin_out", "win", "theo", "meter_variance")
    money = [str(found[n]) for n in names]
    assert money == ["100.00", "100.00", "75.00", "25.00", "10.00", "0.00"]
    assert found["games_played"] == 100


def test_a_reading_is_no_play_of_a_patron() -> None:
    nothing = (silver(t, []) for t in ("table_games", "financial_txn", "gaming_wins"))
    rows = silver("slot_telemetry", day("coin_in", "8000100.00"))
    found = player_day(rows, *nothing, days=(DAY, DAY)).collect()
    assert found.select("coin_in", "slot_actual").row(0) == (Decimal("100.00"), Decimal("25.00"))


def test_play_that_is_not_what_the_meters_advanced_is_found_by_machine() -> None:
    rows = silver("slot_telemetry", day("coin_in", "8000103.00"))
    found = TRUTHS["meters_equal_the_play"].function(rows).collect()
    assert found.select("subject", "expected", "found").row(0) == (
        "SLOT-0001",
        Decimal("100.00"),
        Decimal("103.00"),
    )


def machines(*played_and_variance: tuple[str, str | None]) -> pl.LazyFrame:
    rows = [
        {"gaming_day": DAY, "machine_id": f"M{i}", "coin_in": played, "meter_variance": variance}
        for i, (played, variance) in enumerate(played_and_variance)
    ]
    return mart("slot_performance", rows)


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ([("100.00", "0.00"), ("50.00", "0.00")], None),
        # One of three was reset, one lost a row.
        ([("100.00", "-8000000.00"), ("50.00", "10.00"), ("9.00", "0.00")], None),
        # Counters read as play: each stands millions over what the meter advanced.
        ([("8000000.00", "-7999900.00"), ("9000000.00", "-8999990.00")], "2 of 2 machines"),
        # No play came in at all.
        ([("0.00", "40.00"), ("0.00", "60.00"), ("5.00", "0.00")], "2 of 3 machines"),
        # Play twice: 200.00 of 100.00 is twice, and 200.02 of 100.00 is more.
        ([("200.00", "-100.00")], None),
        ([("200.02", "-100.02")], "1 of 1 machines"),
        ([("100.00", None), ("50.00", None)], None),
        ([("0.00", "0.00")], None),
    ],
)
def test_most_machines_at_odds_with_their_meters_stop_the_day(
    given: list[tuple[str, str | None]], wrong: str | None
) -> None:
    truth = TRUTHS["play_is_what_meters_advanced"]
    assert truth.blocking
    found = truth.function(machines(*given)).collect()
    assert found["subject"].to_list() == ([] if wrong is None else [wrong])


COLUMNS = (
    "event_id,machine_id,asset_number,location_id,zone,event_type,event_timestamp,denomination,"
    "coin_in,games_played,theoretical_hold,machine_type,manufacturer,game_theme"
)


def event(number: int, kind: str, day: int, hour: int, coin_in: str) -> str:
    at = f"2025-03-{day:02}T{hour}:00:00Z"
    return f"{day}-{number},M1,A1,L1,North,{kind},{at},1.00,{coin_in},10,0.1000,Video Slots,IGT,X"


@pytest.mark.slow
def test_a_day_at_odds_with_its_meters_ends_the_command_with_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the first day the meters agree."""
    lake, _ = lake_at(tmp_path)
    settings = {"ROOT": lake.root, "SOURCE": "landing", "START": "2025-03-01"}
    for name, value in settings.items():
        monkeypatch.setenv(f"LAKEHOUSE_{name}", value)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    deriving(monkeypatch, "+key:gold/slot_performance")
    rows = [
        row
        for day, last in ((7, "8000100.00"), (8, "9000000.00"))
        for row in (
            event(1, "METER_UPDATE", day, 18, "8000000.00"),
            event(2, "GAME_PLAY", day, 19, "100.00"),
            event(3, "METER_UPDATE", day, 20, last),
        )
    ]
    drop(lake, "slot_telemetry/a.csv", "\n".join([COLUMNS, *rows]) + "\n")
    assert cli.run(["ingest"]) == 1
    told = capsys.readouterr().err.splitlines()
    check = "play_is_what_meters_advanced"
    assert any(check in line for line in told[-1:])
    opened = [t.rpartition(" on ")[2] for t in told if t.startswith("open: ") and check in t]
    assert opened == ["2025-03-08"]
    played = lake.scan("gold", "slot_performance").select("coin_in").collect()
    assert played["coin_in"].to_list() == [Decimal("100.00")] * 2
