"""The clickstream of the system before this one: written as it did, and landed as it is."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from lakehouse.cli import run
from lakehouse.contracts import contract
from lakehouse.errors import BadInput
from lakehouse.generators import ClickstreamGenerator, OnlineAccountGenerator
from lakehouse.ingest.files.column_typing import Origin
from lakehouse.ingest.files.inspection import inspect
from lakehouse.ingest.files.mapping import Mapping, checked_mapping
from lakehouse.ingest.files.mapping_files import load_mapping
from lakehouse.ingest.files.reading import open_file
from lakehouse.ingest.files.row_typing import Judged, join, judge
from lakehouse.pipeline.silver import clean_days
from lakehouse.regulation.gaming_day import wall_clock
from lakehouse.settings import Settings
from lakehouse.silver import clean
from lakehouse.storage import Lake

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "examples/mappings/clickstream.toml"
FILE = ROOT / "examples/data/clickstream_20250603_124749.csv"
NOW = dt.datetime(2025, 7, 1, tzinfo=dt.UTC)
LOS_ANGELES = "America/Los_Angeles"
COLUMNS = [
    "timestamp", "user_id", "event_type", "game_name", "bet_amount", "win_amount", "device",
    "country",
]  # fmt: skip


def landed(path: Path, mapping: Mapping | None = None, table: str = "clickstream") -> Judged:
    c, used = contract(table), mapping or load_mapping(SHIPPED, table)
    found = inspect(path, used)
    origin = Origin(c, used, path.name, NOW.date(), NOW, LOS_ANGELES, found.digest)
    return join([judge(piece, origin) for piece in open_file(path, found, c, used).pieces])


def test_the_shipped_mapping_takes_the_file_as_it_is() -> None:
    """12:40:01 in June is 09:40:01 UTC in Tallinn; 11:45:30 in Stockholm is 09:45:30."""
    got = landed(FILE)
    assert (got.good.height, got.bad.height) == (8, 0)
    assert got.ignored == frozenset()
    rows = got.good.sort("timestamp")
    first, sweden, last = rows.row(0, named=True), rows.row(5, named=True), rows.row(7, named=True)
    assert first["timestamp"] == dt.datetime(2025, 6, 3, 9, 40, 1, tzinfo=dt.UTC)
    assert (first["user_id"], first["time_zone"]) == ("4821", "Europe/Tallinn")
    assert sweden["timestamp"] == dt.datetime(2025, 6, 3, 9, 45, 30, tzinfo=dt.UTC)
    assert last["timestamp"] == dt.datetime(2025, 6, 3, 9, 47, 49, tzinfo=dt.UTC)
    assert (float(rows["bet_amount"].sum()), float(rows["win_amount"].sum())) == (267.73, 114.46)
    assert rows["gaming_day"].unique().to_list() == [dt.date(2025, 6, 3) - dt.timedelta(1)]
    assert not rows["is_bonus"].any()


def test_what_is_told_twice_counts_once() -> None:
    rows = landed(FILE).good.with_columns(_batch_id=pl.lit("b"))
    done = clean("clickstream", rows, timezone=LOS_ANGELES)
    assert (len(done.good), len(done.duplicates), len(done.quarantined)) == (7, 1, 0)


@pytest.mark.slow
def test_a_lake_takes_the_file_from_landing_to_silver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_DOMAINS", '["floor", "online"]')
    monkeypatch.setenv("LAKEHOUSE_SOURCE", "landing")
    monkeypatch.setenv("LAKEHOUSE_ORPHANS", '{"clickstream": "keep"}')
    assert run(["land", str(FILE), "--table", "clickstream", "--mapping", str(SHIPPED)]) == 0
    assert run(["ingest", "--bronze-only"]) == 0
    settings = Settings()
    day = dt.date(2025, 6, 2)
    done = clean_days(Lake.open(settings), settings, "clickstream", (day, day))
    assert (len(done.good), len(done.duplicates), len(done.quarantined)) == (7, 1, 0)


@pytest.mark.slow
def test_a_file_is_written_as_that_system_wrote_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ["--clickstream", "400", "--days", "2", "-f", "csv", "--include-pii"]
    assert run(["generate", "-o", str(out), *asked]) == 0
    [file] = out.iterdir()
    assert file.name == "clickstream_20250101_060000.csv"
    rows = pl.read_csv(file, infer_schema=False)
    assert rows.columns == COLUMNS
    assert rows.height == 400
    assert rows["timestamp"].str.contains(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$").all()
    assert rows["bet_amount"].str.contains(r"^-?\d+\.\d\d$").all()
    made = ClickstreamGenerator(
        start_date=dt.date(2025, 1, 1), end_date=dt.date(2025, 1, 3), include_pii=True
    ).generate(400)
    assert rows["user_id"].to_list() == made["user_id"].to_list()
    local = made.filter(pl.col("time_zone") == "Europe/Tallinn")["timestamp"]
    utc = local.dt.convert_time_zone("Europe/Tallinn").dt.strftime("%Y-%m-%d %H:%M:%S")
    assert set(utc) <= set(rows["timestamp"])
    assert set(made["device"].unique()) <= set(rows["device"].unique())


@pytest.mark.slow
def test_what_is_written_can_be_landed_and_is_the_same(tmp_path: Path) -> None:
    """Of players whose country has one clock; elsewhere a time without a zone is rejected."""
    out = tmp_path / "out"
    asked = ["--clickstream", "900", "--days", "1", "-f", "csv", "--include-pii", "--no-faults"]
    assert run(["generate", "-o", str(out), *asked]) == 0
    got = landed(out / "clickstream_20250101_060000.csv")
    made = ClickstreamGenerator(
        start_date=dt.date(2025, 1, 1),
        end_date=dt.date(2025, 1, 2),
        faults=False,
        include_pii=True,
    ).generate(900)
    known = made.filter(pl.col("country").is_in(["EE", "FI", "SE", "LV", "LT"]))
    assert got.good.height == known.height > 300
    same = [c for c in COLUMNS if c != "timestamp"] + ["time_zone"]
    assert got.good.select(same).equals(known.select(same))
    seconds = known["timestamp"].dt.truncate("1s")
    assert got.good["timestamp"].equals(seconds)
    assert set(got.bad["_rules"].explode()) == {"timestamp|no_offset_and_no_timezone"}


ZONED = {"columns": {"timestamp": {"timezone_from": "time_zone"}}, "timezone": "UTC"}


def test_a_time_is_of_the_zone_that_its_row_names(tmp_path: Path) -> None:
    file = tmp_path / "clicks.csv"
    lines = [
        "event_id,timestamp,time_zone",
        "a,2025-01-10 12:00:00,Europe/Helsinki",
        "b,2025-01-10 12:00:00,America/New_York",
        "c,2025-01-10 12:00:00,",
        "d,2025-01-10 12:00:00,Nowhere",
        "e,2025-01-10T12:00:00+05:00,Nowhere",
        "f,2025-10-26 03:30:00,Europe/Helsinki",
        "g,,Europe/Helsinki",
    ]
    file.write_text("\n".join(lines) + "\n")
    got = landed(file, checked_mapping(ZONED, "clickstream", "m"))
    hours = {row["event_id"]: row["timestamp"].hour for row in got.good.iter_rows(named=True)}
    assert hours == {"a": 10, "b": 17, "c": 12, "e": 7}
    assert dict(got.bad.select("event_id", pl.col("_rules").list.first()).rows()) == {
        "d": "timestamp|no_offset_and_no_timezone",
        "f": "timestamp|shown_twice_by_the_clock",
        "g": "timestamp|missing",
    }


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"timestamp": {"timezone_from": "zone"}}, "has no text 'zone'; it has"),
        ({"timestamp": {"timezone_from": "gaming_day"}}, "has no text 'gaming_day'"),
        ({"device": {"timezone_from": "time_zone"}}, "is for a moment"),
        (
            {"timestamp": {"timezone_from": "time_zone", "timezone": "UTC"}},
            "goes with neither timezone nor date_only",
        ),
    ],
)
def test_a_zone_that_no_row_can_name_is_refused(columns: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        checked_mapping({"columns": columns}, "clickstream", "m")


def test_the_clock_of_each_row() -> None:
    noon = dt.datetime(2025, 7, 1, 12, tzinfo=dt.UTC)
    zones = ["Europe/Tallinn", None, "America/Los_Angeles", "Nowhere"]
    rows = pl.DataFrame({"at": [noon] * 4, "zone": zones})
    shown = rows.select(wall_clock(pl.col("at"), pl.col("zone")))["at"]
    assert [None if t is None else t.hour for t in shown] == [15, None, 5, None]


@pytest.mark.parametrize("text", ["vip;streamer", '["vip","streamer"]', '["vip", "streamer"]'])
def test_a_cell_may_hold_several_texts(tmp_path: Path, text: str) -> None:
    file = tmp_path / "accounts.csv"
    told = {"account_id": ["A1", "A2"], "tags": [text, None], "gaming_day": ["2025-01-01"] * 2}
    pl.DataFrame(told).write_csv(file)
    got = landed(file, Mapping(), "online_accounts")
    assert got.good["tags"].to_list() == [["vip", "streamer"], []]


@pytest.mark.slow
def test_accounts_leave_as_csv_and_come_back(tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = ["--accounts", "50", "--days", "1", "-f", "csv", "--include-pii", "--no-faults"]
    assert run(["generate", "-o", str(out), *asked]) == 0
    made = OnlineAccountGenerator(
        start_date=dt.date(2025, 1, 1),
        end_date=dt.date(2025, 1, 2),
        faults=False,
        include_pii=True,
    ).generate(50)
    got = landed(out / "bronze_online_accounts.csv", Mapping(), "online_accounts").good
    kept = [c for c in made.columns if not c.startswith("_")]
    assert got.select(kept).equals(made.select(kept))
