"""Tables that topics fill in Dagster: looked at and not written; their hours as they close."""

import datetime as dt
import functools
import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.BetaWarning)
    from igaming_assets import silver
    from igaming_assets.assembly import assemble
    from igaming_assets.resources import Clock, LakeResource
    from igaming_assets.running import Outcome, run_days
    from igaming_assets.streamed import closed_hours_sensor
from benchmarks.instances import short_lived
from lakehouse.errors import LakehouseError
from lakehouse.ingest.streams.hours import closed
from lakehouse.quality.derived_checks import EVERY_ROW
from lakehouse.quality.registry import checks
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Lake
from tests.streamed import AT, DAY, TABLE, event, log_at, places, send, settings_at, sources
from tests.streamed import take_in as taken_in

pytestmark = pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
ZONE = "America/Los_Angeles"
NOON = dt.datetime(2025, 1, 2, 20, tzinfo=dt.UTC)
"""At the property; its gaming day is from 14:00 UTC on."""


def at(minutes: float) -> str:
    return (NOON + dt.timedelta(minutes=minutes)).isoformat()


def happens(folder: Path, *minutes: float, came: float | None = None) -> None:
    """Events so many minutes after noon, which come into the lake when the last of them happens,
    or at `came`."""
    arrived = NOON + dt.timedelta(minutes=max(minutes) if came is None else came)
    log = log_at(folder)
    log._clock = lambda: int(arrived.timestamp() * 1000)
    send(log, *(event(f"{m}", timestamp=at(m)) for m in minutes))
    taken_in(folder, log)


def until(folder: Path, minutes: float) -> dt.datetime | None:
    lake = taken_in(folder).lake
    found = closed(lake, TABLE, NOON + dt.timedelta(minutes=minutes), ZONE)
    return None if found is None else found.until


def test_an_hour_closes_when_what_may_be_under_way_has_come(tmp_path: Path) -> None:
    hour = dt.timedelta(hours=1)
    assert until(tmp_path, 0) is None
    happens(tmp_path, 10, 50)
    assert until(tmp_path, 51) == NOON
    happens(tmp_path, 64)
    assert until(tmp_path, 64.1) == NOON
    happens(tmp_path, 65)
    assert until(tmp_path, 65.1) == NOON + hour
    assert until(tmp_path, 69.9) == NOON + hour
    assert until(tmp_path, 70) == NOON + 2 * hour  # nothing has come for five minutes


def test_an_event_by_a_clock_that_is_ahead_closes_nothing(tmp_path: Path) -> None:
    happens(tmp_path, 10)
    happens(tmp_path, 200, came=11)
    assert until(tmp_path, 11) == NOON


def settings_of(folder: Path) -> Settings:
    return settings_at(folder, domains=("floor", "online"), start="2025-01-01", scale=0.01)


@functools.cache
def sensor_of(folder: Path) -> dg.SensorDefinition:
    sensor = closed_hours_sensor(settings_of(folder))
    assert sensor is not None
    return sensor


def look(
    folder: Path, cursor: str | None, minutes: float
) -> tuple[list[str], list[dict[str, Any]], str]:
    """One tick: gaming days asked for, what was observed, and the cursor."""
    settings, sensor = settings_of(folder), sensor_of(folder)
    given = {
        "lake": LakeResource.of(settings),
        "clock": Clock(at=at(minutes)),
    }
    with short_lived() as instance:
        context = dg.build_sensor_context(instance=instance, cursor=cursor, resources=given)
        with context:
            found = sensor(context)
    assert isinstance(found, dg.SensorResult)
    for request in found.run_requests or []:
        keys = {key.to_user_string() for key in request.asset_selection or []}
        assert {f"bronze/{TABLE}", f"silver/{TABLE}", "gold/player_metrics"} <= keys
        assert not {"silver/slot_telemetry", "bronze/games"} & keys
    told = [{k: v.value for k, v in e.metadata.items()} for e in found.asset_events]
    return [str(r.partition_key) for r in found.run_requests or []], told, found.cursor or ""


def test_days_are_asked_for_as_their_hours_close_and_when_events_are_late(tmp_path: Path) -> None:
    happens(tmp_path, 10)
    asked, told, cursor = look(tmp_path, None, 11)
    assert asked == ["2025-01-02"]
    assert told == [
        {"dagster/row_count": 1, "lag": 0, "rejected": 0, "last_offsets": {"0": 1}},
    ]
    happens(tmp_path, 20)
    asked, told, cursor = look(tmp_path, cursor, 21)
    assert (asked, told[0]["dagster/row_count"]) == ([], 2)
    assert look(tmp_path, cursor, 22)[:2] == ([], [])
    happens(tmp_path, 66)
    asked, _, cursor = look(tmp_path, cursor, 67)
    assert asked == ["2025-01-02"]
    assert look(tmp_path, cursor, 68)[0] == []
    happens(tmp_path, -24 * 60, came=67)
    asked, _, cursor = look(tmp_path, cursor, 68)
    assert asked == ["2025-01-01"]
    happens(tmp_path, 24 * 60)
    asked, _, cursor = look(tmp_path, cursor, 24 * 60)
    assert asked == ["2025-01-02", "2025-01-03"]
    assert look(tmp_path, cursor, 24 * 60)[0] == []
    assert set(json.loads(cursor)[TABLE]["days"]) == {"2025-01-01", "2025-01-02", "2025-01-03"}


