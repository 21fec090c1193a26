"""The monitor as it is used: commands with their status, the sensor, mail, numbers for Prometheus,
the page."""

import datetime as dt
import email
import json
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import requests
from monitored import Idle, Watched
from served import served
from small_lake import COMMIT, rows
from typer.testing import CliRunner

from igaming_assets.assembly import assemble
from igaming_assets.resources import Clock, LakeResource
from igaming_assets.watching import monitor_sensor
from lakehouse.cli import build
from lakehouse.commands.monitor import looker
from lakehouse.errors import LakehouseError
from lakehouse.serve.alerts.mail import MailSettings
from lakehouse.serve.alerts.telling import Message, ways
from lakehouse.serve.monitor.registry import readings
from lakehouse.serve.monitor.watch import Kept, seen, tell
from lakehouse.serve.pages.asking import Asking
from lakehouse.serve.pages.figures import figures_of
from lakehouse.settings import load_settings
from lakehouse.storage import Lake

LOG = logging.getLogger("test")
QUIET = {
    name: {"warning": None, "critical": None} for name in ("cpu", "memory", "disk", "query_time")
}
"""The machine of a test may be as busy as it likes."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LAKEHOUSE_MONITOR__THRESHOLDS", json.dumps(QUIET))
    return tmp_path


def thresholds(monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
    monkeypatch.setenv("LAKEHOUSE_MONITOR__THRESHOLDS", json.dumps(QUIET | more))


def monitor(*arguments: str) -> Any:
    return CliRunner().invoke(build(), ["monitor", *arguments])


@pytest.mark.slow
def test_the_status_is_that_of_the_worst(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert monitor().exit_code == 0
    thresholds(monkeypatch, memory={"warning": 0, "critical": None})
    said = monitor()
    assert said.exit_code == 3
    assert said.stdout.startswith("WARNING   memory machine")
    assert "lower the setting sql_memory" in said.stdout
    thresholds(monkeypatch, memory={"critical": 0})
    assert monitor().exit_code == 4
    plugin = monitor("--nagios")
    assert plugin.exit_code == 2
    assert plugin.stdout.startswith("LAKEHOUSE CRITICAL - memory machine: memory is ")
    assert plugin.stdout.count("\n") == 1
    assert " | 'memory machine'=" in plugin.stdout
    assert not (place / "home").exists()


def test_json_is_for_programs(place: Path) -> None:
    told = json.loads(monitor("--json").stdout)
    assert {r["signal"] for r in told} >= {"cpu", "memory", "disk", "storage", "failed_runs"}
    memory = next(r for r in told if r["signal"] == "memory")
    assert (memory["level"], memory["unit"], memory["subject"]) == ("INFO", "percent", "machine")
    assert 0 < memory["value"] < 100
    dt.datetime.fromisoformat(memory["since"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--watch", "--nagios"), "--nagios is one look"),
        (("--every", "5"), "--every goes with --watch"),
        (("--watch", "--every", "0"), "0.1 to 86400 seconds"),
    ],
)
def test_what_does_not_go_together(place: Path, arguments: tuple[str, ...], said: str) -> None:
    assert said in str(monitor(*arguments).exception)


class Server:
    """Takes what comes by HTTP or SMTP, on a port of its own, and keeps it before it says so."""

    def __init__(self, talk: Any) -> None:
        self.taken: list[Any] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._talk = talk
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as lines:
                self._talk(lines, self.taken.append)

    def close(self) -> None:
        self._listening.close()


def smtp(lines: Any, keep: Callable[[Any], None]) -> None:
    """As much of RFC 5321 as a message needs."""

    def say(text: str) -> None:
        lines.write(text.encode() + b"\r\n")
        lines.flush()

    say("220 here")
    to: list[str] = []
    while line := lines.readline().decode().strip():
        word = line.split(":")[0].split(" ")[0].upper()
        if word == "RCPT":
            to.append(line.split("<")[1].rstrip(">"))
        if word == "DATA":
            say("354 go on")
            body = b""
            while (part := lines.readline()) != b".\r\n":
                body += part
            keep((to, email.message_from_bytes(body)))
            say("250 taken")
            continue
        say("221 bye" if word == "QUIT" else "250 fine")
        if word == "QUIT":
            break


def http(lines: Any, keep: Callable[[Any], None]) -> None:
    size = 0
    while (line := lines.readline().strip()) != b"":
        if line.lower().startswith(b"content-length:"):
            size = int(line.split(b":")[1])
    keep(json.loads(lines.read(size)))
    lines.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    lines.flush()


@pytest.fixture
def post() -> Iterator[Server]:
    server = Server(smtp)
    yield server
    server.close()


@pytest.fixture
def hook() -> Iterator[Server]:
    server = Server(http)
    yield server
    server.close()


def mail_to(server: Server) -> MailSettings:
    given = {"server": "127.0.0.1", "port": server.port, "security": "none"}
    return MailSettings(**given, sender="lake@example.com", to=("desk@example.com", "b@c.example"))


def test_mail_is_a_way(tmp_path: Path, post: Server) -> None:
    watched = Watched(tmp_path, {"mail": mail_to(post)})
    way = ways(watched.settings, LOG)["mail"]
    way(Message("CRITICAL cpu", [(logging.ERROR, "CRITICAL cpu: it is hot")], {}))
    ((to, message),) = post.taken
    assert to == ["desk@example.com", "b@c.example"]
    assert message["Subject"] == "CRITICAL cpu"
    assert message.get_payload().strip() == "CRITICAL cpu: it is hot"
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        post.port = nobody.getsockname()[1]
    away = ways(Watched(tmp_path, {"mail": mail_to(post)}).settings, LOG)["mail"]
    with pytest.raises(LakehouseError, match="the mail server took no alerts") as caught:
        away(Message("s", [(0, "l")], {}))
    assert "127.0.0.1" not in str(caught.value)


def test_a_password_needs_a_closed_line(tmp_path: Path) -> None:
    given = {"server": "h", "sender": "a@b.example", "to": ("a@b.example",), "user": "me"}
    for more in ({}, {"password_file": tmp_path, "security": "none"}):
        with pytest.raises(ValueError, match="needs password_file, and security"):
            MailSettings(**given, **more)
    with pytest.raises(ValueError, match="write an address"):
        MailSettings(server="h", sender="a@b.example\nBcc: c@d.example", to=("a@b.example",))


@pytest.mark.slow
def test_watching_tells_each_change_once_through_a_restart(
    place: Path, monkeypatch: pytest.MonkeyPatch, hook: Server, post: Server
) -> None:
    """A disk that is beyond its threshold: three looks, one message, and none after kill -9."""
    thresholds(monkeypatch, disk={"warning": 0, "critical": None})
    monkeypatch.setenv("LAKEHOUSE_ALERT_WEBHOOK", f"http://127.0.0.1:{hook.port}/hook")
    monkeypatch.setenv("LAKEHOUSE_MAIL", mail_to(post).model_dump_json())

    def is_told() -> bool:
        log = Watched(place).lake.scan("ops", "signal_states")
        return not log.filter(is_told=True, level="WARNING").collect().is_empty()

    command = [sys.executable, "-m", "lakehouse", "monitor", "--watch", "--every", "0.1"]
    with Path("out").open("wb") as out, Path("err").open("wb") as err:
        process = subprocess.Popen(command, stdout=out, stderr=err)
        end = time.monotonic() + 300
        while not is_told() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        process.kill()
        process.wait()
    settings = load_settings()
    for _ in range(4):
        seen(looker(settings, Lake.open(settings))())
        assert tell(Lake.open(settings), ways(settings, LOG)) == []
    (told,) = hook.taken
    (one,) = told["signals"]
    assert (one["signal"], one["level"]) == ("disk", "WARNING")
    assert "Make room" in one["to_do"]
    ((_, message),) = post.taken
    assert message["Subject"] == "WARNING disk volume"
    assert Path("err").read_text().count("WARNING disk volume since") == 1
    assert Path("out").read_text().startswith("WARNING   disk volume")


@pytest.mark.slow
def test_the_sensor_tells_each_change_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, hook: Server
) -> None:
    more = {
        "monitor": {"looks": 2, "thresholds": QUIET | {"memory": {"critical": 0}}},
        "alert_webhook": f"http://127.0.0.1:{hook.port}/hook",
    }
    settings = Watched(tmp_path, more).settings
    sensor = monitor_sensor(settings)

    def tick(minute: int) -> str:
        given = {
            "lake": LakeResource.of(settings),
            "clock": Clock(at=f"2025-01-08T20:{minute:02}:00Z"),
        }
        with (
            dg.DagsterInstance.ephemeral() as instance,
            dg.build_sensor_context(instance, resources=given) as context,
        ):
            found = sensor(context)
        assert isinstance(found, dg.SkipReason)
        return str(found.skip_message)

    assert tick(0).startswith("INFO: 0 CRITICAL, 0 WARNING")
    assert tick(1).startswith("CRITICAL: 1 CRITICAL")
    assert tick(2).startswith("CRITICAL: 1 CRITICAL")
    assert [[s["signal"] for s in m["signals"]] for m in hook.taken] == [["memory"]]
    assert hook.taken[0]["signals"][0]["since"] == "2025-01-08T20:00:00+00:00"
    made = assemble(settings).get_repository_def().get_sensor_def("monitor")
    assert made.default_status.value == "STOPPED"


def test_prometheus_gets_values_and_levels(tmp_path: Path) -> None:
    watched = Watched(tmp_path, host=Idle(busy=81.5))
    with served(watched.settings, signals=lambda: readings(watched.look())) as address:
        said = requests.get(f"{address}/metrics", timeout=30).text
    assert 'lakehouse_signal{signal="cpu",subject="machine",unit="percent"} 81.5' in said
    assert 'lakehouse_signal_level{signal="cpu",subject="machine"} 1.0' in said
    assert 'lakehouse_signal_level{signal="memory",subject="machine"} 0.0' in said
    # What has no value has a level alone.
    assert 'lakehouse_signal{signal="storage_growth"' not in said
    assert 'lakehouse_signal_level{signal="storage_growth",subject="lake"} 0.0' in said


def test_those_who_ask_often_get_the_same_look_and_wait_for_none(tmp_path: Path) -> None:
    watched, at, begun = Watched(tmp_path), [0.0], list[Any]()
    kept = Kept(lambda: watched.look(clock=lambda: at[0]), 10, begun.append)

    def cpu() -> float | None:
        return next((r.value for r in kept() if r.signal == "cpu"), None)

    assert cpu() is None
    assert cpu() is None
    (first,) = begun  # one look at a time
    first()
    assert cpu() == 5.0
    watched.host, at[0] = Idle(busy=99), 9.9
    assert cpu() == 5.0
    assert len(begun) == 1
    at[0] = 10.0
    assert cpu() == 5.0
    begun[1]()
    assert cpu() == 99.0
    assert watched.lake.version("ops", "signal_states") is None


def test_a_look_that_fails_leaves_no_old_values(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched, at = Watched(tmp_path, {"monitor": {"looks": 1}}), [0.0]
    kept = Kept(lambda: watched.look(clock=lambda: at[0]), 10, lambda work: work())
    seen(watched.look())
    assert kept()
    log = tmp_path / "lake/ops/signal_states/_delta_log"
    for file in log.iterdir():
        file.write_text("{")
    at[0] = 10.0
    assert kept() == []
    assert "the monitor could not look" in caplog.text


def test_the_page_shows_what_needs_somebody(tmp_path: Path) -> None:
    watched = Watched(tmp_path, {"monitor": {"looks": 1}}, Idle(used=98, busy=85))
    day = dt.date(2025, 1, 7)
    frame = rows("gold", "property_day", {"gaming_day": [day]})
    watched.lake.write_days("gold", "property_day", frame, (day, day), commit=COMMIT)
    seen(watched.look())
    asking = Asking(watched.lake, watched.settings)
    given = {"day": "2025-01-07", "first": "2025-01-01", "last": "2025-01-07"}
    found = {f.name: asking.answer(f, given) for f in figures_of("monitor")}
    assert found["now"].select("level", "signal").rows() == [
        ("CRITICAL", "memory"),
        ("WARNING", "cpu"),
    ]
    assert set(found["every"]["signal"]) >= {"cpu", "disk", "freshness", "storage"}
    assert found["storage"]["share"].len() == 1
    watched.host, watched.at = Idle(busy=85), watched.at + dt.timedelta(minutes=1)
    seen(watched.look())
    again = {f.name: asking.answer(f, given) for f in figures_of("monitor")}
    assert again["now"]["signal"].to_list() == ["cpu"]
    newest = again["changes"].row(0, named=True)
    assert (newest["signal"], newest["level"]) == ("memory", "INFO")
