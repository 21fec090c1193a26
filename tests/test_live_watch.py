"""Grave alerts that are raised as events come, each told to whoever is to act."""

import datetime as dt
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from igaming_assets.alerting import live_sensor
from igaming_assets.assembly import assemble
from igaming_assets.resources import LakeResource
from lakehouse.contracts import contract
from lakehouse.settings import DOMAINS, Settings
from lakehouse.storage import Commit, Lake

pytestmark = pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
DAY = dt.date(2025, 1, 2)
NOON = dt.datetime(2025, 1, 2, 20, tzinfo=dt.UTC)
BY = Commit("run", "test", "1")


def settings_at(folder: Path) -> Settings:
    root = str(folder / "lake")
    return Settings(root=root, domains=DOMAINS, sources={"shop_orders": "stream"})


def alert(name: str, version: int = 1, **changed: Any) -> dict[str, Any]:
    return {
        "alert_id": f"tuned-{name}",
        "version": version,
        "family": "fraud",
        "rule": "tuned",
        "level": "CRITICAL",
        "score": 0.97,
        "account": "a token",
        "said": "22 small payments within an hour",
        "context": "{}",
        "evidence": [],
        "event_time": NOON,
        "detected_at": NOON,
        "topic": "sales_stream",
        "partition": 0,
        "offset": version - 1,
        "is_withdrawn": False,
        "gaming_day": DAY,
        "_source": f"topic:sales_stream/0@{version - 1}",
    } | changed


def raise_(settings: Settings, *alerts: dict[str, Any]) -> None:
    rows = pl.DataFrame(alerts, schema=contract("live_alerts").bronze_schema())
    Lake.open(settings).append("gold", "live_alerts", rows, commit=BY)


def look(settings: Settings, cursor: str | None) -> tuple[list[dict[str, Any]], str | None]:
    """One tick: what was told, and the cursor."""
    sensor = live_sensor(settings)
    assert sensor is not None
    with dg.DagsterInstance.ephemeral() as instance:
        given = {"lake": LakeResource.of(settings)}
        with dg.build_sensor_context(instance, cursor=cursor, resources=given) as context:
            found = sensor(context)
    if isinstance(found, dg.SkipReason):
        return [], cursor
    assert isinstance(found, dg.SensorResult)
    told = [{k: v.value for k, v in e.metadata.items()} for e in found.asset_events]
    return told, found.cursor


def test_only_a_lake_with_topics_watches_them() -> None:
    assert live_sensor(Settings(domains=DOMAINS)) is None
    streamed = Settings(domains=DOMAINS, sources={"shop_orders": "stream"})
    sensor = assemble(streamed).get_repository_def().get_sensor_def("critical_live")
    assert sensor.default_status.value == "STOPPED"


def test_a_grave_alert_is_told_once_however_often_it_is_said(tmp_path: Path) -> None:
    settings = settings_at(tmp_path)
    assert look(settings, None) == ([], None)
    raise_(
        settings,
        alert("a"),
        alert("b", level="HIGH"),
        alert("c", alert_id="streamify-c", rule="streamify"),
    )
    [told], cursor = look(settings, None)
    assert (told["alert_id"], told["entity_id"]) == ("tuned-a", "a token")
    assert told["said"] == "22 small payments within an hour"
    assert look(settings, cursor) == ([], cursor)
    raise_(settings, alert("a", 2, said="23 small payments within an hour"))
    assert look(settings, cursor)[0] == []


def test_it_is_told_when_it_becomes_grave_and_not_when_it_was_taken_back(tmp_path: Path) -> None:
    settings = settings_at(tmp_path)
    raise_(settings, alert("b", level="HIGH"), alert("d"))
    raise_(settings, alert("d", 2, is_withdrawn=True))
    told, cursor = look(settings, None)
    assert told == []
    raise_(settings, alert("b", 3))
    [told_], _ = look(settings, cursor)
    assert told_["alert_id"] == "tuned-b"
