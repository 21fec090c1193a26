"""Processes of their own that begin with everything imported, as each import costs seconds.

They are forked from one that has imported the project and done nothing: each is a process as any
other, with its own memory, threads and locks, and can be killed.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

IMPORTED = [
    *("uvicorn", "lakehouse.serve.http.app"),
    *("lakehouse.commands.ingest", "lakehouse.commands.run"),
    *("igaming_assets.running", "dagster._core.storage.sqlite_storage", "tests.landed"),
    *("lakehouse.ingest.streams.produce", "lakehouse.simulate.arrivals"),
]


class Warm:
    """`python -m MODULE ARGUMENT ...` in a folder with an environment: what is used of
    `subprocess.Popen`."""

    def __init__(
        self, *command: str, cwd: Path | None = None, env: Mapping[str, str] | None = None
    ) -> None:
        self._said = Path(tempfile.mkdtemp())
        given = (command, str(cwd or Path.cwd()), dict(env or os.environ), str(self._said))
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(IMPORTED)
        self._process = context.Process(target=_run, args=given)
        self._process.start()
        self.kill = self._process.kill

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it wrote, once; waits for its end. Raises TimeoutExpired."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("a warm process", timeout or 0)
        out, err = ((self._said / name).read_text("utf-8") for name in ("out", "err"))
        shutil.rmtree(self._said)
        return out, err

    def send_signal(self, number: int) -> None:
        os.kill(self._process.pid or 0, number)

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode


def _run(command: tuple[str, ...], cwd: str, env: dict[str, str], said: str) -> None:
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    for name, descriptor in (("out", 1), ("err", 2)):
        os.dup2(os.open(f"{said}/{name}", os.O_WRONLY | os.O_CREAT), descriptor)
    # Who starts the tests in the background has interruptions ignored, and so its processes.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = list(command)
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
