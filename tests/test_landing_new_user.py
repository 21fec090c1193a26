"""A new user's first hour: the simulator's own export under foreign names, with other
delimiters, US dates and some damage, lands in an empty lake beside the clean rows."""

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from lakehouse.ingest.conservation import conservation
from lakehouse.ingest.land import land
from lakehouse.simulate.config import NO_FAULTS, WorldConfig
from lakehouse.simulate.world import World
from lakehouse.steps import refresh_silver
from lakehouse.storage import Commit
from tests.landed import lake_at, quarantined, take_in

DAY = dt.date(2025, 1, 2)
SLOTS = "slot_telemetry"
ZONE = "America/Los_Angeles"
MAPPING = f"""
delimiter = ";"
[columns.event_id]
from = "EvtSeq"
[columns.machine_id]
from = "MachNo"
[columns.event_timestamp]
from = "EvtTime"
format = "%m/%d/%Y %I:%M:%S%.f %p"
timezone = "{ZONE}"
[columns.coin_in]
from = "CoinInCents"
unit = "cents"
[columns.event_type]
from = "EvtCode"
codes = {{ GP = "GAME_PLAY", MU = "METER_UPDATE" }}
[columns.gaming_day]
format = "%m/%d/%Y"
"""
DAMAGES = [
    (lambda row: row.rsplit(";", 2)[0], "_row|too_few_fields"),
    (lambda row: row + ";x", "_row|too_many_fields"),
    (lambda row: row.replace(";", ';"', 1), "_row|unbalanced_quotes"),
    (lambda row: row.replace("/2025 ", "/2025T", 1), "event_timestamp|unreadable"),
    (lambda row: row.replace(";0.", ";O.", 1), "not_a_number"),
]


@pytest.fixture(scope="module")
def world() -> World:
    return World(WorldConfig(scale=0.05, faults=NO_FAULTS))


def exported(rows: pl.DataFrame) -> list[str]:
    """As a slot accounting system would write them."""
    local = pl.col("event_timestamp").dt.convert_time_zone(ZONE)
    short = {"GAME_PLAY": "GP", "METER_UPDATE": "MU"}
    foreign = rows.drop("_ingested_at", "_source", "_batch_id").with_columns(
        local.dt.to_string("%m/%d/%Y %I:%M:%S%.6f %p"),
        (pl.col("coin_in") * 100).cast(pl.Int64),
        pl.col("event_type").replace(short),
        pl.col("gaming_day").dt.to_string("%m/%d/%Y"),
    )
    names = {
        "event_id": "EvtSeq",
        "machine_id": "MachNo",
        "event_timestamp": "EvtTime",
        "coin_in": "CoinInCents",
        "event_type": "EvtCode",
    }
    return foreign.rename(names).write_csv(separator=";").splitlines()


def test_foreign_and_damaged_rows_give_what_the_clean_rows_give(
    tmp_path: Path, world: World
) -> None:
    rows = world.frame(SLOTS, DAY)
    lines = exported(rows)
    damaged: dict[int, str] = {}
    for n, at in enumerate(range(10, len(lines), 33)):  # 3% of the rows
        damage, rule = DAMAGES[n % len(DAMAGES)]
        lines[at] = damage(lines[at])
        damaged[at + 1] = rule
    (tmp_path / "export.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "mapping.toml").write_text(MAPPING)
    lake, settings = lake_at(tmp_path)
    land([tmp_path / "export.csv"], SLOTS, lake, tmp_path / "mapping.toml")
    (done,) = take_in(lake, settings).outcomes
    assert (done.rows, done.quarantine_rows) == (rows.height, len(damaged))
    held = quarantined(lake, "_line", "_rules", "_raw", table=SLOTS)
    assert [line for line, _, _ in held] == sorted(damaged)
    for line, rules, raw in held:
        assert any(damaged[line] in rule for rule in rules), (line, rules)
        assert raw == lines[line - 1]
    assert conservation(lake, SLOTS).holds

    clean = rows.with_row_index("line", offset=2).filter(~pl.col("line").is_in(list(damaged)))
    landed = lake.scan("bronze", SLOTS).collect()
    ours = [n for n in rows.columns if not n.startswith("_")]
    assert landed.select(ours).sort("event_id").equals(clean.select(ours).sort("event_id"))


def test_silver_of_landed_rows_is_silver_of_the_simulators(tmp_path: Path, world: World) -> None:
    silver = {}
    for name in ("landed", "simulated"):
        lake, settings = lake_at(tmp_path / name, pii_key_file=str(tmp_path / "pii.key"))
        commit = Commit("test", "test", "1")
        for table in ("player_profile", SLOTS):
            rows = world.frame(table, DAY)
            if name == "simulated":
                lake.write_days("bronze", table, rows, (DAY, DAY), commit=commit)
            else:
                rows.write_csv(tmp_path / f"{table}.csv")
                land([tmp_path / f"{table}.csv"], table, lake)
                take_in(lake, settings)
            refresh_silver(lake, settings, table, (DAY, DAY), commit)
        kept = lake.scan("silver", SLOTS).collect().sort("event_id")
        silver[name] = kept.drop("_ingested_at", "_source", "_batch_id")
    assert silver["landed"].height > 500
    assert silver["landed"].equals(silver["simulated"])
