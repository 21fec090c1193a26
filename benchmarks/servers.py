"""Programs of others that campaigns start on loopback, and the jars that Maven brings for them."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

BOUND = 60
"""Seconds that one may take to answer."""


class MissingError(Exception):
    """What a program is made of is not here."""


def jars(pom: Path, folder: Path, what: str) -> str:
    """The class path of what a pom names, brought into a folder. Raises MissingError where Maven
    brings none."""
    whole = folder.absolute()
    if not whole.is_dir():
        new = whole.with_name(f"{whole.name}-{secrets.token_hex(4)}")
        copy = ["dependency:copy-dependencies", f"-DoutputDirectory={new}"]
        if subprocess.run(["mvn", "-q", "-B", "-f", str(pom), *copy]).returncode:
            shutil.rmtree(new, ignore_errors=True)
            raise MissingError(f"Maven did not bring {what}")
        new.rename(whole)
    return f"{whole}/*"


def started(
    command: Sequence[str],
    folder: Path,
    log: Path,
    answers: Callable[[], bool],
    env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """A process in a folder, once it answers. SystemExit with its log where it does not."""
    with log.open("ab") as said:
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdout=said, stderr=said, start_new_session=True
        )
    until = time.monotonic() + BOUND
    while not answers():
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            raise SystemExit(log.read_text(errors="replace")[-2000:])
        time.sleep(0.1)
    return process


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
