"""The graph as a snapshot: what changes in it is seen in review. LAKEHOUSE_SNAPSHOT=write
writes it anew."""

import datetime as dt
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._serdes import deserialize_value, serialize_value

from igaming_assets.assembly import assemble, chosen_executor
from igaming_assets.describe import column_lineage
from igaming_assets.partitions import gaming_days, leaving_out
from igaming_assets.plots import bars
from igaming_assets.resources import LakeResource
from lakehouse.contracts import contract, contracts
from lakehouse.errors import BadInput
from lakehouse.settings import DOMAINS, Settings

SNAPSHOT = Path(__file__).parent / "asset_graph.json"


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    return assemble(Settings(root="data/lake", domains=DOMAINS))


def graph_of(defs: dg.Definitions) -> dict[str, Any]:
    graph = defs.resolve_asset_graph()
    assets = {
        key.to_user_string(): {
            "group": graph.get(key).group_name,
            "deps": sorted(k.to_user_string() for k in graph.get(key).parent_keys),
            "partitioned": graph.get(key).partitions_def is not None,
            "automatic": graph.get(key).automation_condition is not None,
            "owners": sorted(graph.get(key).owners),
        }
        for key in sorted(graph.get_all_asset_keys())
    }
    checks = {
        key.to_user_string(): "blocking" if graph.get(key).blocking else "told"
        for key in sorted(graph.asset_check_keys, key=str)
    }
    repository = defs.get_repository_def()
    return {
        "assets": assets,
        "checks": checks,
        "jobs": sorted(repository.job_names),
        "schedules": {
            s.name: f"{s.cron_schedule} {s.execution_timezone} {s.default_status.value}"
            for s in sorted(repository.schedule_defs, key=lambda s: s.name)
        },
        "sensors": {
            s.name: s.default_status.value
            for s in sorted(repository.sensor_defs, key=lambda s: s.name)
        },
    }


@pytest.mark.slow
def test_the_graph_is_as_it_was(defs: dg.Definitions) -> None:
    found = json.dumps(graph_of(defs), indent=1, sort_keys=True) + "\n"
    if os.environ.get("LAKEHOUSE_SNAPSHOT") == "write":
        SNAPSHOT.write_text(found)
    assert json.loads(found) == json.loads(SNAPSHOT.read_text())


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        Settings(domains=("floor",)),
        Settings(domains=("floor", "platform")),
        Settings(domains=DOMAINS),
        Settings(domains=DOMAINS, source="landing"),
        Settings(domains=DOMAINS, sources={"shop_orders": "stream", "clickstream": "stream"}),
        Settings(domains=DOMAINS, postgres="postgresql://lake", sqlite=Path("gold.sqlite")),
    ],
    ids=["floor", "platform", "whole", "landed", "streamed", "published"],
)
def test_the_code_location_loads_whole(settings: Settings) -> None:
    """As a code server loads it: a conflict of names, say, shows nowhere else."""
    assemble(settings).get_repository_def().load_all_definitions()


def test_every_contract_has_its_asset(defs: dg.Definitions) -> None:
    keys = {k.to_user_string() for k in defs.resolve_asset_graph().get_all_asset_keys()}
    # Logs are not derived: people and exports write them, in one piece.
    wanted = {
        f"{layer}/{name}"
        for name, c in contracts().items()
        for layer in (("bronze", "silver") if c.layer == "source" else (c.layer,))
        if c.partitioned and c.layer != "ops"
    }
    live = {f"gold/live_{what}" for what in ("alerts", "sessions", "windows")}
    assert wanted - keys == {"gold/check_results"} | live  # written as a run ends, and by a stream


