"""Fraud is judged every quarter of an hour, and grave alerts of it are told once."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from benchmarks.instances import short_lived
from igaming_assets.alerting import FRAUD, IN_FORCE, fraud_sensor
from igaming_assets.assembly import assemble
from igaming_assets.resources import LakeResource
from lakehouse.contracts import contract
from lakehouse.settings import Settings
from lakehouse.storage import Commit, Lake

pytestmark = pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
DAY = dt.date(2025, 1, 2)
BY = Commit("run", "test", "1")


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    return assemble(Settings(domains=("floor", "shop")))


def test_a_lake_without_a_shop_watches_no_fraud() -> None:
    repository = assemble(Settings(domains=("floor",))).get_repository_def()
    named = {d.name for d in (*repository.schedule_defs, *repository.sensor_defs)}
    assert not named & {"fraud_every_quarter", "critical_fraud"}
    assert "fraud_monitoring" not in repository.job_names


def test_the_job_makes_orders_and_alerts_and_nothing_of_the_floor(defs: dg.Definitions) -> None:
    job = defs.resolve_job_def("fraud_monitoring")
    made = {key.to_user_string() for key in job.asset_layer.selected_asset_keys}
    assert {"bronze/shop_orders", "silver/shop_orders", "gold/fraud_alerts"} <= made
    assert "gold/fraud_analysis" in made
    assert not made & {"silver/slot_telemetry", "truth/plants", "gold/fraud_quality"}


def test_it_is_off_until_somebody_turns_it_on(defs: dg.Definitions) -> None:
    repository = defs.get_repository_def()
    assert repository.get_schedule_def("fraud_every_quarter").default_status.value == "STOPPED"
    assert repository.get_sensor_def("critical_fraud").default_status.value == "STOPPED"


def tick(defs: dg.Definitions, instance: dg.DagsterInstance, moment: str) -> Any:
    repository = defs.get_repository_def()
    at = dt.datetime.fromisoformat(moment)
    with dg.build_schedule_context(
        instance=instance, scheduled_execution_time=at, repository_def=repository
    ) as context:
        return repository.get_schedule_def("fraud_every_quarter").evaluate_tick(context)


@pytest.mark.slow
def test_every_quarter_the_open_day_is_asked_for_once(defs: dg.Definitions, tmp_path: Path) -> None:
    schedule = defs.get_repository_def().get_schedule_def("fraud_every_quarter")
    assert schedule.cron_schedule == "*/15 * * * *"
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        quarters = ("05:45", "06:00", "06:15")
        asked = [
            request
            for at in quarters
            for request in tick(defs, instance, f"2025-03-10T{at}:00-07:00").run_requests
        ]
        days = [request.tags["dagster/partition"] for request in asked]
        assert days == ["2025-03-09", "2025-03-10", "2025-03-10"]
        assert len({request.run_key for request in asked}) == 3


@pytest.mark.slow
@pytest.mark.parametrize("job", ["fraud_monitoring", "gaming_day"])
def test_a_day_that_is_under_way_is_not_asked_for_again(
    defs: dg.Definitions, tmp_path: Path, job: str
) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        instance.create_run_for_job(
            defs.get_repository_def().get_job(job), tags={"dagster/partition": "2025-03-10"}
        )
        found = tick(defs, instance, "2025-03-10T12:15:00-07:00")
        assert not found.run_requests
        assert "2025-03-10 is under way" in found.skip_message


def alert(key: str, **more: object) -> dict[str, object]:
    return {
        "alert_id": f"{IN_FORCE}-{key}",
        "transaction_id": key,
        "user_id": "t:1",
        "amount": 5,
        "fraud_reason": "22 small payments within an hour",
        "fraud_score": 0.98,
        "alert_level": "CRITICAL",
        "alert_timestamp": dt.datetime(2025, 1, 2, 20, tzinfo=dt.UTC),
        "additional_context": "{}",
        "profile": IN_FORCE,
        "rules": [{"rule": "card_testing", "score": 1.0}],
        "evidence": [{"table_name": "shop_orders", "record_id": key}],
        "learned_by": "x",
        "gaming_day": DAY,
    } | more


def store(lake: Lake, *alerts: dict[str, object]) -> None:
    rows = pl.DataFrame(alerts, schema=contract("fraud_alerts").bronze_schema(), orient="row")
    lake.write_days("gold", "fraud_alerts", rows, (DAY, DAY), commit=BY)


def look(
    instance: dg.DagsterInstance, settings: Settings, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    context = dg.build_sensor_context(
        instance=instance, cursor=cursor, resources={"lake": LakeResource.of(settings)}
    )
    with context:
        found = fraud_sensor(settings)(context)
    if isinstance(found, dg.SkipReason):
        return [], cursor
    assert isinstance(found, dg.SensorResult)
    told = [{k: v.value for k, v in e.metadata.items()} for e in found.asset_events]
    return told, found.cursor


def test_grave_fraud_is_told_once_and_by_one_profile(tmp_path: Path) -> None:
    settings = Settings(root=str(tmp_path / "lake"), domains=("floor", "shop"))
    lake = Lake.open(settings)
    store(
        lake,
        alert("a"),
        alert("b", alert_level="HIGH"),
        alert("a", alert_id="streamify-a", profile="streamify"),
    )
    with short_lived() as instance:

        def made() -> None:
            event = dg.AssetMaterialization(FRAUD, partition=DAY.isoformat())
            instance.report_runless_asset_event(event)

        assert look(instance, settings, None) == ([], None)
        made()
        [told], cursor = look(instance, settings, None)
        assert (told["alert_id"], told["rule"]) == ("tuned-a", "card_testing")
        assert told["said"] == "22 small payments within an hour"
        store(lake, alert("a"), alert("c"))
        made()
        [told], _ = look(instance, settings, cursor)
        assert told["alert_id"] == "tuned-c"
