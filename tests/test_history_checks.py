"""A table's own history on a lake: what breaks off, goes missing, changes or comes late."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from lakehouse.quality.profiles import PROFILES, counted, fine_bin, profiles, spread_columns
from lakehouse.quality.registry import checks
from lakehouse.quality.results import Judgement
from lakehouse.settings import DOMAINS, Settings
from lakehouse.storage import Commit, Lake, stored_schema

FIRST, NUMBER = dt.date(2025, 1, 6), 64
LAST = FIRST + dt.timedelta(NUMBER - 1)
NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
TABLE = ("silver", "security_events")
MOMENT = pl.Datetime("us", "UTC")
COMMIT = Commit("test", "test", "1")
Change = Callable[[pl.DataFrame], pl.DataFrame]


def day_rows(day: dt.date, layer: str = "silver") -> pl.DataFrame:
    """120 events, ten to the hour, three of each ten at a gate and all with an officer."""
    noon = dt.datetime.combine(day, dt.time(20), dt.UTC)
    moments = [noon + dt.timedelta(minutes=6 * k) for k in range(120)]
    rows = pl.DataFrame(
        {
            "event_id": [f"{day}-{k}" for k in range(120)],
            "event_type": ["ACCESS_CONTROL"] * 36 + ["SECURITY_PATROL"] * 84,
            "event_timestamp": moments,
            "zone": ["Gate"] * 36 + ["Floor"] * 84,
            "employee_id": ["EMP-0001"] * 120,
            "gaming_day": [day] * 120,
            "_ingested_at": [m + dt.timedelta(hours=1) for m in moments],
        },
        schema_overrides=dict.fromkeys(("event_timestamp", "_ingested_at"), MOMENT),
    )
    empty = pl.DataFrame(schema=stored_schema(layer, "security_events"))
    return pl.concat([empty, rows], how="diagonal")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake(str(tmp_path / "lake"))
    for layer in ("bronze", "silver"):
        days = [day_rows(FIRST + dt.timedelta(n), layer) for n in range(NUMBER)]
        lake.write_days(layer, "security_events", pl.concat(days), (FIRST, LAST), commit=COMMIT)
    return lake


def changed(lake: Lake, change: Change, layer: str = "silver") -> None:
    rows = change(day_rows(LAST, layer))
    lake.write_days(layer, "security_events", rows, (LAST, LAST), commit=COMMIT)


def said(lake: Lake, name: str, layer: str = "silver") -> dict[dt.date, Judgement]:
    check = checks(Settings(), NOW)[(layer, "security_events", name)]
    assert check.severity == "warn"
    return dict(check.judge(lake, (LAST - dt.timedelta(1), LAST)))


NAMES = ("volume", "nulls", "drift")


def test_a_day_like_the_others_passes(lake: Lake) -> None:
    for name in NAMES:
        assert [one.passed for one in said(lake, name).values()] == [True, True], name


def failing(lake: Lake) -> list[str]:
    for name in NAMES:
        assert said(lake, name)[LAST - dt.timedelta(1)].passed
    return [name for name in NAMES if not said(lake, name)[LAST].passed]


def test_a_feed_that_broke_off_is_short_of_rows(lake: Lake) -> None:
    changed(lake, lambda rows: rows.gather_every(2))
    assert failing(lake) == ["volume"]
    found = said(lake, "volume")[LAST]
    # Of eight equal Mondays the deviation is chance alone: 5 sqrt(120 + 4) = 55.7, not 30.
    assert (found.measure, found.more["usual"], found.more["weekdays"]) == (60, 120, 8)
    assert found.bound == pytest.approx(120 - 55.7, abs=0.1)


def test_a_column_that_is_no_longer_filled_is_named(lake: Lake) -> None:
    changed(lake, lambda rows: rows.with_columns(employee_id=pl.lit(None, pl.String)))
    assert failing(lake) == ["nulls"]
    found = said(lake, "nulls")[LAST]
    assert (found.more["columns"], found.failing_rows, found.checked_rows) == (
        "employee_id",
        120,
        120,
    )
    assert "employee_id IS NULL" in str(found.sql)


def test_a_code_that_became_another_is_named(lake: Lake) -> None:
    changed(lake, lambda rows: rows.with_columns(zone=pl.lit("Gate")))
    assert failing(lake) == ["drift"]
    found = said(lake, "drift")[LAST]
    assert found.more["columns"] == "zone"
    assert found.measure is not None
    assert found.bound is not None
    assert found.measure > found.bound


def test_a_day_that_is_not_there_is_short_of_rows(lake: Lake) -> None:
    changed(lake, lambda rows: rows.clear())
    assert not said(lake, "volume")[LAST].passed
    assert LAST not in said(lake, "drift")


def test_rows_that_came_a_day_later_are_late(lake: Lake) -> None:
    late = pl.col("_ingested_at") + pl.duration(hours=30)
    changed(lake, lambda rows: rows.with_columns(late), "bronze")
    found = said(lake, "arrival", "bronze")
    assert (found[LAST].passed, found[LAST].measure, found[LAST].failing_rows) == (False, 31, 120)
    assert found[LAST - dt.timedelta(1)].passed


def test_history_that_was_loaded_is_not_late(lake: Lake) -> None:
    late = pl.col("_ingested_at") + pl.duration(days=200)
    changed(lake, lambda rows: rows.with_columns(late), "bronze")
    assert LAST not in said(lake, "arrival", "bronze")


def test_an_open_day_is_not_judged(lake: Lake) -> None:
    changed(lake, lambda rows: rows.head(1))
    at_noon = dt.datetime.combine(LAST, dt.time(20), dt.UTC)
    every = checks(Settings(), at_noon)
    for name in NAMES:
        found = every[(*TABLE, name)].judge(lake, (LAST - dt.timedelta(1), LAST))
        assert set(found) == {LAST - dt.timedelta(1)}


def test_restricted_tables_have_no_history() -> None:
    tables = {c.table[1] for c in checks(Settings(), NOW).values() if c.name == "volume"}
    assert "security_events" in tables
    assert not tables & {"sar_filings", "staff_observations", "sar_cases", "alerts", "plants"}


def test_a_day_is_counted_once_and_again_when_it_changed(lake: Lake) -> None:
    days = (FIRST, LAST)
    profiles(lake, days, commit=COMMIT)
    version = lake.version(*PROFILES)
    profiles(lake, days, commit=COMMIT)
    assert lake.version(*PROFILES) == version
    changed(lake, lambda rows: rows.head(7))
    again = profiles(lake, days, commit=COMMIT).filter(layer="silver", column_name="zone")
    stored = lake.scan(*PROFILES).filter(layer="silver", column_name="zone").collect()
    for found in (again, stored):
        rows = dict(found.select("gaming_day", "rows").iter_rows())
        assert rows == {FIRST + dt.timedelta(n): 120 for n in range(NUMBER - 1)} | {LAST: 7}


def test_a_day_that_is_gone_leaves_no_profile(lake: Lake) -> None:
    profiles(lake, (FIRST, LAST), commit=COMMIT)
    changed(lake, lambda rows: rows.clear())
    found = profiles(lake, (LAST, LAST), commit=COMMIT)
    assert set(found["layer"]) == {"bronze"}


def test_counts_are_of_each_day_alone() -> None:
    rows = pl.concat([day_rows(FIRST), day_rows(LAST).head(40)])
    both = counted(*TABLE, rows.lazy()).filter(column_name="zone").sort("gaming_day")
    assert both["rows"].to_list() == [120, 40]
    of = [dict(zip(b, c, strict=True)) for b, c in both.select("bins", "counts").iter_rows()]
    assert of == [{"Gate": 36, "Floor": 84}, {"Gate": 36, "Floor": 4}]


def test_fine_bins_are_in_order_of_value() -> None:
    values = [-500.0, -1.0, -0.5, 0.0, 0.00005, 0.01, 1.0, 1.05, 1.2, 1e9]
    found = pl.select(fine_bin(pl.Series(values))).to_series().to_list()
    assert found == sorted(found)
    assert found[3] == found[4] == 0
    assert found[-1] > found[-2] > found[6]


def test_what_is_no_number_has_no_bin() -> None:
    values = [float("nan"), float("inf"), float("-inf"), None]
    assert pl.select(fine_bin(pl.Series(values))).to_series().to_list() == [None] * 4


def test_what_may_drift_follows_from_types() -> None:
    slots = spread_columns("silver", "slot_telemetry")
    assert slots["coin_in"] is True
    assert slots["event_type"] is False
    assert not slots.keys() & {"event_id", "player_id", "machine_id", "_batch_id", "gaming_day"}
    profile = spread_columns("silver", "player_profile")
    assert not profile.keys() & {"ssn_hash", "first_name", "zip_code", "city", "loyalty_number"}
    assert {"loyalty_tier", "vip_flag", "points_balance"} <= profile.keys()
    assert "recency_quintile" not in spread_columns("gold", "player_value")


def engagement(day: dt.date) -> pl.DataFrame:
    """Thirty maps of a level, of which it is known how many came back."""
    rows = pl.DataFrame(
        {
            "gaming_day": [day] * 30,
            "level_id": ["level_01"] * 30,
            "map_id": [f"map_{k:02d}" for k in range(30)],
            "retention_d1": [0.5] * 30,
            "expected_rate": [0.5] * 30,
        }
    )
    shape = stored_schema("gold", "level_engagement")
    return pl.concat([pl.DataFrame(schema=shape), rows.cast({n: shape[n] for n in rows.columns})],
                     how="diagonal")  # fmt: skip


@pytest.mark.parametrize(("column", "passes"), [("retention_d1", True), ("expected_rate", False)])
def test_what_days_to_come_will_fill_is_not_missing(
    tmp_path: Path, column: str, passes: bool
) -> None:
    lake = Lake(str(tmp_path / "lake"))
    days = [engagement(FIRST + dt.timedelta(n)) for n in range(NUMBER)]
    days[-1] = days[-1].with_columns(pl.lit(None, days[-1].schema[column]).alias(column))
    lake.write_days("gold", "level_engagement", pl.concat(days), (FIRST, LAST), commit=COMMIT)
    check = checks(Settings(domains=DOMAINS), NOW)[("gold", "level_engagement", "nulls")]
    assert check.judge(lake, (LAST, LAST))[LAST].passed is passes