def test_nothing_but_the_scoring_reads_the_truth(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    scoring = {dg.AssetKey(["gold", f"{what}_quality"]) for what in ("detection", "fraud")}
    assert graph.get(dg.AssetKey(["truth", "plants"])).child_keys == scoring
    assert not any(graph.get(key).child_keys for key in scoring)


def test_only_the_restricted_zone_reads_the_restricted_zone(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        if key.path[0] == "restricted":
            assert {k.path[0] for k in graph.get(key).child_keys} <= {"restricted"}


def test_assets_carry_what_their_contract_says(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    spec = graph.get(dg.AssetKey(["silver", "player_profile"]))
    columns = {c.name: c for c in spec.metadata["dagster/column_schema"].columns}
    assert columns["email"].tags == {"pii": "direct"}
    assert columns["email"].type == "String"
    assert not columns["player_id"].constraints.nullable
    assert "valid_from" in columns
    assert contract("player_profile").grain in (spec.description or "")
    assert spec.tags["confidential"] == "true"


def test_schedules_and_sensors_say_what_they_do(defs: dg.Definitions) -> None:
    repository = defs.get_repository_def()
    named = [*repository.schedule_defs, *repository.sensor_defs]
    assert [d.name for d in named if len(d.description or "") < 30] == []


def test_every_check_is_judged_by_day(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    checks = [graph.get(key) for key in graph.asset_check_keys]
    assert [c.key for c in checks if c.partitions_def is None] == []
    assert {c.key.asset_key for c in checks} == set(graph.get_all_asset_keys())


def test_kinds_and_code_tell_assets_apart(defs: dg.Definitions) -> None:
    graph = defs.resolve_asset_graph()
    told = {}
    for table in ("bronze/slot_telemetry", "silver/slot_telemetry", "gold/slot_performance"):
        node = graph.get(dg.AssetKey(table.split("/")))
        [*places] = node.metadata["dagster/code_references"].code_references
        assert all(Path(p.file_path).is_file() and p.line_number >= 1 for p in places)
        told[table] = (node.kinds, [p.label for p in places])
    assert told == {
        "bronze/slot_telemetry": ({"bronze", "polars", "deltalake"}, ["SlotTelemetry", "bronze"]),
        "silver/slot_telemetry": ({"silver", "polars", "deltalake"}, ["SlotTelemetry", "clean"]),
        "gold/slot_performance": (
            {"gold", "polars", "deltalake"},
            ["SlotPerformance", "slot_performance"],
        ),
    }


def test_a_column_comes_from_those_of_its_name() -> None:
    inputs = [("gold", "slot_performance"), ("silver", "table_games")]
    lineage = column_lineage("gold", "property_day", inputs).deps_by_column
    assert [(d.asset_key.to_user_string(), d.column_name) for d in lineage["win"]] == [
        ("gold/slot_performance", "win")
    ]
    assert len(lineage["gaming_day"]) == 2
    assert "headcount" not in lineage  # figured anew


def test_nothing_runs_by_surprise(defs: dg.Definitions) -> None:
    repository = defs.get_repository_def()
    assert {s.default_status.value for s in repository.schedule_defs} == {"STOPPED"}
    assert {s.default_status.value for s in repository.sensor_defs} == {"STOPPED"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("schedule", "moment", "day"),
    [
        # 07:15 in Los Angeles: the day that closed at 06:00 is yesterday's.
        ("closed_day", "2025-03-10T07:15:00-07:00", "2025-03-09"),
        ("closed_day", "2025-11-03T07:15:00-08:00", "2025-11-02"),
        ("is_there_by_ten", "2025-11-03T10:00:00-08:00", "2025-11-02"),
        # Before 06:00 the open gaming day is still yesterday's, after it today's.
        ("open_day", "2025-03-10T05:05:00-07:00", "2025-03-09"),
        ("open_day", "2025-03-10T06:05:00-07:00", "2025-03-10"),
        # 23-hour day: 05:05 is 22 hours after the day before opened.
        ("open_day", "2025-03-09T05:05:00-07:00", "2025-03-08"),
    ],
)
def test_schedules_ask_for_the_right_day(
    defs: dg.Definitions, tmp_path: Path, schedule: str, moment: str, day: str
) -> None:
    repository = defs.get_repository_def()
    tick_of = repository.get_schedule_def(schedule)
    with (
        dg.DagsterInstance.local_temp(str(tmp_path)) as instance,
        dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=dt.datetime.fromisoformat(moment),
            repository_def=repository,
            resources={"lake": LakeResource.of(Settings(root=str(tmp_path / "lake")))},
        ) as context,
    ):
        first = tick_of.evaluate_tick(context)
        assert [r.tags["dagster/partition"] for r in first.run_requests or ()] == [day]
        if schedule == "is_there_by_ten":
            return
        # Another automation asked for the day: it is not asked for twice.
        instance.add_run(dg.DagsterRun("gaming_day", tags={"dagster/partition": day}))
        again = tick_of.evaluate_tick(context)
        assert not again.run_requests
        assert f"{day} is under way" in (again.skip_message or "")


def test_the_executor_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert chosen_executor() is dg.in_process_executor
    monkeypatch.setenv("LAKEHOUSE_EXECUTOR", "multiprocess")
    assert chosen_executor() is dg.multiprocess_executor
    monkeypatch.setenv("LAKEHOUSE_EXECUTOR", "cloud")
    with pytest.raises(BadInput, match="in_process, multiprocess"):
        chosen_executor()


def test_a_plot_escapes_its_labels() -> None:
    import base64

    text = bars("Rejects", [("<&>", 2.0, "2"), ("less", 1.0, "1"), ("none", -1.0, "-1")]).value
    assert text is not None
    svg = base64.b64decode(text.split("base64,")[1].rstrip(")")).decode()
    assert "&lt;&amp;&gt;" in svg
    assert 'width="240.0"' in svg
    assert 'width="120.0"' in svg
    assert 'width="0.0"' in svg


@pytest.mark.slow
def test_the_code_location_loads_nothing_it_does_not_need() -> None:
    code = (
        "import gc, sys; looks = []; gc.callbacks.append(lambda *told: looks.append(told)); "
        "import igaming_assets.definitions; "
        "heavy = {'scipy', 'matplotlib', 'pandas', 'faker', 'great_expectations'}; "
        "heavy |= {'sqlalchemy', 'alembic'}; "
        "print(sorted(heavy & set(sys.modules)), len(looks) < 10, gc.isenabled(), "
        "gc.get_threshold()[0] < 10_000, gc.get_freeze_count() > 100_000)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[] True True True True"
    assert done.stderr == ""


def test_a_relative_root_is_that_of_the_folder_one_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roots = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        roots.append(LakeResource.of(Settings(root="lake")).lake.root)
    assert roots == [str(tmp_path / "a" / "lake"), str(tmp_path / "b" / "lake")]


def test_days_left_out_are_gone_and_written_out_no_more_than_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written = []
    as_dagster = dg.TimeWindowPartitionsDefinition.__repr__

    def counted(self: dg.TimeWindowPartitionsDefinition) -> str:
        written.append(type(self))
        return str(as_dagster(self))  # type: ignore[no-untyped-call]  # Dagster's

    monkeypatch.setattr(dg.TimeWindowPartitionsDefinition, "__repr__", counted)
    between = {dt.date(2025, 1, 2), dt.date(2025, 1, 3), dt.date(2025, 1, 5)}
    with leaving_out(between):
        days = gaming_days(Settings(start=dt.date(2025, 1, 1)))
    span = dg.PartitionKeyRange("2025-01-01", "2025-01-06")
    for _ in range(20):
        keys = days.get_partition_keys_in_range(span)
        some = days.empty_subset().with_partition_keys(keys)
        assert {days: "one"}[days] == "one"
    assert keys == ["2025-01-01", "2025-01-04", "2025-01-06"]
    assert len(written) <= 2
    assert not days.has_partition_key("2025-01-05")
    packed: Any = some.to_serializable_subset()
    stored: Any = deserialize_value(serialize_value(packed))
    assert list(stored.get_partition_keys()) == keys
