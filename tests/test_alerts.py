"""Working with alerts: how they stand, what they rest on, episodes, and who is told."""

import datetime as dt
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest
from alert_rows import DAY, alert, frame, store

from benchmarks.instances import short_lived
from igaming_assets.alerting import ALERTS, alerts_sensor
from igaming_assets.resources import LakeResource
from lakehouse.cli import run
from lakehouse.contracts import contract
from lakehouse.errors import BadInput, LakehouseError
from lakehouse.gold.marts import marts
from lakehouse.serve.alerts import desk, telling
from lakehouse.settings import Settings, load_settings
from lakehouse.storage import Commit, Lake

AT = dt.datetime(2025, 1, 4, 12, tzinfo=dt.UTC)
LOG = logging.getLogger("alerts")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    return load_settings()


@pytest.fixture
def lake(settings: Settings) -> Lake:
    made = Lake.open(settings)
    store(
        made,
        alert("SLOT-0001"),
        alert("SLOT-0002", severity="WARNING", score=0.3),
        alert("E1+P00000001", DAY - dt.timedelta(days=1), severity="INFO", score=0.1),
    )
    return made


def act(lake: Lake, kind: str, at: int = 0, **more: str) -> None:
    moment = AT + dt.timedelta(minutes=at)
    desk.act(lake, desk.action(alert("SLOT-0001")["alert_id"], kind, who="ann", at=moment, **more))


def test_an_alert_stands_as_its_last_action_says(lake: Lake) -> None:
    states = []
    for at, (kind, more) in enumerate(
        [
            ("ack", {}),
            ("close", {"reason": "a key was left in the door", "outcome": "explained"}),
            ("reopen", {"reason": "it was another key"}),
        ]
    ):
        act(lake, kind, at, **more)
        states.append(desk.find(lake, alert("SLOT-0001")["alert_id"])["state"].item())
    assert states == ["acknowledged", "closed", "open"]
    assert desk.read(lake)["action"].to_list() == ["ack", "close", "reopen"]
    assert desk.find(lake, alert("SLOT-0002")["alert_id"])["state"].item() == "open"


def test_made_again_an_alert_stands_as_before(lake: Lake) -> None:
    act(lake, "ack")
    store(lake, alert("SLOT-0001", score=0.8))
    assert desk.find(lake, alert("SLOT-0001")["alert_id"])["state"].item() == "acknowledged"


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        ("close", {"outcome": "explained"}, "needs a reason"),
        ("close", {"reason": "seen"}, "needs an outcome"),
        ("close", {"reason": "seen", "outcome": "fine"}, "'fine'"),
        ("reopen", {"reason": " "}, "needs a reason"),
        ("drop", {"reason": "seen"}, "ack, close, reopen"),
    ],
)
def test_an_action_that_lacks_something_is_refused(
    lake: Lake, kind: str, more: dict[str, str], said: str
) -> None:
    with pytest.raises(BadInput, match=said):
        act(lake, kind, **more)
    assert desk.read(lake).is_empty()


def test_the_same_again_is_refused(lake: Lake) -> None:
    act(lake, "ack")
    with pytest.raises(BadInput, match="is acknowledged already"):
        act(lake, "ack", at=1)
    with pytest.raises(BadInput, match="is open already"):
        desk.act(lake, desk.action("other", "reopen", who="ann", at=AT, reason="why"))


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert run(["alerts", "list", "--json", *arguments]) == 0
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.usefixtures("lake")
@pytest.mark.parametrize(
    ("arguments", "entities"),
    [
        ((), ["SLOT-0001", "SLOT-0002", "E1+P00000001"]),
        (("--severity", "warning"), ["SLOT-0001", "SLOT-0002"]),
        (("--entity", "P00000001"), ["E1+P00000001"]),
        (("--to", "2025-01-02"), ["E1+P00000001"]),
        (("--from", "2025-01-03"), ["SLOT-0001", "SLOT-0002"]),
        (("--rule", "cash_is_reviewed"), []),
        (("--limit", "1"), ["SLOT-0001"]),
    ],
)
def test_the_list_shows_what_is_asked_for(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], entities: list[str]
) -> None:
    assert [a["entity_id"] for a in told(capsys, *arguments)] == entities


