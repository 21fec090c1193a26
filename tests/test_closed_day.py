"""The closed day, and the days before it that slept through their own morning: a simulated day that
was made while it was open holds what had happened by then."""

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from igaming_assets.assembly import assemble
from igaming_assets.partitions import tags_of
from igaming_assets.resources import LakeResource
from lakehouse.commands.run import tell_made_early
from lakehouse.quality.freshness_checks import DAY, IS_THERE, left_open, owed
from lakehouse.quality.registry import checks
from lakehouse.quality.results import Judgement
from lakehouse.regulation.gaming_day import day_bounds, gaming_day_of
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Lake, stored_schema

pytestmark = pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
ZONE = "America/Los_Angeles"
BY = Commit("test", "test", "1")
AT_ONCE, A_WEEK = dt.timedelta(), dt.timedelta(days=7)
Ago = Callable[[int], dt.date]


@pytest.fixture
def ago() -> Ago:
    """The day that is open, and those before it. Commits tell the real time: what a test writes is
    of a day that is open."""
    of_today = gaming_day_of(dt.datetime.now(dt.UTC), ZONE)
    return lambda days: of_today - dt.timedelta(days=days)


def settings_of(tmp_path: Path, **more: object) -> Settings:
    given = {"root": str(tmp_path / "lake"), "start": dt.date(2025, 1, 1), "timezone": ZONE}
    return Settings.model_validate(given | more)


def write(settings: Settings, layer: str, table: str, *days: dt.date) -> None:
    blank = pl.DataFrame({"gaming_day": days}, schema_overrides={"gaming_day": pl.Date})
    schema = stored_schema(layer, table)
    rows = pl.concat([pl.DataFrame(schema=schema), blank], how="diagonal").select(schema.names())
    for day in days:
        mine = rows.filter(gaming_day=day)
        Lake.open(settings).write_days(layer, table, mine, (day, day), commit=BY)


def test_a_day_that_was_made_while_it_was_open_is_left_open(tmp_path: Path, ago: Ago) -> None:
    settings = settings_of(tmp_path)
    write(settings, "bronze", "slot_telemetry", ago(1), ago(0))
    found = left_open(Lake.open(settings), settings, (ago(30), ago(0)))
    assert found.keys() == {ago(0)}
    opens, closes = day_bounds(ago(0), ZONE)
    assert opens <= found[ago(0)] < closes


def test_days_that_nobody_made_are_owed_from_the_first_that_was(tmp_path: Path, ago: Ago) -> None:
    settings = settings_of(tmp_path)
    assert owed(Lake.open(settings), settings, (ago(30), ago(0)), AT_ONCE) == []
    write(settings, "bronze", "slot_telemetry", ago(6), ago(5), ago(2), ago(0))
    assert owed(Lake.open(settings), settings, (ago(30), ago(0)), AT_ONCE) == [
        ago(4),
        ago(3),
        ago(1),
        ago(0),
    ]
    assert owed(Lake.open(settings), settings, (ago(3), ago(2)), AT_ONCE) == [ago(3)]


def test_a_day_is_owed_until_its_last_rows_have_come(tmp_path: Path, ago: Ago) -> None:
    settings = settings_of(tmp_path)
    write(settings, "bronze", "slot_telemetry", ago(9), ago(8), ago(7), ago(6))
    lake, days = Lake.open(settings), (ago(30), ago(6))
    assert owed(lake, settings, days, A_WEEK) == [ago(7), ago(6)]
    assert owed(lake, settings, days, A_WEEK / 2) == []


