"""Days through the assets: as the library makes them, idempotent, in any order, each judged."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from benchmarks.instances import short_lived
from igaming_assets.partitions import DAYS_PER_RUN
from igaming_assets.resources import Clock
from igaming_assets.running import judge_days, run_days
from lakehouse.contracts import contracts
from lakehouse.errors import BadInput, LakehouseError
from lakehouse.quality.conformance import conservation
from lakehouse.quality.registry import checks
from lakehouse.regulation.gaming_day import cut
from lakehouse.settings import Settings
from lakehouse.storage import Lake, stored_tables

D = dt.date
NOW = dt.datetime(2025, 6, 1, 20, tzinfo=dt.UTC)
WEEK = (D(2025, 3, 7), D(2025, 3, 9))
"""Three days, the middle one with 23 hours."""
OF_A_RUN = ["run_id", "judged_at", "judged_of", "is_stale", "counted_of"]
"""What tells runs apart in the results of their checks, which are otherwise the same."""


def settings_at(root: Path) -> Settings:
    return Settings(root=str(root / "lake"), scale=0.02, start=WEEK[0])


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with short_lived() as opened:
        yield opened


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance) -> Settings:
    """Three days in one run."""
    settings = settings_at(tmp_path_factory.mktemp("made"))
    outcome = run_days(settings, WEEK, now=NOW, instance=instance)
    assert outcome.materialized % 3 == 0
    return settings


def content(settings: Settings) -> dict[str, pl.DataFrame]:
    lake = Lake.open(settings)
    frames = {}
    for layer, table in stored_tables():
        frame = lake.scan(layer, table).collect().drop(OF_A_RUN, strict=False)
        order = [c for c, t in frame.schema.items() if not t.is_nested()]
        frames[f"{layer}.{table}"] = frame.sort(order, nulls_last=True)
    return frames


def differences(one: Settings, other: Settings) -> list[str]:
    left, right = content(one), content(other)
    return [name for name, frame in left.items() if not frame.equals(right[name])]


@pytest.mark.slow
def test_rows_flow_to_gold(made: Settings) -> None:
    lake = Lake.open(made)
    for layer, table in [
        ("gold", "player_day"),
        ("gold", "player_value"),
        ("gold", "slot_performance"),
        ("gold", "property_day"),
        ("restricted", "identity_vault"),
        ("truth", "plants"),
    ]:
        days = lake.scan(layer, table).select("gaming_day").unique().collect().height
        assert days == 3, table


@pytest.mark.slow
def test_no_row_vanishes_between_bronze_and_silver(made: Settings) -> None:
    for table in contracts("source"):
        counts = conservation(Lake.open(made), table, WEEK)
        assert counts["lost"].to_list() == [0, 0, 0], table
        assert counts["gaming_day"].to_list() == [D(2025, 3, d) for d in (7, 8, 9)]


@pytest.mark.slow
def test_every_day_has_its_check_result(made: Settings, instance: dg.DagsterInstance) -> None:
    key = dg.AssetCheckKey(dg.AssetKey(["silver", "slot_telemetry"]), "conservation")
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=50)
    partitions = {
        r.event.dagster_event.asset_check_evaluation_data.partition for r in records if r.event
    }
    assert {"2025-03-07", "2025-03-08", "2025-03-09"} <= partitions


@pytest.mark.slow
def test_each_day_tells_its_own_rows(made: Settings, instance: dg.DagsterInstance) -> None:
    key = dg.AssetKey(["silver", "slot_telemetry"])
    records = instance.fetch_materializations(key, limit=10).records
    told = {
        r.partition_key: r.asset_materialization.metadata["dagster/partition_row_count"].value
        for r in records
    }
    stored = Lake.open(made).partitions("silver", "slot_telemetry")
    assert told == {str(d): n for d, n in stored.select("gaming_day", "rows").iter_rows()}
    metadata = records[0].asset_materialization.metadata
    assert metadata["dagster/row_count"].value == stored["rows"].sum()
    assert metadata["dagster/uri"].value == Lake.open(made).uri("silver", "slot_telemetry")
    assert "data:image/svg+xml" in str(metadata["rejects_by_rule"].value)


@pytest.mark.slow
def test_restricted_assets_tell_no_numbers(instance: dg.DagsterInstance, made: Settings) -> None:
    for table in ("sar_cases", "alerts", "sar_retention"):
        [record] = instance.fetch_materializations(
            dg.AssetKey(["restricted", table]), limit=1
        ).records
        said = set(record.asset_materialization.metadata)
        assert not {n for n in said if "row" in n or "bytes" in n}, table


@pytest.mark.slow
def test_a_day_run_twice_changes_nothing(made: Settings, instance: dg.DagsterInstance) -> None:
    before = content(made)
    run_days(made, (D(2025, 3, 8), D(2025, 3, 8)), now=NOW, instance=instance)
    after = content(made)
    assert [name for name in before if not before[name].equals(after[name])] == []


REACHED = ("player_value", "player_markers", "player_protection", "anomalies", "alert_episodes")
"""Nothing is to be filed in these days, so that the calendar is empty."""


@pytest.mark.slow
def test_days_in_any_order_end_in_the_same_lake(
    made: Settings, tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    other = settings_at(tmp_path)
    key = Path(f"{made.root}.keys/pii-key")
    other_key = Path(f"{other.root}.keys/pii-key")
    other_key.parent.mkdir(parents=True, mode=0o700)
    other_key.write_bytes(key.read_bytes())
    other_key.chmod(0o600)
    for days in ((WEEK[1], WEEK[1]), (WEEK[0], D(2025, 3, 8))):
        run_days(other, days, now=NOW, instance=instance)
    # Windows of value, protection and alerts reached over the last day, which the second run did
    # not judge.
    held = Lake.open(other).scan("gold", "check_results").filter("is_stale").collect()
    stale = set(held.select("gaming_day", "table_name", "check_name").iter_rows())
    assert stale == {
        (WEEK[1], "player_value", "protected_receive_nothing"),
        (WEEK[1], "player_day", "excluded_do_not_play"),
        (WEEK[1], "player_value", "value_ends_in_the_day"),
        (WEEK[1], "player_value", "raised_are_protected"),
        *((WEEK[1], table, "no_personal_data") for table in REACHED),
        (WEEK[1], "property_day", "every_stored_row_is_derived"),
    }
    for settings in (made, other):
        every = checks(settings, NOW).values()
        judge_days(settings, every, WEEK, instance=instance, clock=Clock(at=NOW.isoformat()))
    assert differences(made, other) == []


@pytest.mark.slow
def test_late_rows_are_there_only_when_they_are_known(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    settings = settings_at(tmp_path)
    day = (WEEK[0], WEEK[0])
    selection = "key:bronze/slot_telemetry"
    early, late = "2025-03-07T22:00:00Z", "2025-03-20T00:00:00Z"
    heights = []
    for at in (early, late):
        run_days(settings, day, now=NOW, select=selection, instance=instance, clock=Clock(at=at))
        rows = Lake.open(settings).scan("bronze", "slot_telemetry").collect()
        assert rows["_ingested_at"].max() <= dt.datetime.fromisoformat(at)
        heights.append(rows.height)
    assert 0 < heights[0] < heights[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("days", "said"),
    [
        ((D(2025, 3, 6), D(2025, 3, 7)), "no gaming day 2025-03-06: the lake has 2025-03-07 to"),
        ((D(2025, 6, 1), D(2025, 6, 2)), "no gaming day 2025-06-02: .* to 2025-06-01"),
        ((D(2025, 3, 9), D(2025, 3, 8)), "the first is after the last"),
    ],
)
def test_days_that_the_lake_cannot_have(
    tmp_path: Path, instance: dg.DagsterInstance, days: tuple[D, D], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        run_days(settings_at(tmp_path), days, now=NOW, instance=instance)
    assert not (tmp_path / "lake").exists()


@pytest.mark.slow
@pytest.mark.parametrize("select", ["key:gold/nothing", "gold(", ""])
def test_a_selection_of_nothing(tmp_path: Path, instance: dg.DagsterInstance, select: str) -> None:
    with pytest.raises(BadInput, match="selection"):
        run_days(settings_at(tmp_path), WEEK, now=NOW, select=select, instance=instance)


@pytest.mark.slow
def test_a_lost_key_stops_the_run_and_keeps_the_lake(
    made: Settings, instance: dg.DagsterInstance
) -> None:
    key = Path(f"{made.root}.keys/pii-key")
    secret = key.read_bytes()
    before = Lake.open(made).scan("silver", "player_profile").collect()
    key.unlink()
    try:
        with pytest.raises(LakehouseError, match=r"silver__player_profile: .*key") as caught:
            run_days(made, WEEK, now=NOW, select="key:silver/player_profile", instance=instance)
        assert "\n" not in str(caught.value)
    finally:
        key.write_bytes(secret)
        key.chmod(0o600)
    assert Lake.open(made).scan("silver", "player_profile").collect().equals(before)


def test_a_long_range_is_cut_into_runs_of_a_month() -> None:
    assert cut((D(2025, 1, 1), D(2025, 1, 31)), DAYS_PER_RUN) == [(D(2025, 1, 1), D(2025, 1, 31))]
    assert cut((D(2025, 1, 1), D(2025, 3, 4)), DAYS_PER_RUN) == [
        (D(2025, 1, 1), D(2025, 1, 31)),
        (D(2025, 2, 1), D(2025, 3, 3)),
        (D(2025, 3, 4), D(2025, 3, 4)),
    ]
