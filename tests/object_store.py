"""An object store on loopback, for tests: S3 as moto serves it."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SECRET = "not-a-secret-7717"
_SERVER = """
import sys
from moto.server import ThreadedMotoServer

server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print("%s:%s" % server.get_host_and_port(), flush=True)
sys.stdin.read()
"""
"""In a process of its own: Delta's library keeps Python's lock while it asks for a log."""


@dataclass(frozen=True)
class Store:
    address: str
    log: Path

    @property
    def options(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "tester",
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }

    def bucket(self, name: str) -> str:
        """Makes it; its address."""
        asked = urllib.request.Request(f"{self.address}/{name}", method="PUT")
        urllib.request.urlopen(asked, timeout=10).close()
        return f"s3://{name}"

    def requests(self) -> int:
        """How many it has answered."""
        return self.log.read_text().count("HTTP/1.1")


@contextmanager
def served(folder: Path) -> Iterator[Store]:
    log = folder / "requests.log"
    with (
        log.open("w") as said,
        subprocess.Popen(
            [sys.executable, "-c", _SERVER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        ) as server,
    ):
        assert server.stdout is not None
        try:
            yield Store(f"http://{server.stdout.readline().strip()}", log)
        finally:
            server.kill()