def test_a_lake_that_no_topic_fills_has_no_such_sensor() -> None:
    settings = Settings(domains=("floor", "online"))
    assert closed_hours_sensor(settings) is None
    named = {s.name for s in assemble(settings).get_repository_def().sensor_defs}
    assert "closed_hours" not in named


def set_in(folder: Path, patch: pytest.MonkeyPatch) -> Settings:
    """The settings of these tests, for the processes of a run too."""
    patch.setenv("DAGSTER_HOME", str(folder / "home"))
    (folder / "home").mkdir()
    settings = settings_of(folder).model_copy(update={"orphans": {TABLE: "keep"}})
    for name, value in (
        ("ROOT", settings.root),
        ("START", "2025-01-01"),
        ("SCALE", "0.01"),
        ("DOMAINS", '["floor", "online"]'),
        ("SOURCES", f'{{"{TABLE}": "stream"}}'),
        ("ORPHANS", f'{{"{TABLE}": "keep"}}'),
    ):
        patch.setenv(f"LAKEHOUSE_{name}", value)
    return settings


@pytest.mark.slow
def test_a_run_looks_at_bronze_and_derives_the_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows stay as they came; silver and gold of the day follow."""
    log = log_at(tmp_path)
    bet = event("b", event_type="bet_placed", bet_amount="2.50", timestamp=at(1), round_id="r")
    send(log, event("a", timestamp=at(0)), bet, b"poison", event("a", timestamp=at(0)))
    lake = taken_in(tmp_path, log).lake
    settings = set_in(tmp_path, monkeypatch)
    select = f"key:bronze/{TABLE}+"
    done = run_days(settings, (DAY, DAY), now=AT, select=select)
    assert done.materialized > 3
    assert sources(tmp_path) == sorted([*places(0, 2), *places(3, 4)])
    played = lake.scan("gold", "player_metrics", days=(DAY, DAY)).collect()
    assert played.height == 1
    assert lake.scan("duplicates", TABLE).collect().height == 1


@pytest.mark.slow
def test_events_that_come_during_a_run_do_not_fail_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are told, and derived by the next run; what no topic brought still fails a run."""
    settings = set_in(tmp_path, monkeypatch)
    happens(tmp_path, 1)
    minutes = iter((2, 3))

    def run(during: Callable[[], None] | None = None) -> Outcome:
        def tell(step: str, _: int, __: int) -> None:
            if during is not None and step == "gold__property_day":
                during()

        return run_days(settings, (DAY, DAY), now=dt.datetime.now(dt.UTC), progress=tell)

    def said() -> tuple[str, str]:
        results = Lake.open(settings).scan("gold", "check_results").collect()
        [found] = results.filter(check_name=EVERY_ROW, gaming_day=DAY).rows(named=True)
        return found["status"], found["said"]

    def comes() -> None:
        happens(tmp_path, next(minutes))

    def lost() -> None:
        lake, door = Lake.open(settings), ("bronze", "slot_telemetry")
        rows = lake.scan(*door, days=(DAY, DAY)).collect()
        lake.write_days(*door, rows.clear(), (DAY, DAY), commit=Commit("run", "test", "1"))

    run(comes)
    assert said()[0] == "warned"
    assert "Rows came in meanwhile, by topics or another run" in said()[1]
    run()
    assert said() == ("passed", "Every stored row is derived.")

    def both() -> None:
        comes()
        lost()

    with pytest.raises(LakehouseError, match=EVERY_ROW):
        run(both)
    assert said()[0] == "failed"


@pytest.mark.slow
def test_events_that_come_while_silver_is_made_are_not_lost_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of silver's step the checks count what it cleaned; a look at the lake alone warns of what
    came since, and rows that came before and are not there are an error."""
    settings = set_in(tmp_path, monkeypatch)
    happens(tmp_path, 1, 2)
    store, key = silver.store_rejects, ("silver", TABLE, "conservation")

    def stored(*given: Any) -> Any:
        happens(tmp_path, 3)
        return store(*given)

    def said(at: dt.datetime) -> tuple[str, float | None]:
        lake, check = Lake.open(settings), checks(settings, at)[key]
        found = check.judge(lake, (DAY, DAY))[DAY]
        return found.status(check.severity).value, found.measure

    now = dt.datetime.now(dt.UTC)
    with monkeypatch.context() as patch:
        patch.setattr(silver, "store_rejects", stored)
        run_days(settings, (DAY, DAY), now=now, select=f"key:bronze/{TABLE} or key:silver/{TABLE}")
    assert said(now) == ("warned", 1.0)
    assert said(now + dt.timedelta(hours=2)) == ("failed", 1.0)
    run_days(settings, (DAY, DAY), now=now, select=f"key:silver/{TABLE}")
    assert said(now) == ("passed", 0.0)
