"""`lakehouse live` starts all and leaves none behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from lakehouse.cli import run
from lakehouse.commands import live

Started = list[tuple[tuple[str, ...], Mapping[str, str], subprocess.Popen[bytes]]]


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Started:
    """What was started: programs that wait, and one that fails at once where it is to."""
    found: Started = []
    monkeypatch.setenv("LAKEHOUSE_ROOT", str(tmp_path / "lake"))
    monkeypatch.setenv("LAKEHOUSE_DOMAINS", '["floor", "online", "shop"]')

    def start(env: Mapping[str, str], *arguments: str) -> subprocess.Popen[bytes]:
        code = "import time; time.sleep(60)"
        if arguments[-1] == "1":
            code = "raise SystemExit(1)"
        process = subprocess.Popen([sys.executable, "-c", code])
        found.append((arguments, env, process))
        return process

    monkeypatch.setattr(live, "_start", start)
    return found


def test_where_one_ends_the_others_are_ended(
    started: Started, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["live", "--port", "1"]) == 1
    assert "HTTP ended with status 1; the others were ended" in capsys.readouterr().err
    assert [a[:2] for a, _, _ in started] == [
        ("stream", "produce"),
        ("stream", "run"),
        ("serve", "--port"),
    ]
    tables = ("clickstream", "shop_actions", "shop_orders")
    for _, env, process in started:
        assert json.loads(env["LAKEHOUSE_SOURCES"]) == dict.fromkeys(tables, "stream")
        assert process.returncode is not None


def test_killed_it_leaves_none_behind(tmp_path: Path) -> None:
    """Nothing is told to end by whom `kill -9` ended."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = os.environ | {"LAKEHOUSE_ROOT": str(tmp_path / "lake"), "LAKEHOUSE_SCALE": "0.1"}
    env |= {"DAGSTER_HOME": str(tmp_path / "home"), "PYTHONPATH": os.pathsep.join(sys.path)}
    env["LAKEHOUSE_DOMAINS"] = '["floor", "online"]'
    command = [sys.executable, "-m", "lakehouse", "live", "--port", str(port)]
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(command, env=env, cwd=tmp_path, stdout=said, stderr=said)
    mine = until(lambda: len(found := of(process.pid)) == 3 and found)
    until(lambda: b"taking in " in (tmp_path / "said").read_bytes())
    process.kill()
    process.wait()
    until(lambda: not any(is_alive(pid) for pid in mine))


def of(parent: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(parent)], capture_output=True, check=False)
    return [int(pid) for pid in found.stdout.split()]


def is_alive(pid: int) -> bool:
    told = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, check=False)
    return told.stdout.strip()[:1] not in (b"", b"Z")


def until(holds: Callable[[], Any], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end
        time.sleep(0.1)
    return found


def test_told_to_end_twice_it_leaves_none_behind(started: Started) -> None:
    def told() -> None:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Timer(1.5, told).start()
    assert run(["live"]) == 0
    assert [p.returncode for _, _, p in started] == [-signal.SIGTERM] * 3