@pytest.mark.usefixtures("lake")
def test_what_is_closed_leaves_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    name = alert("SLOT-0001")["alert_id"]
    assert run(["alerts", "close", name, "--reason", "seen", "--outcome", "confirmed"]) == 0
    assert [a["entity_id"] for a in told(capsys)] == ["SLOT-0002", "E1+P00000001"]
    assert [a["entity_id"] for a in told(capsys, "--state", "closed")] == ["SLOT-0001"]
    assert len(told(capsys, "--state", "all")) == 3


@pytest.mark.usefixtures("lake")
@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--severity", "grave"),
        ("list", "--state", "gone"),
        ("list", "--rule", "none"),
        ("list", "--from", "monday"),
        ("show", "none"),
        ("ack", "none"),
        ("close", "none", "--reason", "x", "--outcome", "explained"),
    ],
)
def test_bad_input_ends_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert run(["alerts", *arguments]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_an_alert_opens_to_its_rows(lake: Lake, capsys: pytest.CaptureFixture[str]) -> None:
    machine = {
        "machine_id": "SLOT-0001", "gaming_day": DAY, "zone": "VIP", "denomination": "1.00",
        "machine_type": "Video Slots", "manufacturer": "M", "game_theme": "T", "sessions": 1,
        "games_played": 10, "coin_in": "10.00", "occupancy": 0.5, "meter_variance": "777.00",
    }  # fmt: skip
    other = machine | {"machine_id": "SLOT-0002", "meter_variance": "888.00"}
    shape = contract("slot_performance").bronze_schema()
    rows = pl.DataFrame([machine, other]).select(
        pl.col(c).cast(t) if c in machine else pl.lit(None, dtype=t).alias(c)
        for c, t in shape.items()
    )
    commit = Commit("r", "gold/slot_performance", "1")
    lake.write_days("gold", "slot_performance", rows, (DAY, DAY), commit=commit)
    assert run(["alerts", "show", alert("SLOT-0001")["alert_id"]]) == 0
    out = capsys.readouterr().out
    assert "777.00" in out
    assert "888.00" not in out


def episodes(days: list[int]) -> pl.DataFrame:
    """Episodes of all days of a month with alerts of one machine on `days` of it."""
    alerts = [
        alert("SLOT-0001", dt.date(2025, 1, d), severity="CRITICAL" if d == 2 else "INFO")
        for d in days
    ]
    whole = (dt.date(2025, 1, 1), dt.date(2025, 1, 31))
    found = marts()["alert_episodes"].rows(
        {"anomalies": frame(*alerts).lazy()}, settings=Settings(), days=whole, as_of=AT
    )
    return found.collect()


def test_consecutive_days_are_one_episode() -> None:
    found = episodes([1, 2, 3, 5])
    assert found["day_of_episode"].to_list() == [1, 2, 3, 1]
    assert found["first_day"].dt.day().to_list() == [1, 1, 1, 5]
    assert found["episode_id"].n_unique() == 2
    assert found["severity"].to_list() == ["INFO", "CRITICAL", "CRITICAL", "INFO"]


class Listener(BaseHTTPRequestHandler):
    """Fails as often as it is told to, then takes what comes."""

    failures = 0
    taken: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if type(self).failures:
            type(self).failures -= 1
            self.send_response(503)
        else:
            self.taken.append(json.loads(body))
            self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def listener() -> Iterator[tuple[str, type[Listener]]]:
    kind = type("Once", (Listener,), {"taken": [], "failures": 0})
    server = HTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", kind
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_webhook_is_tried_again(listener: tuple[str, type[Listener]]) -> None:
    url, kind = listener
    kind.failures = telling.ATTEMPTS - 1
    telling.tell([alert("SLOT-0001")], Settings(alert_webhook=url), LOG)
    assert [a["entity_id"] for m in kind.taken for a in m["alerts"]] == ["SLOT-0001"]
    assert "evidence" not in kind.taken[0]["alerts"][0]


def test_a_webhook_that_takes_nothing_is_told_without_its_address(
    listener: tuple[str, type[Listener]],
) -> None:
    url, kind = listener
    kind.failures = telling.ATTEMPTS
    with pytest.raises(LakehouseError, match="took no alerts: HTTPError") as caught:
        telling.tell([alert("SLOT-0001")], Settings(alert_webhook=url), LOG)
    assert url not in str(caught.value)


def look(
    instance: dg.DagsterInstance, settings: Settings, cursor: str | None = None
) -> tuple[list[str], str | None]:
    """Alerts that a look observes, and its cursor."""
    context = dg.build_sensor_context(
        instance=instance, cursor=cursor, resources={"lake": LakeResource.of(settings)}
    )
    with context:
        found = alerts_sensor(settings)(context)
    if isinstance(found, dg.SkipReason):
        return [], cursor
    assert isinstance(found, dg.SensorResult)
    told = [str(e.metadata["entity_id"].value) for e in found.asset_events]
    return told, found.cursor


def test_each_critical_alert_is_told_once(lake: Lake, settings: Settings) -> None:
    with short_lived() as instance:

        def made() -> None:
            event = dg.AssetMaterialization(ALERTS, partition=DAY.isoformat())
            instance.report_runless_asset_event(event)

        assert look(instance, settings) == ([], None)
        made()
        first, cursor = look(instance, settings)
        assert first == ["SLOT-0001"]
        assert look(instance, settings, cursor) == ([], cursor)
        store(lake, alert("SLOT-0001"), alert("SLOT-0003"))
        made()
        assert look(instance, settings, cursor)[0] == ["SLOT-0003"]


def test_a_closed_alert_is_not_told(lake: Lake, settings: Settings) -> None:
    act(lake, "close", reason="seen", outcome="confirmed")
    with short_lived() as instance:
        event = dg.AssetMaterialization(ALERTS, partition=DAY.isoformat())
        instance.report_runless_asset_event(event)
        assert look(instance, settings)[0] == []


@pytest.mark.usefixtures("lake")
def test_a_deaf_listener_stops_nothing(
    settings: Settings, listener: tuple[str, type[Listener]]
) -> None:
    url, kind = listener
    kind.failures = 100
    with short_lived() as instance:
        event = dg.AssetMaterialization(ALERTS, partition=DAY.isoformat())
        instance.report_runless_asset_event(event)
        deaf = settings.model_copy(update={"alert_webhook": url})
        assert look(instance, deaf)[0] == ["SLOT-0001"]


@pytest.mark.parametrize("address", ["ftp://example.com", "example.com/hook", "https://"])
def test_an_address_that_is_none_is_refused_and_not_repeated(address: str) -> None:
    with pytest.raises(BadInput, match="alert_webhook") as caught:
        load_settings(alert_webhook=address)
    assert address not in str(caught.value).split("https:// or http://")[-1]


def payment(number: int, level: str, profile: str = "tuned") -> dict[str, Any]:
    return {
        "alert_id": f"{profile}-T-{number}",
        "transaction_id": f"T-{number}",
        "user_id": f"A{number}",
        "fraud_reason": "5 refunds within 30 days",
        "fraud_score": 0.86,
        "alert_level": level,
        "profile": profile,
        "rules": [{"rule": "pattern", "score": 0.2}, {"rule": "refund_abuse", "score": 0.9}],
        "evidence": [{"table_name": "shop_orders", "record_id": f"T-{number}"}],
        "gaming_day": DAY,
    }


def pay(lake: Lake, *given: dict[str, Any]) -> None:
    shape = contract("fraud_alerts").bronze_schema()
    rows = pl.DataFrame(given, schema={n: t for n, t in shape.items() if n in given[0]})
    stored = pl.concat([shape.to_frame(), rows], how="diagonal")
    days = (DAY - dt.timedelta(days=1), DAY)
    commit = Commit("r", "gold/fraud_alerts", "1")
    lake.write_days("gold", "fraud_alerts", stored, days, commit=commit)


def test_payments_of_the_shop_are_worked_as_other_alerts(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the profile that alerts are raised by; what stands beside it is for comparison."""
    pay(lake, payment(1, "CRITICAL"), payment(2, "HIGH"), payment(3, "LOW", "streamify"))

    def listed(*asked: str) -> dict[str, str]:
        assert run(["alerts", "list", "--json", *asked]) == 0
        found = json.loads(capsys.readouterr().out)
        return {a["alert_id"]: a["severity"] for a in found}

    assert listed("--rule", "refund_abuse") == {"tuned-T-1": "CRITICAL", "tuned-T-2": "WARNING"}
    assert listed("--entity", "A1") == {"tuned-T-1": "CRITICAL"}
    assert len(listed()) == 5
    assert run(["alerts", "ack", "tuned-T-1"]) == 0
    assert run(["alerts", "close", "tuned-T-2", "--reason", "sizes", "--outcome", "explained"]) == 0
    capsys.readouterr()
    assert listed("--rule", "refund_abuse", "--state", "acknowledged") == {"tuned-T-1": "CRITICAL"}
    assert run(["alerts", "ack", "streamify-T-3"]) == 2


def test_payments_of_an_account_and_day_are_one_line_and_settled_together(
    lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = {"user_id": "A"}
    before = {"gaming_day": DAY - dt.timedelta(days=1)}
    pay(
        lake,
        payment(1, "HIGH") | mine | {"fraud_score": 0.7},
        payment(2, "CRITICAL") | mine | {"rules": [{"rule": "rapid", "score": 0.9}]},
        payment(3, "HIGH") | mine,
        payment(4, "HIGH") | mine | before,
        payment(5, "HIGH"),
        payment(6, "LOW", "streamify") | mine,
    )

    def listed(*asked: str) -> dict[str, int]:
        assert run(["alerts", "list", "--json", "--from", str(before["gaming_day"]), *asked]) == 0
        told = json.loads(capsys.readouterr().out)
        return {a["alert_id"]: a["alerts"] for a in told if a["family"] == "shop"}

    assert listed() == {"tuned-T-2": 3, "tuned-T-4": 1, "tuned-T-5": 1}
    assert listed("--each") == {f"tuned-T-{n}": 1 for n in (1, 2, 3, 4, 5)}
    assert (
        run(["alerts", "close", "tuned-T-3", "--reason", "a child", "--outcome", "explained"]) == 0
    )
    assert listed() == {"tuned-T-2": 2, "tuned-T-4": 1, "tuned-T-5": 1}
    settle = ["--reason", "a stolen card", "--outcome", "confirmed", "--alike"]
    assert run(["alerts", "close", "tuned-T-1", *settle]) == 0
    assert "tuned-T-1 and 1 alike: closed" in capsys.readouterr().err
    assert listed() == {"tuned-T-4": 1, "tuned-T-5": 1}
    assert listed("--state", "closed") == {"tuned-T-2": 3}
    reasons = desk.read(lake).select("alert_id", "reason").sort("alert_id").rows()
    assert reasons == [
        ("tuned-T-1", "a stolen card"), ("tuned-T-2", "a stolen card"), ("tuned-T-3", "a child"),
    ]  # fmt: skip
    assert run(["alerts", "close", "tuned-T-2", *settle]) == 2
    assert "closed already" in capsys.readouterr().err


def test_alerts_of_the_floor_stand_alone_but_for_those_of_one_rule_entity_and_day(
    lake: Lake,
) -> None:
    drift = alert("SLOT-0001") | {"rule": "hold_drift", "alert_id": "hold_drift-x"}
    store(lake, alert("SLOT-0001"), drift)
    found = desk.worked(desk.every(lake), desk.read(lake))
    assert desk.folded(found)["alerts"].to_list() == [1, 1]
    assert desk.alike(lake, drift) == ["hold_drift-x"]


def test_of_several_actions_those_that_change_nothing_are_left_out(lake: Lake) -> None:
    """As where somebody else has settled some of them in the meantime."""
    ids = [alert(name)["alert_id"] for name in ("SLOT-0001", "SLOT-0002")]
    act(lake, "ack")
    both = pl.concat([desk.action(i, "ack", who="bea", at=AT) for i in ids])
    assert desk.act(lake, both) == 1
    assert desk.read(lake).select("alert_id", "acted_by").sort("alert_id").rows() == [
        (ids[0], "ann"),
        (ids[1], "bea"),
    ]
