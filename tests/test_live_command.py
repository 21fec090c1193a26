"""`lakehouse live` starts all and leaves none behind."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

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


def test_told_to_end_twice_it_leaves_none_behind(started: Started) -> None:
    def told() -> None:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Timer(1.5, told).start()
    assert run(["live"]) == 0
    assert [p.returncode for _, _, p in started] == [-signal.SIGTERM] * 3