def test_a_command_says_which_days_lack_what_came_late(
    tmp_path: Path, ago: Ago, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of(tmp_path)
    write(settings, "bronze", "slot_telemetry", *map(ago, (6, 5, 3, 2, 1, 0)))
    tell_made_early(settings, Lake.open(settings), (ago(1), ago(1)))
    assert capsys.readouterr().err == (
        f"made before the last of their rows came: {ago(3)} to {ago(2)}; "
        f"lakehouse run --from {ago(3)} --to {ago(2)} takes them in\n"
    )
    tell_made_early(settings, Lake.open(settings), (ago(4), ago(1)))
    assert capsys.readouterr().err == ""


def test_landed_days_are_as_whole_as_their_files(tmp_path: Path, ago: Ago) -> None:
    settings = settings_of(tmp_path, source="landing")
    write(settings, "bronze", "slot_telemetry", ago(6), ago(0))
    assert owed(Lake.open(settings), settings, (ago(30), ago(0)), AT_ONCE) == []


def test_half_a_day_is_not_there_by_ten(tmp_path: Path, ago: Ago) -> None:
    settings = settings_of(tmp_path)
    write(settings, "bronze", "slot_telemetry", ago(1), ago(0))
    write(settings, *DAY, ago(1), ago(0))
    lake, days = Lake.open(settings), (ago(2), ago(0))

    def judged(at: dt.datetime) -> Mapping[dt.date, Judgement]:
        [check] = [c for c in checks(settings, at).values() if c.name == IS_THERE]
        return check.judge(lake, days)

    closes = day_bounds(ago(0), ZONE)[1]
    said = judged(closes)
    assert [said[ago(n)].passed for n in (2, 1, 0)] == [False, True, False]
    assert said[ago(2)].said == f"The day is not there; newest: {ago(0)}."
    assert "while it was open: what came after is not there. Run it again." in said[ago(0)].said
    # A day under way is as far as it is, or nowhere yet.
    said = judged(closes - dt.timedelta(seconds=1))
    assert [said[ago(n)].passed for n in (2, 1, 0)] == [False, True, True]
    blank = lake.scan(*DAY).filter(gaming_day=ago(0)).clear().collect()
    lake.write_days(*DAY, blank, (ago(0), ago(0)), commit=BY)
    assert judged(closes - dt.timedelta(seconds=1))[ago(0)].passed
    assert not judged(closes)[ago(0)].passed


def test_the_run_that_makes_a_day_judges_whether_it_is_there(tmp_path: Path) -> None:
    """A morning that found it missing is answered by the run that made it."""
    job = assemble(settings_of(tmp_path)).resolve_job_def("gaming_day")
    judged = job.asset_layer.asset_graph.asset_check_keys
    assert dg.AssetCheckKey(dg.AssetKey(DAY), IS_THERE) in judged


def asked(settings: Settings, instance: dg.DagsterInstance, morning: dt.date) -> list[str]:
    """What the schedule asks for on a morning: days, or first and last."""
    repository = assemble(settings).get_repository_def()
    at = day_bounds(morning, ZONE)[0] + dt.timedelta(hours=1, minutes=15)
    with dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=at,
        repository_def=repository,
        resources={"lake": LakeResource.of(settings)},
    ) as context:
        tick = repository.get_schedule_def("closed_day").evaluate_tick(context)
    assert tick.run_requests or tick.skip_message
    named = [
        {k.removeprefix("dagster/"): v for k, v in r.tags.items()} for r in tick.run_requests or ()
    ]
    first, last = "asset_partition_range_start", "asset_partition_range_end"
    return [t.get("partition") or f"{t[first]}..{t[last]}" for t in named]


@pytest.mark.slow
def test_the_morning_makes_up_for_those_that_were_missed(tmp_path: Path, ago: Ago) -> None:
    """Made while it is open, then asleep until the fourth morning after it."""
    settings = settings_of(tmp_path, faults=False)
    write(settings, "bronze", "slot_telemetry", ago(5), ago(4), ago(2), ago(0))
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        missed = [f"{ago(3)}", f"{ago(1)}..{ago(-2)}", f"{ago(-3)}"]
        assert asked(settings, instance, ago(-4)) == missed
        # Mornings that were missed come all at once: a look at a day does not make it.
        derived = {dg.AssetKey(["silver", "slot_telemetry"])}
        looks = tags_of((ago(0), ago(0)))
        instance.add_run(dg.DagsterRun("freshness", tags=looks))
        instance.add_run(dg.DagsterRun("late", tags=looks, asset_selection=derived))
        assert asked(settings, instance, ago(-4)) == missed
        # What a run is making is not asked for twice, and all else is.
        month = derived | {dg.AssetKey(["bronze", "slot_telemetry"])}
        made = tags_of((ago(1), ago(0)))
        instance.add_run(dg.DagsterRun("month", tags=made, asset_selection=month))
        missed[1] = f"{ago(-1)}..{ago(-2)}"
        assert asked(settings, instance, ago(-4)) == missed
        instance.add_run(dg.DagsterRun("gaming_day", tags=tags_of((ago(-3), ago(-3)))))
        assert asked(settings, instance, ago(-4)) == missed[:2]


@pytest.mark.slow
def test_the_days_of_which_late_rows_came_are_made_again(tmp_path: Path, ago: Ago) -> None:
    """One to three days late, as the simulator plants them; the fourth day was missed."""
    settings = settings_of(tmp_path)
    write(settings, "bronze", "slot_telemetry", *map(ago, (6, 5, 3, 2, 1, 0)))
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert asked(settings, instance, ago(-1)) == [f"{ago(4)}..{ago(1)}", str(ago(0))]


@pytest.mark.slow
def test_a_day_of_which_all_is_known_is_not_made_twice(tmp_path: Path, ago: Ago) -> None:
    settings = settings_of(tmp_path, faults=False)
    write(settings, "bronze", "slot_telemetry", ago(3), ago(2), ago(1))
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        assert asked(settings, instance, ago(0)) == [str(ago(1))]
